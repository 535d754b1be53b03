"""Amounts of money in the page's language: "€12.90", "US$12.90" in Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency, get_currency_symbol

from web.i18n.language import language, t
from web.i18n.messages import CHINESE, ENGLISH

LOCALES = {ENGLISH: "en", CHINESE: "zh_Hans_CN"}
WHOLE = "¤#,##0"  # a pattern of Unicode's locale data, without decimals
_LETTERS_BEFORE_NUMBER = re.compile(r"(?<=[A-Za-z])(?=\d)")


def money(amount: Decimal | float, currency: str, *, rounds: bool = False) -> str:
    """Return an amount for people; a whole one has no decimals with `rounds`. Without a currency it is a number."""
    whole = rounds and amount == int(amount)
    if not currency:
        return f"{amount:,.0f}" if whole else f"{amount:,.2f}" if isinstance(amount, float) else f"{amount:,f}"
    locale = LOCALES[language()]
    if whole:
        text = format_currency(amount, currency, WHOLE, locale=locale, currency_digits=False)
    else:
        text = format_currency(amount, currency, locale=locale, decimal_quantization=isinstance(amount, float))
    return _LETTERS_BEFORE_NUMBER.sub("\N{NO-BREAK SPACE}", text)


def currency_symbol(currency: str) -> str:
    """Return what stands before amounts of a currency: "€"; "" without one."""
    return get_currency_symbol(currency, LOCALES[language()]) if currency else ""


def range_label(bounds: Mapping[str, Any], currency: str = "") -> str:
    """Return a range of prices: "€20 to €25", "up to €20"."""
    least, most = (
        None if bound is None else money(float(bound), currency, rounds=True)
        for bound in (bounds.get("min"), bounds.get("max"))
    )
    if most is None:
        return t("price_any") if least is None else t("price_at_least", least=least)
    return t("price_up_to", most=most) if least is None else t("price_between", least=least, most=most)
