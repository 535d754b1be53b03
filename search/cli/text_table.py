"""Plain tables for a terminal: aligned columns, wide characters counted as two, what is too long cut short."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

GAP = "  "
LEAST = 12


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int, right: Sequence[str] = ()) -> str:
    """The rows under their header, in at most `width` columns where possible: the widest columns give way.

    Columns named in `right` are flush right, as numbers are.
    """
    lines = [[_plain(cell) for cell in row] for row in (header, *rows)]
    widths = [max(_length(line[i]) for line in lines) for i in range(len(header))]
    while sum(widths) + len(GAP) * (len(widths) - 1) > width and max(widths) > LEAST:
        widths[widths.index(max(widths))] -= 1
    lines.insert(1, ["-" * size for size in widths])
    flush = [name in right for name in header]
    return "\n".join(
        GAP.join(_fit(cell, size, at_right) for cell, size, at_right in zip(line, widths, flush, strict=True)).rstrip()
        for line in lines
    )


def _plain(cell: str) -> str:
    """The text without control characters, so that a product's title cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in cell)


def _length(text: str) -> int:
    return sum(_columns(letter) for letter in text)


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _fit(text: str, size: int, at_right: bool) -> str:
    if _length(text) > size:
        while _length(text) > size - 1:
            text = text[:-1]
        text += "…"
    padding = " " * (size - _length(text))
    return padding + text if at_right else text + padding
