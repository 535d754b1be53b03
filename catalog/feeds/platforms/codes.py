"""Parse the codes of exports: yes and no, and quantities."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

_QUANTITY = re.compile(r"([+\-\u2212]?)\s*([0-9][0-9.,'\u2019 \u00a0\u202f]{0,24})")


def parse_flag(text: str) -> bool | None:
    """Tell whether a cell says yes: 1, TRUE, or what a spreadsheet of another language makes of it; None if neither."""
    return _flags().get(text.strip().casefold())


def quantity_sign(text: str) -> int | None:
    """Return 1, 0 or -1 for a quantity above, at or below nothing; None when it is no number.

    Only the sign matters, so that "1.000" needs no decision on its separator.
    """
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        return None
    if not re.search("[1-9]", found[2]):
        return 0
    return -1 if found[1] in ("-", "\u2212") else 1


@cache
def _flags() -> dict[str, bool]:
    flags: dict[str, bool] = {}
    with Path(__file__).with_name("flags.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            flags.setdefault(row["true"].casefold(), True)
            flags.setdefault(row["false"].casefold(), False)
    return flags
