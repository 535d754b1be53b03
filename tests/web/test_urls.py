"""URLs for other sites: the setting public_url comes before the host that a client names."""

import pytest
from pydantic import ValidationError

from web.settings import Settings
from web.urls import absolute_url, api_url


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


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:8000", "http://localhost:8000/p"),
        ("127.0.0.1", "http://127.0.0.1/p"),
        ("evil.example", "/p"),
        ("localhost.evil.example", "/p"),
        ("127.0.0.1.evil.example:80", "/p"),
    ],
)
def test_an_answer_of_the_api_believes_no_host_that_nobody_vouches_for(app, host, expected):
    with app.test_request_context("/", headers={"Host": host}):
        assert api_url("/p") == expected


def test_an_answer_of_the_api_is_absolute_where_the_server_knows_its_address(app, monkeypatch):
    monkeypatch.setitem(app.config, "TRUSTED_HOSTS", ["shop.example"])
    with app.test_request_context("/", base_url="https://shop.example"):
        assert (api_url("/p"), api_url("")) == ("https://shop.example/p", "")
    monkeypatch.setitem(app.config, "PUBLIC_URL", "https://search.shop.example")
    with app.test_request_context("/", headers={"Host": "evil.example"}):
        assert api_url("/p") == "https://search.shop.example/p"
