"""Read whole numbers in Chinese numerals: "两百五十", "一万二千"."""

from __future__ import annotations

from decimal import Decimal

NUMERALS = "零〇一二两兩三四五六七八九十百千万萬"
MULTIPLIERS = {"万": 10_000, "萬": 10_000, "千": 1_000, "百": 100}  # also behind digits: 1.5万
_DIGITS = dict(zip("零〇一二两兩三四五六七八九", (0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_UNITS = {"十": 10, "百": 100, "千": 1_000}


def read_numerals(text: str) -> Decimal | None:
    """Read a number in Chinese numerals; None when another character is among them."""
    total = section = digit = 0
    for numeral in text:
        if numeral in _DIGITS:
            digit = _DIGITS[numeral]
        elif numeral in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[numeral], 0
        elif numeral in MULTIPLIERS:
            total, section, digit = total + (section + digit or 1) * MULTIPLIERS[numeral], 0, 0
        else:
            return None
    return Decimal(total + section + digit)
