"""Amounts of money on the pages: the texts of prices and of ranges of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.i18n.language import t


def amount(value: float, separator: str = ",") -> str:
    """Return an amount for people, without an empty fraction: "1,250", "12.90"."""
    return f"{value:{separator}.2f}".removesuffix(".00")


def range_label(bounds: Mapping[str, Any], currency: str = "") -> str:
    """Return a range of prices in the page's language: "20 to 25 EUR"."""
    least, most = bounds.get("min"), bounds.get("max")
    if most is None:
        if least is None:
            return t("price_any")
        label = t("price_at_least", least=amount(least))
    elif least is None:
        label = t("price_up_to", most=amount(most))
    else:
        label = t("price_between", least=amount(least), most=amount(most))
    return t("price_in", price=label, currency=currency) if currency else label
