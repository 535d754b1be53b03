"""Write the numbers of a raw text with plain characters, before normal forms would glue or split them.

Compatibility normalisation turns "1½" into "11⁄2", and the blank of "1 000" into the space between two numbers. Whole
numbers in Chinese numerals are read too: "两百五十" is 250, and "四件套" a set of 4.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

NUMERALS = "零〇一二两兩三四五六七八九十百千万萬"
MULTIPLIERS = {"万": 10_000, "萬": 10_000, "千": 1_000, "百": 100}  # also behind digits: 1.5万
_DIGITS = dict(zip("零〇一二两兩三四五六七八九", (0, 0, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_UNITS = {"十": 10, "百": 100, "千": 1_000}
# A number, not a name or an article, only before these: 一 is "a" before what is counted, and 三角 is a triangle.
_MEASURED = "毫?米|[厘公分]米|公分|英?[寸吋尺呎]|毫?升|公升|[千毫]?克|公?斤|磅|盎司|千?瓦|伏"
_COUNTED = "件|人|片|层|抽|斗|口|只装|支装"
_CHINESE = re.compile(
    rf"[一二两三四五六七八九十][{NUMERALS}]*(?=(?:{_MEASURED})(?![色白黄拉级降]))"
    rf"|(?:[二两三四五六七八九十][{NUMERALS}]*|一[十百千][{NUMERALS}]*)(?=(?:{_COUNTED}))"
)
_SLASH = "\u2044"  # in the compatibility form of every vulgar fraction
_CHARACTERS = map(chr, (*range(0xBC, 0xBF), *range(0x2150, 0x215F)))
_FRACTIONS = {fraction: unicodedata.normalize("NFKC", fraction).replace(_SLASH, "/") for fraction in _CHARACTERS}
_FRACTION = re.compile(f"(?:(\\d)\\s?)?([{''.join(_FRACTIONS)}])")
_SLASHES = re.compile(r"(?<=\d)[\u2044\u2215](?=\d)")
_GROUPING = re.compile(r"(?<=\d)[\u00a0\u2007\u2009\u202f\u2019\u02bc\uff07](?=\d{3}(?!\d))")
_DIAMETER = re.compile(r"[\u00d8\u00f8\u2300\u2205](?=\s?\d)")


def plain_numerals(text: str) -> str:
    """Return `text` with "1½" as "1 1/2", without the signs that group digits, and "Ø20" as "20"."""
    text = _DIAMETER.sub(" ", _GROUPING.sub("", text))
    return _SLASHES.sub("/", _FRACTION.sub(_with_slash, text))


def _with_slash(match: re.Match[str]) -> str:
    whole, fraction = match.groups()
    return f"{whole} {_FRACTIONS[fraction]}" if whole else _FRACTIONS[fraction]


def digits_for_chinese(text: str) -> str:
    """Return a folded text with digits for Chinese numerals before a unit or what is counted: "二十寸" -> "20寸"."""
    return _CHINESE.sub(lambda match: str(read_numerals(match[0])), text)


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
