"""Numbers with units in questions and in texts of the shop, in one unit each, and whether they certainly compare.

A value is an interval: "15-20 cm" is one, and so is a fluid ounce, which is less in Britain than in America.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from catalog.text.folding import normalise
from catalog.text.quantities import Side, amounts_in
from search.assistant.products.reading.topics import ASKS, LANGUAGES, pattern_of, topics

LENGTH, VOLUME, WEIGHT = "length", "volume", "weight"  # in millimetres, millilitres, grams
AXES = ("height", "width", "depth", "length", "diameter")
MAX_MEASURES = 40  # of one text
Interval = tuple[Decimal, Decimal]
_ONE = Decimal(1)
# The quantity of each base unit of units.csv, and the least and the most that the unit may be.
_UNITS: dict[str, tuple[str, Decimal, Decimal]] = {
    "mm": (LENGTH, _ONE, _ONE),
    "in": (LENGTH, Decimal("25.4"), Decimal("25.4")),
    "ml": (VOLUME, _ONE, _ONE),
    "floz": (VOLUME, Decimal("28.413"), Decimal("29.574")),
    "pt": (VOLUME, Decimal("473.176"), Decimal("568.261")),
    "qt": (VOLUME, Decimal("946.353"), Decimal("1136.523")),
    "gal": (VOLUME, Decimal("3785.41"), Decimal("4546.09")),
    "g": (WEIGHT, _ONE, _ONE),
    "oz": (WEIGHT, Decimal("28.3495"), Decimal("28.3495")),
}
_OUNCE = ("oz", _UNITS["floz"])  # of a volume, where a volume is asked
_HALVES = (
    (re.compile(r"\bone and a half\b|\banderthalb\w*|\beineinhalb\w*|\bun \w+ et demi\b"), "1.5"),
    (re.compile(r"\bhalf an? |\ba half[ -]|\b(?:einen?|ein)? ?halbe[nrs]? |\b(?:un )?demi[- ]|\bmedi[oa] "), "0.5 "),
    (re.compile(r"\b(?:a|one) quarter (?:of an? )?|\bun cuarto de "), "0.25 "),
    (re.compile("半(?=升|米|公斤|千克|斤)"), "0.5"),
    (
        re.compile(r"\b(?:an?|one|einen|ein|un|une|una) (?=(?:lit(?:re|er|ro)|met(?:re|er|ro)|pint|gallon|kilo)\w*\b)"),
        "1 ",
    ),
)
_POUNDS = re.compile(r"(\d) ?-?pounds?\b")
_FROM = re.compile(r"(\d+(?:[.,]\d+)?) ?(?:-|–|to|bis|a|hasta|至|到|~) ?$")
_AXIS_LETTERS = {"h": "height", "w": "width", "b": "width", "d": "depth", "t": "depth", "l": "length"}
_CHINESE_AXES = {"高": "height", "宽": "width", "深": "depth", "长": "length"}
_LETTER = r"([hwbdtl])"
_ORDER = re.compile(
    rf"(?<![^\W_]){_LETTER} ?[x*×/] ?{_LETTER}(?: ?[x*×/] ?{_LETTER})?(?![^\W_])"
    r"|([长宽高深])[x*×/]?([长宽高深])[x*×/]?([长宽高深])"
)
_BEFORE, _AFTER = 24, 14  # characters beside a measure in which its axis is named
_BREAK = re.compile(r"[,;.。；，]|\band\b|\bund\b|\bet\b|\by\b")


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure in a text: its values in base units, with the axis of each side ("" where the text names none)."""

    quantity: str  # LENGTH, VOLUME, WEIGHT, or the base unit of another quantity
    values: tuple[Interval, ...]
    axes: tuple[str, ...]
    text: str
    start: int
    end: int
    ounces: bool = False

    def as_volume(self) -> Measure:
        """Return the measure with ounces read as fluid ounces."""
        if not self.ounces:
            return self
        weight, (_, low, high) = _UNITS["oz"][1], _OUNCE[1]
        values = tuple((least / weight * low, most / weight * high) for least, most in self.values)
        return Measure(VOLUME, values, self.axes, self.text, self.start, self.end)

    def of_axis(self, axis: str) -> Interval | None:
        """Return the value of an axis, if the text names it."""
        return next((value for value, own in zip(self.values, self.axes, strict=True) if own == axis), None)


def plain(text: str) -> str:
    """Return a text normalised, with figures for "half a litre" and the like."""
    text = _POUNDS.sub(r"\1 lb", normalise(text)).lstrip("\u00bf\u00a1 ")
    for pattern, number in _HALVES:
        text = pattern.sub(number, text)
    return text


