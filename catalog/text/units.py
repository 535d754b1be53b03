"""Read the unit behind a number: "cm", "fl. oz", "米"; and the rest of an amount in two units: 5 ft 6 in, 1m50."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from catalog.text.folding import normalise
from catalog.text.scripts import UNSPACED

# What follows a spelling when it is no unit: "3米色" is beige, "10克拉" are carats, "2 in 1" is a kind of thing,
# "12 в упаковке" are 12 in a pack.
_NO_UNIT_BEFORE = {
    "米": re.compile("[色白黄]"),
    "克": re.compile("拉"),
    "升": re.compile("[级降]"),
    "in": re.compile(r"[ -]\d"),
    "\u0432": re.compile(r"[ -]?\d|[ ][^\W_]"),
    "'": re.compile(r"(?![x\u0445] ?\d)[^\W_]"),
}
_ENDS = re.compile(rf"(?![^\W_{UNSPACED}])|(?=[x\u00d7\u0445][ ]?\d)")
_UNSPACED = re.compile(f"[{UNSPACED}]")

# The unit in which the rest of an amount may follow, by the base unit and the factor of the first.
_SMALLER = {
    ("in", 12): ("in", 1),
    ("mm", 1000): ("mm", 10),
    ("g", 1000): ("g", 1),
    ("oz", 16): ("oz", 1),
    ("min", 60): ("min", 1),
}
_REST = re.compile(r"(?:[ ]|,[ ]|[ ]and[ ])?(\d{1,3}(?:[.,]\d+)?)(?:[ -](\d)/(\d{1,2}))?(?![\d/])")
_UNNAMED_REST = re.compile(rf"(\d{{2}}|(?<=\u7c73)\d)(?![^\W_{UNSPACED}]|[.,'\"/]\d)")  # "1m50", "1米8"
_UNNAMED_INCHES = re.compile(r"[ ]?(\d{1,2})(?![^\W_x\u0445]|[.,/]\d)")  # behind a prime: 5'6
_METRES = ("m", "м", "米")


class Unit(NamedTuple):
    """The unit that a spelling means: its base unit, how many of those it is, and its short English spelling."""

    base: str
    factor: Decimal
    spelling: str


def _read_units(path: Path) -> dict[str, Unit]:
    """Return the units by their normalised spellings; a dot may be left out, or be a space or hyphen."""
    units: dict[str, Unit] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            names = row["spellings"].split()
            unit = Unit(row["unit"], Decimal(row["factor"]), names[0])
            for spelling in map(normalise, names):
                units.update((spelling.replace(".", mark), unit) for mark in (".", "", " ", ". ", "-"))
    return units


_UNITS = _read_units(Path(__file__).with_name("units.csv"))
_LONGEST_UNIT = max(map(len, _UNITS))
_FIRST_CHARACTERS = frozenset(spelling[0] for spelling in _UNITS)


def unit_at(text: str, at: int) -> tuple[Unit | None, int]:
    """Return the unit at a place of a normalised text, after a blank or hyphen or none, and where it ends."""
    first = at + 1 if text[at : at + 1] in (" ", "-") else at
    if text[first : first + 1] not in _FIRST_CHARACTERS:
        return None, at
    for end in range(min(first + _LONGEST_UNIT, len(text)), first, -1):
        spelling = text[first:end]
        if (unit := _UNITS.get(spelling)) is None:
            continue
        in_alphabet = spelling[-1].isalnum() and _UNSPACED.match(spelling[-1]) is None
        other = _NO_UNIT_BEFORE.get(spelling)
        if in_alphabet and not _ENDS.match(text, end):
            if text[end].isdecimal() and rest_at(text, end, unit)[0]:
                return unit, end
        elif not (other and other.match(text, end)) or (spelling == "'" and rest_at(text, end, unit)[0]):
            return unit, end
    return None, at


def rest_at(text: str, at: int, unit: Unit) -> tuple[Decimal, int]:
    """Return the rest of an amount behind its unit, as a share of that unit, and where it ends; 0 without a rest."""
    base, factor = _SMALLER.get((unit.base, int(unit.factor)), ("", 0))
    if not base:
        return Decimal(0), at
    if rest := _REST.match(text, at):
        second, end = unit_at(text, rest.end())
        value = Decimal(rest[1].replace(",", ".")) + (Decimal(rest[2]) / Decimal(rest[3]) if rest[2] else 0)
        share = value * factor / unit.factor
        if second is not None and (second.base, int(second.factor)) == (base, factor) and share < 1:
            return share, end
    written = text[:at]
    if written.endswith("'") and (rest := _UNNAMED_INCHES.match(text, at)) and int(rest[1]) < unit.factor:
        return Decimal(rest[1]) / unit.factor, rest.end()
    if written.endswith(_METRES) and written[-2:-1] != " " and (rest := _UNNAMED_REST.match(text, at)):
        return Decimal(f"0.{rest[1]}"), rest.end()
    return Decimal(0), at
