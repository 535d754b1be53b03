"""Split records that break the rules of CSV: quotes within quoted cells, and text after a closing quote.

Such a record has several readings; the one with as many cells as the header counts. `split_record` finds it without
looking at every combination: it goes from cell to cell, and keeps the best way to each place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_RECORD = 100_000  # characters
MAX_QUOTES = 400
MAX_EXTRA_CELLS = 50

_ESCAPED = re.compile(r'\\"|""')


class _Way(NamedTuple):
    """A reading up to some place: how much it bends the rules, and its cells."""

    cost: int
    cells: list[str]


def split_record(text: str, delimiter: str, width: int, escaped_ends: bool = True) -> list[str] | None:
    """Return the cells of a record in the reading that has `width` of them, or else bends the rules least.

    Without `escaped_ends`, a quote behind a backslash ends no cell. Returns None when a quote is opened and not closed,
    and for a record too long to look at closely.
    """
    text = text.rstrip("\r\n")
    if len(text) > MAX_RECORD or text.count('"') > MAX_QUOTES:
        return None
    ways = {0: _Way(0, [])}
    whole: dict[int, _Way] = {}
    for count in range(1, width + MAX_EXTRA_CELLS + 1):
        further: dict[int, _Way] = {}
        for start, way in ways.items():
            for cell, after, cost in _readings(text, start, delimiter, escaped_ends):
                longer = _Way(way.cost + cost, [*way.cells, cell])
                reached = whole if after > len(text) else further
                key = count if after > len(text) else after
                if key not in reached or longer.cost < reached[key].cost:
                    reached[key] = longer
        ways = further
        if not ways:
            break
    if not whole:
        return None
    return (whole.get(width) or min(whole.values(), key=lambda way: way.cost)).cells


def _readings(text: str, start: int, delimiter: str, escaped_ends: bool) -> Iterator[tuple[str, int, int]]:
    """Yield (cell, where the next one starts, cost) for every way to read the cell at `start`.

    The next cell of the last one starts behind the end of the text.
    """
    while start < len(text) and text[start] == " ":
        start += 1
    end = text.find(delimiter, start)
    end = len(text) if end < 0 else end
    if not text.startswith('"', start):
        yield text[start:end], end + 1, 0
        return
    raw = text[start:end]
    if '"' in _ESCAPED.sub("", raw[1:]) and not _closes(text, start + raw.rfind('"'), delimiter):
        yield raw, end + 1, raw.count('"')  # as in: "Retro" lamp
    at = text.find('"', start + 1)
    while at >= 0:
        cell = text[start + 1 : at]
        if (after := _closes(text, at, delimiter)) and (escaped_ends or not cell.endswith("\\")):
            yield _ESCAPED.sub('"', cell), after, _ESCAPED.sub("", cell).count('"') + cell.endswith("\\")
        at = text.find('"', at + 1)


def _closes(text: str, at: int, delimiter: str) -> int:
    """Return where the next cell starts if the quote at `at` can close its cell, else 0."""
    after = at + 1
    while after < len(text) and text[after] == " ":
        after += 1
    return after + 1 if after == len(text) or text[after] == delimiter else 0
