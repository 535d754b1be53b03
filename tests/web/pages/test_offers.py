"""What a product costs and where it is sold, on cards and on its page; and which of its facts shoppers see."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest
from flask import render_template_string

from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from tests.web.shop_fixtures import WRITER
from web.engine import holder_of
from web.i18n.language import facts_of

MUG = Product(
    "m",
    "Red mug",
    (),
    "Tableware > Mugs",
    Decimal("9.73"),
    "EUR",
    link="https://shop.example/p?id=1&from=ws",
    list_price=Decimal("13.90"),
)
CARD = '{% from "cards.html" import card with context %}{{ card(product, none) }}'
PRICE = re.compile(r'<p class="price">(.*?)</p>', re.DOTALL)


def shown(app, product, lang="en"):
    """A product's card, and its page after somebody put it into the catalogue."""
    with app.test_request_context(f"/?lang={lang}"):
        card = render_template_string(CARD, product=product)
    catalogue = Catalogue.open(ShopHome(app_home(app)).catalogue)
    catalogue.put([product])
    page = app.test_client().get(f"/products/{product.id}?lang={lang}").text
    catalogue.remove([product.id])
    catalogue.close()
    return card, page


def app_home(app):
    return holder_of(app).engine().home


def words(markup):
    return " ".join(unescape(re.sub("<[^>]+>", " ", markup)).split())


@pytest.mark.parametrize(
    ("lang", "price"), [("en", "Now €9.73 Before €13.90 −30%"), ("zh", "现价 €9.73 划线价 €13.90 -30%")]
)
def test_a_sale_shows_both_prices_and_the_discount(app, lang, price):
    for markup in shown(app, MUG, lang):
        (line,) = PRICE.findall(markup)[:1]
        assert words(line) == price
        assert re.search(r"<s>.*€13\.90</s>", line, re.DOTALL)


@pytest.mark.parametrize(
    ("price", "list_price"), [("9.73", None), ("9.73", "9.73"), ("9.73", "5"), ("0", "13.90"), (None, "13.90")]
)
def test_what_is_not_reduced_shows_one_price(app, price, list_price):
    amounts = {"price": price and Decimal(price), "list_price": list_price and Decimal(list_price)}
    for markup in shown(app, replace(MUG, **amounts)):
        assert "<s>" not in markup and 'class="discount"' not in markup
        assert [words(line) for line in PRICE.findall(markup)[:1]] == ([f"€{Decimal(price):.2f}"] if price else [])


def test_a_discount_below_one_percent_is_no_badge(app):
    card, _ = shown(app, replace(MUG, price=Decimal("13.89")))
    assert "€13.90" in card and 'class="discount"' not in card


@pytest.mark.parametrize(("lang", "label"), [("en", "View in shop"), ("zh", "前往店铺购买")])
def test_card_and_page_lead_to_the_shop(app, lang, label):
    for markup in shown(app, MUG, lang):
        (link,) = re.findall(r'<a class="[^"]+" href="https://shop[^>]+>.*?</a>', markup, re.DOTALL)
        assert 'href="https://shop.example/p?id=1&amp;from=ws" rel="noopener nofollow"' in link
        assert words(link) == f"{label} : Red mug"


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "https://a:b@shop.example/", "/elsewhere", 'https://a.example/"\n><b>'],
)
def test_an_address_that_was_stored_unchecked_is_no_link(app, address):
    for markup in shown(app, replace(MUG, link=address)):
        assert "View in shop" not in markup
        assert f'="{address}' not in unescape(markup)


FACTS = {
    **{"colour": "red", "gtin": "4006381333931", "mpn": "A-7", "condition": "new", "shipping": "DE:::4.90 EUR"},
    **{"custom_label_0": "bestseller", "google_product_category": "1604", "item_group_id": "mugs", "group": "mug-1"},
    **{"size": "300 ml", "manual": "https://shop.example/manual.pdf", "Identifier exists": "no", "sku": "M-1"},
}


def test_facts_for_programs_are_hidden_unless_the_shop_shows_them(app, monkeypatch):
    product = replace(MUG, attributes=FACTS)
    with app.test_request_context("/?lang=en"):
        assert facts_of(product) == [("Colour", "red"), ("Size", "300 ml")]
        assert ("Condition", "used") in facts_of(replace(product, attributes={"condition": "used"}))
        monkeypatch.setitem(app.config, "SHOWN_ATTRIBUTES", frozenset({"gtin", "condition"}))
        assert facts_of(product)[1:3] == [("Gtin", "4006381333931"), ("Condition", "new")]


def test_offers_and_no_technical_attributes_are_facets(client):
    sale = {"price": "5 EUR", "list_price": "10 EUR", "attributes": {"colour": "Red", "condition": "new"}}
    path = "/api/v1/products/red"
    before = client.get(path).json
    assert client.put(path, json=sale, headers=WRITER).status_code == 200
    try:
        listing = client.get("/?filter={}&lang=en").text
        asked = {"filter": {"on_sale": True}, "facets": True}
        answer = client.post("/api/v1/search", json=asked).json
        assert [hit["id"] for hit in answer["hits"]] == ["red"] and answer["total"] == 1
        assert "Condition" not in listing
        (choice,) = re.findall(r'data-key="on_sale=[^>]*>(.*?)</button>', listing)
        assert words(choice) == "On sale 1"
        narrowed = client.get("/", query_string={"filter": json.dumps({"on_sale": True}), "lang": "en"}).text
        assert "Red jumper" in narrowed and "Green jumper" not in narrowed and "Offers: On sale" in narrowed
    finally:
        back = {name: before[name] for name in ("price", "attributes")} | {"list_price": None}
        assert client.put(path, json=back, headers=WRITER).status_code == 200
