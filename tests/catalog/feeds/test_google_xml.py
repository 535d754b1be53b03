"""A feed for Google Merchant Center as XML: every item becomes its product, or says why it cannot."""

import codecs
from decimal import Decimal

import pytest

from catalog.errors import BadFeed
from catalog.feeds import google_xml
from catalog.feeds.reader import read_feed
from catalog.product import Product, Rejected
from tests.catalog.feed_writer import GOOGLE, item, names, read, read_until_broken, rss, write

FULL = """<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:g="http://base.google.com/ns/1.0" xmlns:c="http://base.google.com/cns/1.0" version="2.0">
<channel>
<title>The shop</title><link>https://shop.example</link><description>All we have</description>
<item>
<g:id>7</g:id>
<title>Plain shirt</title>
<g:title> Blue  shirt &amp; 衬衫 </g:title>
<link>https://shop.example/7</link>
<g:description><![CDATA[Soft <b>cotton</b>.]]></g:description>
<g:image_link>images/1.png</g:image_link>
<g:additional_image_link>images/2.png</g:additional_image_link>
<g:additional_image_link>images/3.png</g:additional_image_link>
<category>News</category>
<g:google_product_category>1604</g:google_product_category>
<g:product_type>Apparel &gt; Tops &gt; Shirts</g:product_type>
<g:product_type>New</g:product_type>
<g:availability>out_of_stock</g:availability>
<g:price>12.90 EUR</g:price>
<g:brand>Acme</g:brand><g:gtin>4006381333931</g:gtin><g:mpn>A-7</g:mpn><g:item_group_id>70</g:item_group_id>
<g:color>Navy</g:color><g:size>M</g:size><g:material>cotton</g:material>
<g:shipping><g:country>US</g:country><g:service>Standard</g:service><g:price>6.49 USD</g:price></g:shipping>
<g:product_detail>
  <g:section_name>General</g:section_name>
  <g:attribute_name>Sleeve Length</g:attribute_name>
  <g:attribute_value>long</g:attribute_value>
</g:product_detail>
<c:season type="string">summer</c:season>
<pubDate>Mon, 01 Jan 2024 00:00:00 GMT</pubDate>
</item>
</channel></rss>
"""


def test_an_item_with_everything(shop):
    (product,), rejected = read(write(shop, FULL, "feed.xml"))
    assert not rejected
    assert (product.id, product.title, product.brand) == ("7", "Blue shirt & 衬衫", "Acme")
    assert names(product) == ["1.png", "2.png", "3.png"]
    assert (product.price, product.currency, product.in_stock) == (Decimal("12.90"), "EUR", False)
    assert product.category == "Apparel > Tops > Shirts"
    assert product.description == "Soft cotton."
    assert product.origin == "feed.xml:5"
    assert (product.link, product.item_group_id) == ("https://shop.example/7", "70")
    assert dict(product.attributes) == {
        "google_product_category": "1604",
        "gtin": "4006381333931",
        "mpn": "A-7",
        "color": "Navy",
        "size": "M",
        "material": "cotton",
        "shipping": "US:Standard:6.49 USD",
        "sleeve_length": "long",
        "season": "summer",
    }


@pytest.mark.parametrize("namespace", ["http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"])
def test_atom(shop, namespace):
    feed = f"""<feed xmlns="{namespace}" {GOOGLE}><title>Shop</title><id>tag:shop.example</id>
<entry><g:id>7</g:id><title>Shirt</title><link rel="alternate" href="https://shop.example/7"/>
<summary>Soft.</summary><updated>2024-01-01T00:00:00Z</updated><author><name>Anna</name></author>
<g:image_link>images/1.png</g:image_link><g:price>5 EUR</g:price></entry>
<entry><id>tag:shop.example,8</id><title type="xhtml">
<div xmlns="http://www.w3.org/1999/xhtml">Red <b>hat</b> here</div>
</title><g:image_link>images/2.png</g:image_link></entry></feed>"""
    (first, second), rejected = read(write(shop, feed, "feed.xml"))
    assert not rejected
    assert (first.id, first.title, first.description, str(first.price)) == ("7", "Shirt", "Soft.", "5")
    assert (first.link, dict(first.attributes)) == ("https://shop.example/7", {})
    assert (second.id, second.title, second.origin) == ("tag:shop.example,8", "Red hat here", "feed.xml:5")


def test_rss_1_and_another_prefix(shop):
    feed = """<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:goods="http://base.google.com/ns/1.0"><channel><title>Shop</title></channel>
<item><title>Hat</title><goods:id>1</goods:id><goods:image_link>images/1.png</goods:image_link></item></r:RDF>"""
    (product,), rejected = read(write(shop, feed, "feed.xml"))
    assert (product.id, product.title, rejected) == ("1", "Hat", [])


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("<g:price>20 EUR</g:price><g:sale_price>15 EUR</g:sale_price>", ("15", Decimal(20))),
        ("<g:price>20 EUR</g:price><g:sale_price>25 EUR</g:sale_price>", ("20", None)),
        ("<g:sale_price>15 EUR</g:sale_price>", ("15", None)),
    ],
)
def test_sale_price(shop, more, expected):
    (product,), _ = read(write(shop, rss(item(more=more)), "feed.xml"))
    assert (str(product.price), product.list_price) == expected
    assert not {"sale_price", "list_price"} & set(product.attributes)