def measures_in(text: str) -> list[Measure]:
    """Return the measures of a text that `plain` made, in its order; numbers without a unit are none."""
    return [measure for _, measure in zip(range(MAX_MEASURES), _measures(text), strict=False)]


def _measures(text: str) -> Iterator[Measure]:
    order = _ORDER.search(text)
    ordered = [] if order is None else [_AXIS_LETTERS.get(x) or _CHINESE_AXES[x] for x in order.groups() if x]
    for amount in amounts_in(text):
        sides = amount.sides
        unit = next((side.unit for side in reversed(sides) if side.unit is not None), None)
        if unit is None:
            continue
        start = amount.start
        quantity, low, high = _UNITS.get(unit.base, (unit.base, _ONE, _ONE))
        factors = [(side.unit or unit).factor for side in sides]
        intervals = [  # "1.500 g" may be 1.5 g or 1500 g: what is between decides nothing
            (min(side.values) * factor * low, max(side.values) * factor * high)
            for side, factor in zip(sides, factors, strict=True)
        ]
        if len(sides) == 1 and (least := _FROM.search(text, 0, start)) is not None:
            first = Decimal(least[1].replace(",", ".")) * unit.factor * low
            if first <= intervals[0][1]:
                intervals, start = [(first, intervals[0][1])], least.start()
        axes = _axes(text, start, amount.end, sides, ordered)
        written = text[start : amount.end].strip()
        yield Measure(quantity, tuple(intervals), axes, written, start, amount.end, unit.base == "oz")


def _axes(text: str, start: int, end: int, sides: Sequence[Side], ordered: Sequence[str]) -> tuple[str, ...]:
    if len(sides) == 1:
        return (_axis_near(text, start, end),)
    letters = [_AXIS_LETTERS.get(side.prefix, "") for side in sides]
    if not any(letters) and any(side.has_axis for side in sides):
        found = re.findall(r"\d ?([hwbdtl])(?![^\W_])", text[start:end])
        letters = [_AXIS_LETTERS[letter] for letter in found] if len(found) == len(sides) else letters
    if not any(letters) and len(ordered) == len(sides) == len(set(ordered)):
        return tuple(ordered)
    return tuple(letters)


def _axis_near(text: str, start: int, end: int) -> str:
    """Return the axis that the words just before or behind a single measure name: "20 cm high", "height: 20 cm"."""
    after = _BREAK.split(text[end : end + _AFTER])[0]
    before = _BREAK.split(text[max(0, start - _BEFORE) : start])[-1]
    named = _named(after, first=True)
    if named:
        return named
    letter = re.search(r"(?<![^\W_])([hwbdtl])[ :=.]{0,3}$", before)
    if letter:
        return _AXIS_LETTERS[letter[1]]
    chinese = re.search("([长宽高深])[约为:： ]{0,3}$", before)
    return _CHINESE_AXES[chinese[1]] if chinese else _named(before, first=False)


_CHINESE_WORDS = {"height": "高", "width": "宽", "depth": "深", "length": "长", "diameter": "直径|口径"}


@cache  # compiled with the first question, not when a server starts
def _names() -> Mapping[str, Sequence[re.Pattern[str]]]:
    """Return the patterns that find the names of each axis."""
    return {
        axis: [
            *(topics()[axis].patterns[ASKS][language] for language in LANGUAGES if language != "zh"),
            pattern_of(_CHINESE_WORDS[axis].split("|"), "zh"),
        ]
        for axis in AXES
    }


def _named(words: str, first: bool) -> str:
    """Return the axis that some words name, the one nearest to the measure; `first` where it stands before them."""
    found = [
        (match.start() if first else -match.end(), axis)
        for axis, patterns in _names().items()
        for pattern in patterns
        for match in pattern.finditer(words)
    ]
    return min(found)[1] if found else ""


def certainly_more(value: Interval, other: Interval) -> bool | None:
    """Return whether a value is more than another: None where the intervals leave it open."""
    if value[0] > other[1]:
        return True
    return False if value[1] <= other[0] else None


def fits(thing: Sequence[Interval], space: Sequence[Interval]) -> bool | None:
    """Return whether a thing of these sides goes into a space; None where that depends on what is not stated.

    A space of one side, such as a shelf of 50 cm, limits some side of the thing: which one is not known here.
    """
    if all(certainly_more(side, limit) is False for side in thing for limit in space):
        return True
    if all(certainly_more(side, limit) is True for side in thing for limit in space):
        return False
    if len(thing) == len(space) == 3:
        pairs = list(zip(sorted(thing), sorted(space), strict=True))
        verdicts = [certainly_more(side, limit) for side, limit in pairs]
        return False if True in verdicts else None if None in verdicts else True
    return None
