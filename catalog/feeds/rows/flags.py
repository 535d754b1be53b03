"""Tell yes from no: 1, TRUE, and what spreadsheets, programs and people of other languages write instead."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path


def parse_flag(text: str) -> bool | None:
    """Tell whether a cell says yes: 1, TRUE, or what a spreadsheet of another language makes of it; None if neither."""
    return _flags().get(text.strip().casefold())


@cache
def flag_words() -> dict[bool, tuple[str, ...]]:
    """Return the words of `flags.csv` that say yes, and those that say no."""
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {says: tuple(word for row in rows for word in row[str(says).lower()].split("|")) for says in (True, False)}


@cache
def _flags() -> dict[str, bool]:
    return {word.casefold(): says for says, words in flag_words().items() for word in words}
