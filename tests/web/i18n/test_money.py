"""Amounts and dates stand as shops write them, in the page's language."""

from decimal import Decimal

import pytest
from flask import Flask

from web.i18n.dates import date_text
from web.i18n.money import amount_to_type, currency_symbol, money, range_label


@pytest.fixture
def speak():
    return lambda language: Flask("web").test_request_context(f"/?lang={language}")


@pytest.mark.parametrize(
    ("amount", "currency", "english", "chinese", "german", "french"),
    [
        ("13.90", "EUR", "€13.90", "€13.90", "13,90\u00a0€", "13,90\u00a0€"),
        ("1299", "JPY", "¥1,299", "JP¥1,299", "1.299\u00a0¥", "1\u202f299\u00a0JPY"),
        ("1234.50", "CNY", "CN¥1,234.50", "¥1,234.50", "1.234,50\u00a0CN¥", "1\u202f234,50\u00a0CNY"),
        ("12.00", "USD", "$12.00", "US$12.00", "12,00\u00a0$", "12,00\u00a0$US"),
        ("0.125", "KWD", "KWD\u00a00.125", "KWD\u00a00.125", "0,125\u00a0KWD", "0,125\u00a0KWD"),
        ("19.999", "EUR", "€19.999", "€19.999", "19,999\u00a0€", "19,999\u00a0€"),
        ("12.9", "", "12.9", "12.9", "12,9", "12,9"),
        ("1299", "", "1,299", "1,299", "1.299", "1\u202f299"),
    ],
)
def test_an_amount_is_written_as_shops_write_it(speak, amount, currency, english, chinese, german, french):
    for language, expected in (("en", english), ("zh", chinese), ("de", german), ("fr", french)):
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
    with speak("de"):
        assert range_label({"min": 20, "max": 25.5}, "EUR") == "20\u00a0€ bis 25,50\u00a0€"
        assert (amount_to_type(1299.5), amount_to_type(1299.0)) == ("1299,50", "1299")
    with speak("es"):
        assert range_label({"max": 1299}, "EUR") == "hasta 1.299\u00a0€"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (
            1_796_083_200,
            ("1 December 2026", "2026年12月1日", "1. Dezember 2026", "1er décembre 2026", "1 de diciembre de 2026"),
        ),
        (
            1_796_947_200,
            ("11 December 2026", "2026年12月11日", "11. Dezember 2026", "11 décembre 2026", "11 de diciembre de 2026"),
        ),
    ],
)
def test_a_date_is_written_as_each_language_does(speak, seconds, expected):
    for language, text in zip(("en", "zh", "de", "fr", "es"), expected, strict=True):
        with speak(language):
            assert date_text(seconds) == text
