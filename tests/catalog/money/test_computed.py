"""Computed amounts as money."""

from decimal import Decimal

import numpy as np
import pytest

from catalog.money.computed import computed_amount


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (12.3456, "EUR", "12.35"),
        (1480.4, "JPY", "1480"),
        (1.2504, "KWD", "1.250"),
        (0.01251, "EUR", "0.0125"),
        (12_345_678.4, "VND", "12345678"),
        (123_456.785, "USD", "123456.79"),
        (5.0, "", "5.00"),
    ],
)
def test_it_has_the_decimals_of_its_currency(value, currency, text):
    assert str(computed_amount(value, currency)) == text


def test_a_float_of_a_known_amount_is_that_amount():
    known = Decimal("123456.78")
    assert computed_amount(float(np.float32(123456.78)), "USD", [Decimal("123456.70"), known]) == known
    assert str(computed_amount(float(np.float32(0.0135)), "EUR", [Decimal("0.0135")])) == "0.0135"
    assert str(computed_amount(123456.5, "USD", [known])) == "123456.50"
