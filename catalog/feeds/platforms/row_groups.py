"""Group the rows of an export by product, wherever they stand in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from catalog.errors import BadFeed
from catalog.feeds.platforms.row_spool import ExportRow, RowSpool
from catalog.feeds.rows.row import MAX_ROW, FeedRow

MAX_ROWS = 5_000  # Shopify itself keeps 2,048 variants and 250 pictures of a product

KeyOf = Callable[[Mapping[str, str]], str]


class RowGroups:
    """The rows of an export by key, and the rows that cannot be read; both in the order in which they appear."""

    def __init__(self, spool: RowSpool) -> None:
        self._spool = spool
        self._numbers: dict[str, list[int]] = {}
        self._order: list[str | FeedRow] = []
        self.error: BadFeed | None = None

    def __iter__(self) -> Iterator[str | FeedRow]:
        """Iterate over the keys, and the rows without one; then raise the error that ended the export, if any."""
        yield from self._order
        if self.error is not None:
            raise self.error

    def __contains__(self, key: str) -> bool:
        return key in self._numbers

    @property
    def keys(self) -> Collection[str]:
        """The keys, in the order in which they appear."""
        return self._numbers

    def add(self, key: str, line: int, cells: dict[str, str]) -> None:
        """Add a row to the group of a key."""
        number = self._spool.add(line, cells)
        numbers = self._numbers.get(key)
        if numbers is None:
            self._numbers[key] = [number]
            self._order.append(key)
        else:
            numbers.append(number)

    def add_fault(self, line: int, fault: str) -> None:
        """Add a row of which nobody knows the product."""
        self._order.append(FeedRow(line, fault=fault))

    def end(self, error: BadFeed, key: str) -> None:
        """Note that the export is cut short; the last row's product, perhaps unfinished, is left out."""
        self.error = error
        if self._numbers.pop(key, None):
            self._order.remove(key)

    def rows(self, key: str) -> list[ExportRow]:
        """Return the rows of a key, [] without any."""
        return [self._spool[number] for number in self._numbers.get(key, ())]

    def first_row(self, key: str) -> ExportRow:
        """Return the first row of a key that has rows."""
        return self._spool[self._numbers[key][0]]

    def size(self, key: str) -> int:
        """Return how many rows a key has."""
        return len(self._numbers.get(key, ()))


@contextmanager
def grouped(
    rows: Iterator[FeedRow], rename: Callable[[FeedRow], dict[str, str]], key_of: KeyOf, key_name: str
) -> Iterator[RowGroups]:
    """Read all rows of an export into groups by `key_of` their renamed cells.

    A row whose key is "" has a fault: its own, or that it lacks its `key_name`.
    """
    nameless = f"no {key_name}, so it is not known which product the row belongs to"
    spool = RowSpool()
    try:
        groups = RowGroups(spool)
        key = ""
        try:
            for row in rows:
                cells = rename(row)
                key = key_of(cells)
                if row.fault or not key:
                    groups.add_fault(row.line, row.fault or nameless)
                else:
                    groups.add(key, row.line, cells)
        except BadFeed as error:
            groups.end(error, key)
        yield groups
    finally:
        spool.close()


def overlong(rows: Sequence[ExportRow], what: str) -> str:
    """Return why rows are too many or too long for one product; "" when they are not."""
    if len(rows) > MAX_ROWS:
        return f"{what} has more than {MAX_ROWS:,} rows"
    if sum(row.length for row in rows) > MAX_ROW:
        return f"the rows of {what} have more than {MAX_ROW:,} characters"
    return ""
