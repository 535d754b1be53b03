"""Entities and tags in the fields of a product are what a reader would see, in every format of feeds."""

import json

import pytest

from tests.catalog.feed_writer import GOOGLE, names, read, write

TITLE = "Ben &amp; Jerry&#39;s <b>mug</b>"
CATEGORY = "Home &amp; Garden &gt; Mugs"
BRAND = "H&amp;M"
BODY = "<p>A <strong>sturdy</strong> mug.<br>Dishwasher&nbsp;safe.</p>"
COLOUR = "Black &amp; white"
PLAIN = ("Ben & Jerry's mug", ("Home & Garden", "Mugs"), "H&M", "A sturdy mug. Dishwasher safe.", "Black & white")

COLUMNS = ("id", "title", "category", "image", "brand", "description", "colour")
CELLS = ("e1", TITLE, CATEGORY, "images/1.png", BRAND, BODY, COLOUR)
SHOPIFY = "Handle,Title,Body (HTML),Vendor,Product Category,Option1 Name,Option1 Value,Variant Price,Image Src\n"
XML = (
    f"<rss {GOOGLE}><channel><item><g:id>e1</g:id><g:title><![CDATA[{TITLE}]]></g:title>"
    f"<g:product_type><![CDATA[{CATEGORY}]]></g:product_type><g:image_link>images/1.png</g:image_link>"
    f"<g:brand><![CDATA[{BRAND}]]></g:brand><g:description><![CDATA[{BODY}]]></g:description>"
    f"<g:colour><![CDATA[{COLOUR}]]></g:colour></item></channel></rss>"
)
FEEDS = {
    "feed.csv": ",".join(COLUMNS) + "\n" + ",".join(CELLS) + "\n",
    "feed.tsv": "\t".join(COLUMNS) + "\n" + "\t".join(CELLS) + "\n",
    "feed.jsonl": json.dumps(dict(zip(COLUMNS, CELLS, strict=True))) + "\n",
    "feed.xml": XML,
    "escaped.xml": XML.replace("<![CDATA[", "")
    .replace("]]>", "")
    .replace(TITLE, TITLE.replace("<", "&lt;"))
    .replace(BODY, BODY.replace("&", "&amp;").replace("<", "&lt;")),
    "shopify.csv": SHOPIFY + f"e1,{TITLE},{BODY},{BRAND},{CATEGORY},Colour,{COLOUR},5.00,images/1.png\n",
}


def fields(product):
    description = " ".join(product.description.split())
    return product.title, product.category_path, product.brand, description, product.attributes["colour"]


@pytest.mark.parametrize("name", FEEDS)
def test_every_format(shop, name):
    (product,), rejected = read(write(shop, FEEDS[name], name))
    assert rejected == []
    assert fields(product) == PLAIN


def test_prices_stock_words_and_names_of_pictures(shop):
    (shop / "images" / "a&b.png").write_bytes((shop / "images" / "1.png").read_bytes())
    row = "7,Mug,images/a&amp;b.png,&euro;&nbsp;12.90,out&nbsp;of&#32;stock\n"
    (product,), rejected = read(write(shop, "id,title,image,price,availability\n" + row))
    assert rejected == []
    assert (str(product.price), product.currency, product.in_stock) == ("12.90", "EUR", False)
    assert names(product) == ["a&b.png"]


def test_a_title_of_nothing_but_a_space_is_none(shop):
    products, (rejected,) = read(write(shop, "id,title,image\n7,&nbsp;,images/1.png\n"))
    assert (products, rejected.reason) == ([], "no title")
