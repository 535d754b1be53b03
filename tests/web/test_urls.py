"""URLs for other sites: the setting public_url comes before the host that a client names."""

import pytest
from pydantic import ValidationError

from web.settings import Settings
from web.urls import absolute_url


def test_without_a_setting_the_request_names_the_host(app):
    with app.test_request_context("/", base_url="https://shop.example:8443"):
        assert absolute_url("/products/a%2Fb") == "https://shop.example:8443/products/a%2Fb"


@pytest.mark.parametrize("setting", ["https://shop.example", "https://shop.example/"])
def test_the_setting_comes_first(app, monkeypatch, setting):
    monkeypatch.setitem(app.config, "PUBLIC_URL", Settings(public_url=setting).public_url)
    with app.test_request_context("/", headers={"Host": "evil.example"}):
        assert absolute_url("/") == "https://shop.example/"


@pytest.mark.parametrize(
    "bad", ["shop.example", "ftp://shop.example", "https://shop.example/search", "https://a@b", "javascript:alert(1)"]
)
def test_an_address_that_is_none_is_refused(bad):
    with pytest.raises(ValidationError):
        Settings(public_url=bad)
