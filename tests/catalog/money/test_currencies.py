"""Amounts as exact texts."""

from decimal import Decimal

import pytest

from catalog.money.currencies import decimal_text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("12.9", "EUR", "12.90"),
        ("12.900", "EUR", "12.90"),
        ("0.0125", "EUR", "0.0125"),
        ("500.00", "JPY", "500"),
        ("1.25", "KWD", "1.250"),
        ("1E+3", "EUR", "1000.00"),
        ("7", "", "7.00"),
    ],
)
def test_a_text_has_the_decimals_of_the_currency(amount, currency, text):
    assert decimal_text(Decimal(amount), currency) == text
