"""Amounts stand as shops write them, in the page's language."""

from decimal import Decimal

import pytest
from flask import Flask

from web.i18n.money import currency_symbol, money, range_label


@pytest.fixture
def speak():
    return lambda language: Flask("web").test_request_context(f"/?lang={language}")


@pytest.mark.parametrize(
    ("amount", "currency", "english", "chinese"),
    [
        ("13.90", "EUR", "€13.90", "€13.90"),
        ("1299", "JPY", "¥1,299", "JP¥1,299"),
        ("1234.50", "CNY", "CN¥1,234.50", "¥1,234.50"),
        ("12.00", "USD", "$12.00", "US$12.00"),
        ("0.125", "KWD", "KWD\u00a00.125", "KWD\u00a00.125"),
        ("19.999", "EUR", "€19.999", "€19.999"),
        ("12.9", "", "12.9", "12.9"),
    ],
)
def test_an_amount_is_written_as_shops_write_it(speak, amount, currency, english, chinese):
    for language, expected in (("en", english), ("zh", chinese)):
        with speak(language):
            assert money(Decimal(amount), currency) == expected


def test_a_range_has_its_currency_once_an_amount(speak):
    with speak("en"):
        assert range_label({"min": 20, "max": 25.5}, "EUR") == "€20 to €25.50"
        assert range_label({"max": 20}, "SEK") == "up to SEK\u00a020"
        assert range_label({"min": 1299}) == "from 1,299"
        assert (currency_symbol("EUR"), currency_symbol("")) == ("€", "")
    with speak("zh"):
        assert range_label({"min": 20, "max": 25.5}, "USD") == "US$20–US$25.50"
