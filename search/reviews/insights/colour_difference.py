"""Whether a clause says that a colour is another one than the listing shows, by lists of words."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from catalog.text.scripts import unspaced

_TABLE = Path(__file__).with_name("colour_differences.csv")


def says_difference(clause: str) -> bool:
    """Tell whether a clause compares a colour with a picture or with what was expected; "it is boring" does not."""
    return bool(_pattern().search(clause))


@cache
def _pattern() -> re.Pattern[str]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        words = [word for row in csv.DictReader(file) for word in row["words"].split("|")]
    # Chinese has no spaces between words.
    parts = (re.escape(word) if unspaced(word) else rf"\b{re.escape(word)}\b" for word in words)
    return re.compile("|".join(parts), re.IGNORECASE)
