"""docs/client.py against a server of its own."""

import importlib.util
from pathlib import Path

import pytest

from indexer.encoders.registry import open_encoder
from tests.web.shop_fixtures import BLUE, GREEN, WRITE_KEY, make_shop, picture_bytes
from tests.web.test_main import serving, wait_until_ready

FILE = Path(__file__).parents[2] / "docs" / "client.py"


@pytest.fixture(scope="module")
def client():
    spec = importlib.util.spec_from_file_location("client", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("colours")
    make_shop(home, open_encoder("colour"))
    with serving(home, "--threads", "2") as (_, port):
        wait_until_ready(port)
        yield f"http://127.0.0.1:{port}/"


def test_it_searches_and_reads(client, address, tmp_path):
    shop = client.Shop(address)
    (tmp_path / "a.jpg").write_bytes(picture_bytes(GREEN))
    assert shop.search(tmp_path / "a.jpg", k=3)["hits"][0]["id"] == "green"
    assert shop.search(picture_bytes(BLUE), filter={"in_stock": True})["hits"][0]["id"] != "blue"
    assert shop.product("a/b")["id"] == "a/b"
    assert shop.suggest("red ju", limit=2)["words"][0]["text"] == "red jumper"
    assert len(shop.similar("red", 4)) == 4
    assert len({hit["id"] for hit in shop.pages(limit=12, k=5, product_id="red", timeout_ms=10_000)}) == 12


def test_it_changes_the_shop_with_a_key(client, address):
    shop = client.Shop(address, WRITE_KEY)
    made = shop.put("cup", [picture_bytes(GREEN)], title="Cup", price="3 EUR")
    assert made["price"] == "3" and shop.put("cup", price="4")["title"] == "Cup"
    shop.remove("cup")
    with pytest.raises(client.ShopError) as gone:
        shop.product("cup")
    assert (gone.value.status, gone.value.code) == (404, "unknown_product")


def test_it_says_what_was_refused(client, address):
    with pytest.raises(client.ShopError, match="no_key"):
        client.Shop(address).remove("red")
    with pytest.raises(client.ShopError, match="k is 0; it should be greater than or equal to 1"):
        client.Shop(address).search(product_id="red", k=0)
    with pytest.raises(ValueError, match="not a web address"):
        client.Shop("file:///etc/passwd")
