"""Recognise numbers, sizes and amounts with units in normalised text, so that equal values are equal words.

"10 x 15 cm", "10x15cm" and "100 × 150 mm" are one size; "1½", "1 1/2" and "1.5" are one number; "0,75 l" and "750 ml"
are one volume. A product is indexed under every reading of a quantity; a query looks for its `alternatives`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import chain, product
from typing import NamedTuple

from catalog.text.scripts import UNSPACED
from catalog.text.units import Unit, rest_at, unit_at

UNIT_MISSING = 0.9  # confidence of a product that has the number without any unit: "60" for "60 W"
CENTIMETRES = 0.9  # confidence of a size without unit taken for centimetres: "20x30" for "200 x 300 mm"
OTHER_ORDER = 0.8  # confidence of a size with its sides exchanged: "15x10" for "10x15"
MAX_READINGS = 4  # "1.500 x 2.500" may be 1.5 or 1500 each
MAX_SIDES = 4
MAX_DIGITS = 18  # a longer number is a code

_NO_UNIT = "="  # ends the word of a quantity without unit; no other word of a text has this character
_LENGTHS = ("mm", "in")
_AXES = frozenset("whdlbt")  # letters that name a side: "w120 x h80", "120w x 80h"
_FRACTION = r"(?:1/2|[12]/3|[13]/4|[1-4]/5|[15]/6|[1357]/8|1?[13579]/16|[123]?[13579]/32|[1-6]?[13579]/64)(?![/\d])"
_NUMBER = re.compile(
    rf"""(?x)
    (?:\d{{1,3}}[ -])?(?<![/\d]){_FRACTION}
  | \d{{1,3}}(?:'\d{{3}})+(?:[.,]\d+)?(?!\d)
  | [1-9]\d{{0,2}}(?:[ ]\d{{3}})+(?![ ]?\d)
  | \d+(?:[.,]\d+)*
  | \.\d+"""
)
_FIRST_OF_SPACED = re.compile(r"\d+")
# A letter before the number, or a hyphen after a letter, makes a code of it: "wh-1000".
START = rf"(?<![^\W_{UNSPACED}])(?<![^\W\d_]-)(?<!\d[.,'/])[a-z]?\.?\d"
_START = re.compile(START)
_TIMES = re.compile(
    r"[ ]?(?:[x*\u00d7\u2715\u2716\u2a2f\u0445乘]|(?<=[ ])(?:by|mal|par|por|per|na|на)(?=[ ]))[ ]?(?=[a-z]?\.?\d)"
)
_NEXT_AXIS = re.compile(r"[ /]?(?=[whdlbt]\d)")  # "W32 L34", "w32l34"
_AXIS = re.compile(r"[ ]?([whdlbt])(?![^\W_])")
_ENDS = re.compile(rf"(?![^\W_{UNSPACED}])(?!-[^\W_])")
_DIGIT = re.compile(r"\d")
_SEPARATORS = re.compile(r"[.,]")
_GROUPED = re.compile(r"[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*")


class Side(NamedTuple):
    """One side of a size, or a number alone: its letter, its possible values, its unit, and where it ends."""

    prefix: str
    values: tuple[Decimal, ...]
    unit: Unit | None
    has_axis: bool
    end: int


class TextAmount(NamedTuple):
    """A number or a size in a text: where it starts and ends, and its sides, one for a number alone."""

    start: int
    end: int
    sides: tuple[Side, ...]


def has_digit(text: str) -> bool:
    """Return whether a normalised text has a digit, without which it has no quantity."""
    return _DIGIT.search(text) is not None


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number or a size: what a product that has it is indexed under, and what a query looks for.

    `alternatives` are words of the index, each with the confidence, from 0 to 1, of a product that has it; `english` is
    the quantity for an encoder that reads English.
    """

    words: tuple[str, ...]
    alternatives: tuple[tuple[str, float], ...]
    english: str
    measured: bool  # it has a unit or several sides


def quantity_end(text: str, start: int) -> int:
    """Return where the quantity that begins at `start` of a normalised text ends; `start` when none does."""
    sides = _sides(text, start)
    return sides[-1].end if sides else start


def amounts_in(text: str) -> Iterator[TextAmount]:
    """Yield the numbers and sizes of a normalised text, with the values that each may have, in the text's order."""
    end = 0
    for start in _START.finditer(text):
        if start.start() >= end and (sides := _sides(text, start.start())):
            end = sides[-1].end
            yield TextAmount(start.start(), end, tuple(sides))


@lru_cache(maxsize=8192)
def quantity_of(piece: str) -> Quantity | None:
    """Return the quantity that a piece of normalised text is; None when it is something else, such as a code."""
    if not has_digit(piece) or _START.match(piece) is None:
        return None
    sides = _sides(piece, 0)
    if not sides or sides[-1].end != len(piece):
        return None
    units = [side.unit for side in sides]
    prefix = "" if any(side.prefix for side in sides[1:]) else sides[0].prefix
    readings = list(product(*(side.values for side in sides)))[:MAX_READINGS]
    parts = [_size(prefix, values, units) if len(values) > 1 else _single(values[0], units[0]) for values in readings]
    words = dict.fromkeys(word for indexed, _ in parts for word in indexed)
    alternatives: dict[str, float] = {}
    for word, confidence in chain.from_iterable(looked_for for _, looked_for in parts):
        alternatives[word] = max(confidence, alternatives.get(word, 0.0))
    english = " x ".join(_english(side.values[0], side.unit) for side in sides)
    return Quantity(tuple(words), tuple(alternatives.items()), prefix + english, any(units) or len(sides) > 1)


def _sides(text: str, start: int) -> list[Side]:
    """Return the sides of the longest quantity from `start` on; [] when there is none."""
    sides: list[Side] = []
    at = start
    while len(sides) < MAX_SIDES and (side := _side(text, at, any(side.has_axis for side in sides))):
        sides.append(side)
        times = _TIMES.match(text, side.end)
        if times is None and side.prefix in _AXES:
            times = _NEXT_AXIS.match(text, side.end)
            times = times if times and text[times.end()] not in {side.prefix for side in sides} else None
        if times is None:
            break
        at = times.end()
    while sides:
        last = sides[-1]
        ends = last.unit is not None or _ENDS.match(text, last.end)
        single = len(sides) == 1
        if ends and not (single and (last.prefix or last.has_axis)):
            return sides
        sides.pop()
    return sides


def _side(text: str, at: int, after_axis: bool = False) -> Side | None:
    prefix = text[at] if text[at : at + 1].isalpha() else ""
    number = _NUMBER.match(text, at + len(prefix))
    if number is None:
        return None
    written, end = number.group(), number.end()
    if " " in written and "/" not in written and not written.endswith(" 000") and not unit_at(text, end)[0]:
        written = _FIRST_OF_SPACED.match(written).group()  # type: ignore[union-attr]  # it begins with a digit
        end = number.start() + len(written)
    values = _readings(written)
    if not values:
        return None
    unit, unit_end = unit_at(text, end)
    axis = _AXIS.match(text, end)
    if axis and (unit is None or after_axis or _TIMES.match(text, axis.end())) and axis.end() >= unit_end:
        unit, unit_end = unit_at(text, axis.end())
        return Side(prefix, values, unit, True, unit_end if unit else axis.end())
    if unit is None and len(written) > 1 and written[0] == "0" and written[1].isdigit():
        return None
    rest, unit_end = rest_at(text, unit_end, unit) if unit else (0, unit_end)
    values = tuple(value + rest for value in values) if rest else values
    return Side(prefix, values, unit, False, unit_end if unit else end)


def _single(value: Decimal, unit: Unit | None) -> tuple[list[str], list[tuple[str, float]]]:
    """Return the words of one number, and those to look for with their confidences."""
    bare = _plain(value)
    if unit is None:
        return [bare, bare + _NO_UNIT], [(bare, 1.0)]
    word = _plain(value * unit.factor) + unit.base
    return [word, bare], [(word, 1.0), (bare + _NO_UNIT, UNIT_MISSING)]


def _size(
    prefix: str, values: tuple[Decimal, ...], units: list[Unit | None]
) -> tuple[list[str], list[tuple[str, float]]]:
    """Return the words of several sides, or of a count and an amount ("4 x 250 g"), and those to look for."""
    bare = prefix + "x".join(map(_plain, values))
    own = [unit for unit in units if unit is not None]
    words = [bare, prefix + _plain(values[0]), *map(_plain, values[1:])]
    if len(values) > 2:
        words.append(prefix + "x".join(map(_plain, values[:2])))
    turned = "" if prefix or len(values) != 2 else "x".join(map(_plain, reversed(values)))
    if not own or len({unit.base for unit in own}) > 1:
        words += [word for value, unit in zip(values, units, strict=True) if unit for word in _single(value, unit)[0]]
        looked_for = [(bare, 1.0), *([(turned, OTHER_ORDER)] if turned else [])]
        if not own and not prefix:
            looked_for.append(("x".join(_plain(value * 10) for value in values) + "mm", CENTIMETRES))
        return [*words, bare + _NO_UNIT], looked_for
    if own[0].base in _LENGTHS:
        # A side without unit has that of the next side that names one: "10 x 15 cm".
        full = [unit or own[-1] for unit in units]
        metric = [_plain(value * unit.factor) for value, unit in zip(values, full, strict=True)]
        words += [side + own[0].base for side in metric]
    else:
        metric = [_plain(value * (unit.factor if unit else 1)) for value, unit in zip(values, units, strict=True)]
        words.append(metric[-1] + own[0].base)
    word = prefix + "x".join(metric) + own[0].base
    looked_for = [(word, 1.0), (bare + _NO_UNIT, 1.0)]
    if own[0].base == "mm" and not prefix and (in_cm := _in_centimetres(values, full)) != bare:
        looked_for.append((in_cm + _NO_UNIT, CENTIMETRES))
    if turned and own[0].base in _LENGTHS:
        looked_for += [("x".join(reversed(metric)) + own[0].base, OTHER_ORDER), (turned + _NO_UNIT, OTHER_ORDER)]
    return [*words, word], looked_for


def _in_centimetres(values: tuple[Decimal, ...], units: list[Unit]) -> str:
    return "x".join(_plain(value * unit.factor / 10) for value, unit in zip(values, units, strict=True))


def _readings(text: str) -> tuple[Decimal, ...]:
    """Return the values that a number may have, the most probable first; none for a version or a code: "1.2.3"."""
    if "/" in text:
        *whole, fraction = re.split("[ -]", text)
        above, _, below = fraction.partition("/")
        return (Decimal(whole[0] if whole else 0) + Decimal(above) / Decimal(below),)
    if len(text) > MAX_DIGITS:
        return ()
    if " " in text:
        last = text.rsplit(" ", 1)[1]
        grouped = Decimal(text.replace(" ", ""))
        return (grouped,) if last == "000" else (grouped, Decimal(last))
    text = text.replace("'", "")
    marks = _SEPARATORS.findall(text)
    if not marks:
        return (Decimal(text),)
    if len(set(marks)) == 2:
        head, mark, tail = text.rpartition(marks[-1])
        return (Decimal(f"{_ungrouped(head)}.{tail}"),) if mark not in head and _GROUPED.fullmatch(head) else ()
    decimal = Decimal(text.replace(",", ".")) if len(marks) == 1 else None
    if _GROUPED.fullmatch(text) is None:
        return () if decimal is None else (decimal,)
    grouped = Decimal(_ungrouped(text))
    # Before exactly three digits a comma groups; a point does in one half of the world.
    return (decimal, grouped) if decimal is not None and marks[0] == "." else (grouped,)


def _ungrouped(text: str) -> str:
    return _SEPARATORS.sub("", text)


def _plain(value: Decimal) -> str:
    """Return a value in its shortest decimal notation: 1.50 -> "1.5", 300 -> "300"; at most six decimals."""
    return format(round(value, 6).normalize(), "f")


def _english(value: Decimal, unit: Unit | None) -> str:
    return _plain(value) if unit is None else f"{_plain(value)} {unit.spelling}"
