"""Amounts of money in the page's language: "€12.90", in German "12,90 €"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.numbers import format_currency, format_decimal, get_currency_symbol

from catalog.money.amounts import USUAL_DECIMALS
from web.i18n.language import language, t
from web.i18n.languages import LOCALES

DECIMALS = ".00"  # in a pattern of Unicode's locale data
_LETTERS_BEFORE_NUMBER = re.compile(r"(?<=[A-Za-z])(?=\d)")


def money(amount: Decimal | float, currency: str, *, rounds: bool = False) -> str:
    """Return an amount for people; a whole one has no decimals with `rounds`. Without a currency it is a number."""
    whole = rounds and amount == int(amount)
    locale = LOCALES[language()]
    if not currency:
        return _plain(amount, whole, locale)
    if whole:
        pattern = Locale.parse(locale).currency_formats["standard"].pattern.replace(DECIMALS, "")
        text = format_currency(amount, currency, pattern, locale=locale, currency_digits=False)
    else:
        text = format_currency(amount, currency, locale=locale, decimal_quantization=isinstance(amount, float))
    return _LETTERS_BEFORE_NUMBER.sub("\N{NO-BREAK SPACE}", text)


def amount_to_type(amount: Decimal | float, decimals: int = USUAL_DECIMALS) -> str:
    """Return an amount as somebody types it, without separators of thousands: "1299.50", in German "1299,50"."""
    pattern = "0" if amount == int(amount) else f"0.{'0' * decimals}"
    return format_decimal(amount, pattern, locale=LOCALES[language()])


def currency_symbol(currency: str) -> str:
    """Return what stands beside amounts of a currency: "€"; "" without one."""
    return get_currency_symbol(currency, LOCALES[language()]) if currency else ""


def _plain(amount: Decimal | float, whole: bool, locale: str) -> str:
    decimals = 0 if whole else 2 if isinstance(amount, float) else max(0, -int(amount.as_tuple().exponent))
    return format_decimal(amount, f"#,##0{'.' if decimals else ''}{'0' * decimals}", locale=locale)


def range_label(bounds: Mapping[str, Any], currency: str = "") -> str:
    """Return a range of prices: "€20 to €25", "up to €20"."""
    least, most = (
        None if bound is None else money(float(bound), currency, rounds=True)
        for bound in (bounds.get("min"), bounds.get("max"))
    )
    if most is None:
        return t("price_any") if least is None else t("price_at_least", least=least)
    return t("price_up_to", most=most) if least is None else t("price_between", least=least, most=most)
