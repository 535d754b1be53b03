"""Whether a clause says that a product is smaller or larger than expected, by lists of words."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from catalog.text.scripts import unspaced

SMALLER, LARGER = "smaller", "larger"
_TABLE = Path(__file__).with_name("size_directions.csv")
_NAMES = {"small": SMALLER, "large": LARGER}
# "size up" advises a larger size, so the product is small, and "larger than" is about the product itself.
_NEGATION = re.compile(r"\b(?:not|never|isn't|wasn't|aren't|don't|doesn't|didn't|no|nor)\b|[不没]", re.IGNORECASE)
_REACH = 20  # characters before a word within which a negation denies it


def size_direction(clause: str) -> str:
    """Return SMALLER or LARGER, or "" where a clause says neither, or both."""
    hits = {name: pattern.finditer(clause) for name, pattern in _patterns().items()}
    found = {name for name, some in hits.items() if any(_affirmed(clause, hit) for hit in some)}
    return found.pop() if len(found) == 1 else ""


def _affirmed(clause: str, hit: re.Match[str]) -> bool:
    return not _NEGATION.search(clause, max(0, hit.start() - _REACH), hit.start())


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    words: dict[str, list[str]] = {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words.setdefault(_NAMES[row["direction"]], []).extend(row["words"].split("|"))
    return {name: re.compile("|".join(map(_pattern, some)), re.IGNORECASE) for name, some in words.items()}


def _pattern(word: str) -> str:
    """Return a pattern of whole words; Chinese has no spaces between them."""
    return re.escape(word) if unspaced(word) else rf"\b{re.escape(word)}\b"
