"""Small helpers for strings: an order as people count, and characters that no encoding accepts."""

from __future__ import annotations

import re

SURROGATES = re.compile("[\ud800-\udfff]")  # lone ones: JSON allows them, but UTF-8 does not
MAX_DIGITS = 300  # digits of a number that count for the order; int() has a limit
_DIGITS = re.compile("([0-9]+)")


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Return a sort key that puts photo2 before photo10: text and numbers in turn, in any case, then the name."""
    pieces = _DIGITS.split(name.lower())
    return [int(piece[:MAX_DIGITS]) if place % 2 else piece for place, piece in enumerate(pieces)], name
