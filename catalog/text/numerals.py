"""Write the numbers of a raw text with plain characters, before normal forms would glue or split them.

Compatibility normalisation turns "1½" into "11⁄2", and the blank of "1 000" into the space between two numbers.
"""

from __future__ import annotations

import re
import unicodedata

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
