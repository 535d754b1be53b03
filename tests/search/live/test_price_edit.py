"""The price of a product edit, as JSON or a form holds it: the same spellings as in feeds."""

from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.errors import BadQuery, BadRow
from catalog.product import Picture, Product
from search.live.product_edit import edit_of

EURO = Product("a", "Mug", (Picture("a.jpg"),), price=Decimal("5"), currency="EUR")
DINAR = Product("a", "Mug", (Picture("a.jpg"),), price=Decimal("5"), currency="KWD")


def edited(existing, **values):
    after = edit_of("a", values).applied(existing, None)
    return str(after.price), after.currency


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("1.299 €", ("1299", "EUR")),
        ("1.299", ("1299", "EUR")),
        ("1,299", ("1299", "EUR")),
        ("1.299,00", ("1299.00", "EUR")),
        ("CHF 1’299.–", ("1299", "CHF")),
        ("ab 12,90", ("12.90", "EUR")),
        ("N/A", ("None", "EUR")),
        (1.299, ("1.30", "EUR")),
        (19.990000000000002, ("19.99", "EUR")),
        (1e3, ("1000.0", "EUR")),
        (1299, ("1299", "EUR")),
        (12, ("12", "EUR")),
    ],
)
def test_a_price_is_read_as_in_a_feed_in_the_products_currency(price, expected):
    assert edited(EURO, price=price) == expected


def test_thousandths_stay_where_the_currency_has_them():
    assert edited(DINAR, price="1.299") == ("1.299", "KWD")
    assert edited(DINAR, price=1.299) == ("1.299", "KWD")
    assert edited(EURO, price="1.299", currency="KWD") == ("1.299", "KWD")
    assert edited(EURO, price=1.299, currency="KWD") == ("1.299", "KWD")


def test_a_sign_of_the_products_currency_needs_no_code():
    crowns = Product("a", "Mug", (Picture("a.jpg"),), currency="SEK")
    assert edited(crowns, price="1.299 kr") == ("1299", "SEK")
    with pytest.raises(BadRow, match="EUR"):
        edited(EURO, price="129 kr")


ON_SALE = Product("p", "mug", (Picture("/p.png"),), price=Decimal("9.73"), currency="EUR", list_price=Decimal("13.90"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"title": "red mug"}, ("9.73", "13.90")),
        ({"price": "11"}, ("11", "13.90")),
        ({"price": "13.90"}, ("13.90", None)),
        ({"price": 0}, ("0", None)),
        ({"price": None}, (None, None)),
        ({"list_price": "20,50 €"}, ("9.73", "20.50")),
        ({"list_price": 9}, ("9.73", None)),
        ({"list_price": None}, ("9.73", None)),
        ({"list_price": ""}, ("9.73", None)),
        ({"price": 5, "list_price": 6.5}, ("5", "6.5")),
    ],
)
def test_a_list_price_is_above_the_price_or_none(values, expected):
    edited = edit_of("p", values).applied(ON_SALE, None)
    amounts = (edited.price, edited.list_price)
    assert tuple(None if amount is None else f"{amount:f}" for amount in amounts) == pytest.approx(expected)


def test_a_list_price_in_another_currency_is_refused():
    with pytest.raises(BadRow, match="EUR"):
        edit_of("p", {"list_price": "20 USD"}).applied(ON_SALE, None)
    with pytest.raises(BadRow, match="bad price"):
        edit_of("p", {"list_price": "twenty"})


def test_a_link_is_a_web_address_or_refused():
    assert edit_of("p", {"link": "https://shop.example/red mug"}).fields["link"] == "https://shop.example/red%20mug"
    assert edit_of("p", {"link": ""}).applied(ON_SALE, None).link == ""
    for link in ("javascript:alert(1)", "/p/mug", "https://a:b@shop.example/"):
        with pytest.raises(BadQuery, match="link is"):
            edit_of("p", {"link": link})


def test_an_edit_keeps_link_and_group_that_it_does_not_name():
    before = replace(ON_SALE, link="https://shop.example/p", item_group_id="mugs")
    after = edit_of("p", {"title": "cup"}).applied(before, None)
    assert (after.link, after.item_group_id, after.list_price) == (before.link, "mugs", before.list_price)
    assert edit_of("p", {"item_group_id": " a\nb "}).applied(before, None).item_group_id == "a b"