@pytest.mark.parametrize(
    ("mark", "encoding", "declared"),
    [
        (b"", "utf-8", ""),
        (codecs.BOM_UTF8, "utf-8", "UTF-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", ""),
        (b"", "utf-16-le", "UTF-16"),
        (b"", "iso-8859-1", "ISO-8859-1"),
        (b"", "cp1252", "windows-1252"),
    ],
)
def test_encodings(shop, mark, encoding, declared):
    start = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    feed = rss(item(title="Blå hatt"), start=start)
    (product,), _ = read(write(shop, mark + feed.encode(encoding), "feed.xml"))
    assert product.title == "Blå hatt"


BAD_ITEMS = {
    "no id": item(product_id=" "),
    "no title": item(title=""),
    "no picture": item(image=""),
    "picture 'gone.png' does not exist": item(image="gone.png"),
    "bad price 'NaN'": item(more="<g:price>NaN</g:price>"),
    "the price is in EUR and the sale_price in USD": item(
        more="<g:price>2 EUR</g:price><g:sale_price>1 USD</g:sale_price>"
    ),
    "bad sale_price_effective_date 'today'": item(
        more="<g:sale_price>1 EUR</g:sale_price><g:sale_price_effective_date>today</g:sale_price_effective_date>"
    ),
    "g:id is given 2 times": item(more="<g:id>8</g:id>"),
    "color is longer than": item(more=f"<g:color>{'x' * (2**20 + 1)}</g:color>"),
    "the item is longer than": item(more="<g:color>" + f"{'x' * 2**19}</g:color><g:color>" * 9 + "</g:color>"),
    "the item has more than 5,000 elements": item(more="<g:color>x</g:color>" * 5001),
    "fetching is off; download the pictures": item(image="https://shop.example/1.png"),
    "the id 'a\\u2028b' holds line breaks": item(product_id="a\u2028b"),
    "the title is longer than": item(title="x" * 2001),
}


@pytest.mark.parametrize("reason", BAD_ITEMS)
def test_a_bad_item_says_why_and_the_next_is_read(shop, reason):
    feed = rss("", item("first"), BAD_ITEMS[reason], item("last"))
    products, (rejected,) = read(write(shop, feed, "feed.xml"))
    assert [product.id for product in products] == ["first", "last"]
    assert (rejected.source, rejected.line) == ("feed.xml", 4)
    assert reason in rejected.reason


def test_a_duplicate_id_names_the_first(shop):
    _, (rejected,) = read(write(shop, rss(item(), item()), "feed.xml"))
    assert (rejected.line, rejected.reason) == (3, "duplicate id 'good': line 2 has it too")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        ("<html><body/></html>", "first element is <html>"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "first element is <svg>"),
        ("<rss><channel>", "not well-formed XML: no element found, line 1"),
        ("<rss><item><g:id>1</g:id></item></rss>", "unbound prefix.*Declare the prefix"),
        (rss("<item>&nbsp;</item>"), "undefined entity.*write other characters as they are"),
        ("id,title,image\n1,Hat,a.png\n", "not well-formed XML"),
        ("PK\x03\x04", "Excel"),
    ],
)
def test_a_feed_that_cannot_be_read_at_all(shop, content, reason):
    with pytest.raises(BadFeed, match=reason) as caught:
        read(write(shop, content, "feed.xml"))
    assert caught.value.hint


def test_the_items_before_a_fault_are_read(shop):
    products, _, error = read_until_broken(
        write(shop, rss(item("a"), item("b")).replace("</channel>", "<broken"), "feed.xml")
    )
    assert [product.id for product in products] == ["a", "b"]
    assert "not well-formed XML" in error.message


def test_a_feed_without_items_is_an_empty_shop(shop):
    assert read(write(shop, rss(), "feed.xml")) == ([], [])


def test_items_are_read_as_they_come(shop, monkeypatch):
    """The first product is there when little of the feed has been read."""
    read_so_far = []
    original = google_xml._Items.feed
    monkeypatch.setattr(google_xml._Items, "feed", lambda self, c: (read_so_far.append(len(c)), original(self, c))[1])
    feed = write(shop, rss(*(item(f"p{n}") for n in range(20_000))), "feed.xml")
    assert next(read_feed(feed)).id == "p0"
    assert sum(read_so_far) <= 2**16 < feed.stat().st_size / 20


@pytest.mark.promise("R21")
def test_a_hundred_bad_items_of_a_thousand(shop):
    bad = [text for text in BAD_ITEMS.values() if len(text) < 100_000]
    entries = [item(f"p{number}") for number in range(1000)]
    for place in range(100):
        entries[place * 10 + 3] = bad[place % len(bad)]
    products, rejected = read(write(shop, rss(*entries), "feed.xml"))
    assert [p.id for p in products] == [f"p{number}" for number in range(1000) if number % 10 != 3]
    assert [entry.line for entry in rejected] == [number + 2 for number in range(1000) if number % 10 == 3]
    assert all(isinstance(entry, Rejected) and entry.reason for entry in rejected)
    assert not any(isinstance(entry, Product) for entry in rejected)
