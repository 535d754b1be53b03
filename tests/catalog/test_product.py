"""What is on sale, and how much less it costs: never more than is true."""

from decimal import Decimal

import pytest

from catalog.product import Product


@pytest.mark.parametrize(
    ("price", "list_price", "discount"),
    [
        ("9.73", "13.90", 30),
        ("9.74", "13.90", 29),  # 29.93 %
        ("6.67", "10", 33),
        ("9.95", "10", 0),  # on sale, but by less than one percent
        ("0.01", "100", 99),
    ],
)
def test_a_discount_is_rounded_down(price, list_price, discount):
    product = Product("a", "a", (), price=Decimal(price), list_price=Decimal(list_price))
    assert (product.on_sale, product.discount) == (True, discount)


@pytest.mark.parametrize(
    ("price", "list_price"),
    [("10", None), (None, "10"), (None, None), ("0", "10"), ("10", "10"), ("10.01", "10"), ("-1", "10"), ("5", "0")],
)
def test_without_a_lower_price_there_is_no_sale(price, list_price):
    amounts = {"price": price and Decimal(price), "list_price": list_price and Decimal(list_price)}
    product = Product("a", "a", (), **amounts)
    assert (product.on_sale, product.discount) == (False, 0)
