"""The fields by which a product leads to its shop: its link, its list price and its group of variants."""

import json
from decimal import Decimal

import pytest

from catalog.feeds.reader import read_feed
from catalog.product import Product, RowNote
from tests.catalog.feed_writer import write
from tests.catalog.feeds.test_google_xml import item, rss

MERCHANT = "id\ttitle\timage_link\tlink\tprice\tsale_price\titem_group_id\tgtin\n"


def entries(shop, content, name="products.csv"):
    """The products of a feed by id, and the messages of its notes; no row may be rejected."""
    found = list(read_feed(write(shop, content, name)))
    assert all(isinstance(entry, Product | RowNote) for entry in found)
    products = {entry.id: entry for entry in found if isinstance(entry, Product)}
    return products, [entry.message for entry in found if isinstance(entry, RowNote)]


def test_a_table_for_google_merchant(shop):
    row = "1\tMug\timages/1.png\thttps://shop.example/mug?a=1&b=2\t13.90 EUR\t9.73 EUR\tmugs-7\t4006381333931\n"
    products, notes = entries(shop, MERCHANT + row, "feed.tsv")
    mug = products["1"]
    assert (mug.link, mug.item_group_id) == ("https://shop.example/mug?a=1&b=2", "mugs-7")
    assert (mug.price, mug.list_price, mug.currency, mug.discount) == (Decimal("9.73"), Decimal("13.90"), "EUR", 30)
    assert (dict(mug.attributes), notes) == ({"gtin": "4006381333931"}, [])


@pytest.mark.parametrize("column", ["link", "Product URL", "product_link", "permalink", "URL"])
def test_other_names_of_the_link(shop, column):
    products, _ = entries(shop, f"id,title,image,{column}\n1,Mug,images/1.png,https://shop.example/mug\n")
    assert (products["1"].link, dict(products["1"].attributes)) == ("https://shop.example/mug", {})


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "https://a:b@shop.example/", "//shop.example/"]
)
def test_a_link_that_is_no_web_address_is_left_out_with_a_note(shop, link):
    products, notes = entries(shop, rss(item(more=f"<g:link>{link}</g:link>")), "feed.xml")
    (product,) = products.values()
    assert product.link == ""
    assert link not in dict(product.attributes).values()
    assert len(notes) == 1 and notes[0].startswith("the link to the product's page is left out: it ")


def test_the_first_address_counts(shop):
    products, notes = entries(shop, "id,title,image,link,url\n1,Mug,images/1.png,mug.html,https://shop.example/mug\n")
    assert (products["1"].link, notes) == ("https://shop.example/mug", [])


def test_json_lines_with_a_list_price(shop):
    line = {"id": "1", "title": "Mug", "image": "images/1.png", "price": 9.5, "list_price": 12, "currency": "EUR"}
    products, _ = entries(shop, json.dumps(line), "products.jsonl")
    assert (products["1"].price, products["1"].list_price) == (Decimal("9.50"), Decimal("12"))
    assert dict(products["1"].attributes) == {}
