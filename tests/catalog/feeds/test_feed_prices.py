"""Prices of whole feeds: what shops write in them becomes the right amount, and the report tells what was a choice."""

import json

import pytest

from catalog.feeds.reader import read_feed
from catalog.product import Product, Rejected, RowNote
from tests.catalog.feed_writer import write
from tests.catalog.feeds.test_google_xml import item, rss


def prices(shop, content, name="products.csv"):
    """Amount and currency of every product by its id, with the messages of the notes; no row may be rejected."""
    found, notes = {}, []
    for entry in read_feed(write(shop, content, name)):
        assert not isinstance(entry, Rejected), entry
        if isinstance(entry, Product):
            found[entry.id] = (str(entry.price), entry.currency)
        elif isinstance(entry, RowNote):
            notes.append((entry.line, entry.message))
    return found, notes


def table(*cells, columns="price"):
    lines = [f'{place},Mug,images/1.png,"{cell}"' for place, cell in enumerate(cells, 1)]
    return "\n".join([f"id,title,image,{columns}", *lines, ""])


def test_no_common_spelling_of_a_price_loses_its_product(shop):
    cells = {
        "CHF 1'299.–": ("1299", "CHF"),
        "CHF 12.-": ("12", "CHF"),
        "129,-": ("129", ""),
        "1 299,00 zł": ("1299.00", "PLN"),
        "R$ 49,90": ("49.90", "BRL"),
        "$12.90 USD": ("12.90", "USD"),
        "₺129,90": ("129.90", "TRY"),
        "129 ₽": ("129", "RUB"),
        "₩12,000": ("12000", "KRW"),
        "12.90 Euro": ("12.90", "EUR"),
        "ab 12,90 €": ("12.90", "EUR"),
        "12,90 €/Stk.": ("12.90", "EUR"),
        "23.900000": ("23.90", ""),
        "19.990000000000002": ("19.99", ""),
        "1\u2009299,00 EUR": ("1299.00", "EUR"),
        "１２.９０ EUR": ("12.90", "EUR"),
        "N/A": ("None", ""),
    }
    found, notes = prices(shop, table(*cells))
    assert list(found.values()) == list(cells.values())
    assert notes == []


def test_a_point_groups_thousands_where_the_currency_has_no_thousandths(shop):
    found, notes = prices(shop, table("1.299 €", "1.299,00 €", "12,90 €", "2.450 EUR", "1.299 KWD"))
    assert [amount for amount, _ in found.values()] == ["1299", "1299.00", "12.90", "2450", "1.299"]
    assert notes == [(line, "a price of the form 1.299 EUR was read as 1299") for line in (2, 5)]


@pytest.mark.parametrize(("other", "amount"), [("12,90", "1299"), ("12.90", "1.299")])
def test_the_other_prices_of_a_feed_decide_wherever_they_stand(shop, other, amount):
    for cells in (("1.299", other), (other, "1.299"), ("1.299", *["5"] * 300, other)):
        found, notes = prices(shop, table(*cells))
        assert amount in {price for price, _ in found.values()}
        assert [message for _, message in notes] == [f"a price of the form 1.299 was read as {amount}"]


def test_the_currency_column_decides(shop):
    found, _ = prices(
        shop, table("1.299", columns="price").replace("price\n", "price,currency\n").replace('"\n', '",EUR\n')
    )
    assert found == {"1": ("1299", "EUR")}


def test_a_sale_price_of_zero_is_no_sale(shop):
    lines = ["1,Mug,images/1.png,12.90 EUR,0", "2,Cup,images/1.png,12.90 EUR,0.00", "3,Pot,images/1.png,12.90 EUR,"]
    found, _ = prices(shop, "\n".join(["id,title,image,price,sale_price", *lines, ""]))
    assert set(found.values()) == {("12.90", "EUR")}


def test_a_number_of_json_is_never_grouped(shop):
    values = [1.299, 1299, 19.990000000000002, 1.5e3, "1.299 €", "1.299,00"]
    lines = [json.dumps({"id": n, "title": "Mug", "image": "images/1.png", "price": v}) for n, v in enumerate(values)]
    found, _ = prices(shop, "\n".join(lines), "products.jsonl")
    assert [amount for amount, _ in found.values()] == ["1.299", "1299", "19.99", "1500.0", "1299", "1299.00"]
    euro = json.dumps({"id": "e", "title": "Mug", "image": "images/1.png", "price": 1.299, "currency": "EUR"})
    assert prices(shop, euro, "products.jsonl")[0] == {"e": ("1.30", "EUR")}


def test_prices_in_xml_are_read_alike(shop):
    content = rss(item("a", more="<g:price>1.299 €</g:price>"), item("b", more="<g:price>12,90 €</g:price>"))
    assert prices(shop, content, "feed.xml")[0] == {"a": ("1299", "EUR"), "b": ("12.90", "EUR")}
