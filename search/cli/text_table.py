"""Format plain tables for a terminal: aligned columns, wide characters counted as two, long cells cut short."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

GAP = "  "
MIN_SHRUNK_WIDTH = 12  # terminal columns: a table column is not made narrower


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int, right: Sequence[str] = ()) -> str:
    """Return rows under their header, in `width` terminal columns where possible; those in `right` align right."""
    lines = [[_printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(line[i]) for line in lines) for i in range(len(header))]
    while sum(widths) + len(GAP) * (len(widths) - 1) > width and max(widths) > MIN_SHRUNK_WIDTH:
        widths[widths.index(max(widths))] -= 1
    lines.insert(1, ["-" * size for size in widths])
    aligned = [name in right for name in header]
    return "\n".join(GAP.join(map(_fit, line, widths, aligned)).rstrip() for line in lines)


def _printable(cell: str) -> str:
    """Replace control characters, so that a product's title cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in cell)


def _fit(text: str, size: int, align_right: bool) -> str:
    if cell_len(text) > size:
        text = set_cell_size(text, size - 1).rstrip() + "…"
    return " " * (size - cell_len(text)) + text if align_right else set_cell_size(text, size)
