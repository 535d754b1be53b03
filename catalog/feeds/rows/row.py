"""Rows of feeds, the same for every format: named cells, or the reason why the row cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import BadRow

MAX_CELL = 2**20  # characters
MAX_ROW = 4 * MAX_CELL
MAX_VALUES = 100_000


@dataclass(frozen=True, slots=True)
class FeedRow:
    """The non-empty cells of one row by column name; none when `fault` says why the row cannot be read.

    With a fault, `product_id` is the row's id where it is certain, else "": then nobody knows which product the row
    lists. `lists_product` is False when the row can be read and says that its product is not for sale. `notes` are
    what people should know of a row that can be read. `digest` is that of the row where rows are recognised. One that
    `is_known` has the `product_id` that it had before, and no cells where it is known without a look at them.
    """

    line: int
    cells: dict[str, list[str]] = field(default_factory=dict)
    fault: str = ""
    product_id: str = ""
    lists_product: bool = True
    notes: tuple[str, ...] = ()
    digest: bytes = b""
    is_known: bool = False


def read_row(line: int, read: Callable[..., dict[str, list[str]]], *raw: Any) -> FeedRow:
    """Return a row of the cells that `read(*raw)` gives, or with a fault when they cannot be read or are not text."""
    cells: dict[str, list[str]] = {}
    try:
        cells = read(*raw)
        _check_text(cells)
    except BadRow as error:
        return FeedRow(line, fault=error.message, product_id=error.product_id or _legible_id(cells))
    return FeedRow(line, cells)


def is_text(value: str) -> bool:
    """Tell whether a string can be encoded as UTF-8, which one decoded from broken bytes cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def first(cells: Mapping[str, Sequence[str]], name: str) -> str:
    """Return the first value of a column, or ""."""
    return cells[name][0] if cells.get(name) else ""


def _legible_id(cells: Mapping[str, Sequence[str]]) -> str:
    """Return the id of cells of which another is no text; "" when the id itself is none."""
    product_id = first(cells, "id")
    return product_id if is_text(product_id) and "\0" not in product_id else ""


def _check_text(cells: dict[str, list[str]]) -> None:
    whole = "".join((*cells, *map("".join, cells.values())))
    if len(whole) <= MAX_CELL and "\0" not in whole and is_text(whole):
        return  # one look at a row takes a fifth of the time of one at each cell
    for name, values in cells.items():
        for value in (name, *values):
            if len(value) > MAX_CELL:
                raise BadRow(f"{name[:80]} is longer than {MAX_CELL:,} characters")
            if "\0" in value:
                raise BadRow(f"{name[:80]} holds a NUL character")
            if not is_text(value):
                raise BadRow("the row holds bytes or escapes that are not text; save the feed as UTF-8")
