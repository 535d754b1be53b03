"""Favourites and comparisons: pages of the products that an address lists, without JavaScript."""

import re
from urllib.parse import urlencode

import pytest

from tests.web.shop_fixtures import ODD_IDS
from web.saved.routes import MAX_COMPARED
from web.urls import compare_url, product_url


def address(path, *ids):
    return f"/{path}?{urlencode([('ids', each) for each in ids])}"


def listed(answer, kind="h3"):
    assert answer.status_code == 200, answer.text
    return re.findall(rf'<{kind} .*?href="(/products/[^"]+)"', answer.text, re.DOTALL)


def test_favourites_are_what_the_address_lists_in_its_order(client):
    answer = client.get(address("favourites", "green", "gone", "red", "green"))
    assert listed(answer) == ["/products/green", "/products/red"]
    assert 'href="/compare?ids=green&amp;ids=red"' in answer.text
    assert '<meta name="robots" content="noindex">' in answer.text
    assert listed(client.get("/favourites?ids=red,green")) == ["/products/red", "/products/green"]


@pytest.mark.parametrize(
    "path", ["/favourites", "/favourites?ids=", "/favourites?ids=gone", "/favourites?ids=%00&ids=%ff"]
)
def test_no_favourites_are_said_to_be_none(client, path):
    answer = client.get(path)
    assert listed(answer) == [] and "No favourites yet" in answer.text


def test_any_id_can_be_saved_and_compared(client):
    found = set()
    for start in range(0, len(ODD_IDS), MAX_COMPARED):
        ids = ODD_IDS[start : start + MAX_COMPARED]
        assert listed(client.get(address("favourites", *ids))) == [product_url(each) for each in ids]
        answer = client.get(compare_url(ids))
        assert all(product_url(each) in answer.text for each in ids) and "<script>alert" not in answer.text
        found.update(ids)
    assert found == set(ODD_IDS)


def test_a_comparison_shows_which_facts_differ(client):
    answer = client.get(compare_url(["red", "blue"]))
    rows = re.findall(r'<tr class="(\w+)">\s*<th.*?>([\w ]+).*?</th>(.*?)</tr>', answer.text, re.DOTALL)
    table = {name: (kind, re.findall(r"<td.*?>(.*?)</td>", cells)) for kind, name, cells in rows}
    assert table["Price"] == ("differs", ["€12.90", "€14.90"])
    assert table["Availability"] == ("differs", ["In stock", "Out of stock"])
    assert table["Brand"] == ("same", ["Acme", "Acme"])
    assert table["Colour"] == ("differs", ["Red", "Blue"])
    assert table["Made of"] == ("same", ["wool", "wool"])
    assert 'href="/compare?ids=blue"' in answer.text and 'href="/compare?ids=red"' in answer.text, "each can be removed"
    mixed = client.get(compare_url(["red", "plain"])).text
    assert "shelf 0" in mixed and "–" in mixed, "a fact that one of them lacks"


def test_a_comparison_has_two_to_four_products(client):
    many = client.get(compare_url(["red", "green", "blue", *ODD_IDS[:3]]))
    assert len(re.findall(r'<th scope="col">', many.text)) == MAX_COMPARED
    for ids in ((), ("red",), ("red", "gone")):
        answer = client.get(compare_url(ids))
        assert answer.status_code == 200 and "Choose two or more" in answer.text and "<table" not in answer.text
    chinese = client.get(compare_url(["red", "blue"]), headers={"Accept-Language": "zh-CN"}).text
    assert "商品对比" in chinese and "缺货" in chinese
