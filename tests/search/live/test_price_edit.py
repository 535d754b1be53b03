"""The price of a product edit, as JSON or a form holds it: the same spellings as in feeds."""

from decimal import Decimal

import pytest

from catalog.errors import BadRow
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
