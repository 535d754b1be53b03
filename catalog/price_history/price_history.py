"""Read what products cost before, from segments in the rows of a database."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeVar

from catalog.database import Database, Session
from catalog.errors import DamagedStore
from catalog.files.failpoints import failpoint
from catalog.price_history import price_checks, segments
from catalog.price_history.merging import Merge, merge
from catalog.price_history.price_change import PriceChange

PAGE_PRODUCTS = 500
Found = TypeVar("Found")
log = logging.getLogger(__name__)

_LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM changes"
_SELECT_ABSENT = """SELECT product_id, changes FROM price_segments AS last
    WHERE number = (SELECT max(number) FROM price_segments WHERE product_id = last.product_id)
    AND NOT EXISTS (SELECT 1 FROM products WHERE id = last.product_id) ORDER BY product_id"""


@dataclass(frozen=True, slots=True)
class PriceStatements:
    """The statements of a database that select segments, with parameters in this order.

    `newest_first` (product id) selects changes; `page` (id, limit) the ids and changes of products with ids above one,
    the newest first; `changed` (seq, limit) numbers and products of changes of prices, -1 for no limit; `present` (key,
    limit) key, id, price, list_price, currency, in_stock and the newest segment of products with keys above one.
    """

    newest_first: str
    page: str
    changed: str
    present: str


@dataclass(frozen=True, slots=True)
class ChangedPrices:
    """Products whose price, list price, currency or stock changed, or that were added or removed, up to `seq`.

    Where the history of changes was pruned, products are among them that changed otherwise.
    """

    seq: int
    product_ids: tuple[str, ...]


class PriceHistory:
    """What the products of a catalogue cost before. Threads may share it."""

    def __init__(
        self,
        database: Database,
        statements: PriceStatements,
        rewrite: Callable[[Any, str, Sequence[PriceChange]], None],
    ) -> None:
        """Read a database with its statements; `rewrite` puts other changes in place of a product's in a session."""
        self._database = database
        self._read = database.snapshot
        self._statements = statements
        self._rewrite = rewrite

    def changes(self, product_id: str, since: int = 0, until: int | None = None) -> tuple[PriceChange, ...]:
        """Return the changes of a product from `since` to `until` in unix seconds, the oldest first; () for none.

        The change in force at `since` comes first. A product that left the catalogue has its history too.
        """
        with self._read() as db:
            found = db.execute(self._statements.newest_first, (product_id,))
            return _in_order((row[0] for row in found), since, until)

    def read_each(self, product_ids: Iterable[str], read: Callable[[Iterator[PriceChange]], Found]) -> dict[str, Found]:
        """Return by id what `read` makes of the changes of each product, the newest first.

        They are decoded as `read` goes on, so that it takes little time where it stops early, however long a history.
        """
        with self._read() as db:
            return {
                product_id: read(_altering(row[0] for row in db.execute(self._statements.newest_first, (product_id,))))
                for product_id in product_ids
            }

    def of_all(self, since: int = 0) -> Iterator[tuple[str, tuple[PriceChange, ...]]]:
        """Yield id and changes of every product that has or had a price, as `changes` returns them, by id.

        It reads a page of products at a time; changes made meanwhile may or may not show.
        """
        last = ""
        while page := self._page(last):
            for product_id, rows in itertools.groupby(page, itemgetter(0)):
                last = product_id
                yield product_id, _in_order((row[1] for row in rows), since, None)

    def changed(self, after: int, limit: int = -1) -> ChangedPrices:
        """Return the products with changes in the log after number `after`, of at most `limit` changes unless -1.

        The `seq` of the answer is the number to ask with next.
        """
        with self._read() as db:
            rows = db.execute(self._statements.changed, (after, limit)).fetchall()
            seq = rows[-1][0] if len(rows) == limit else int(db.execute(_LAST_SEQ).fetchone()[0])
        return ChangedPrices(max(seq, after), tuple(dict.fromkeys(row[1] for row in rows)))

    def merge(self, past: Mapping[str, Sequence[PriceChange]]) -> dict[str, Merge]:
        """Merge past prices by product id, as `merging` says, in one transaction; without ids that have no history.

        Those of a product are in the order of time, at most one a moment.
        """
        merged: dict[str, Merge] = {}
        with self._database.transaction() as db:
            for product_id, changes in past.items():
                before = self._stored(db, product_id)
                if before:
                    merged[product_id] = found = merge(before, changes)
                    if found.changes != tuple(before):
                        self._rewrite(db, product_id, found.changes)
            failpoint("price.merged")
        return merged

    def faults(self) -> Iterator[str]:
        """Yield where the history and the products do not agree; reads the last change of each product."""
        key = 0
        while True:
            with self._read() as db:
                key, faults = price_checks.present_faults(db.execute(self._statements.present, (key, PAGE_PRODUCTS)))
            yield from faults
            if not key:
                break
        with self._read() as db:
            faults = list(price_checks.absent_faults(db.execute(_SELECT_ABSENT)))
        yield from faults

    def deep_faults(self) -> Iterator[str]:
        """Yield what is wrong within the histories; reads every change of every product."""
        last = ""
        while page := self._page(last):
            for last, rows in itertools.groupby(page, itemgetter(0)):
                yield from price_checks.history_faults(last, [row[1] for row in rows])

    def _page(self, after: str) -> list[tuple[str, bytes]]:
        with self._read() as db:
            rows: list[tuple[str, bytes]] = db.execute(self._statements.page, (after, PAGE_PRODUCTS)).fetchall()
            return rows

    def _stored(self, db: Session, product_id: str) -> list[PriceChange]:
        """Return every change of a product as it is stored, the oldest first."""
        rows = db.execute(self._statements.newest_first, (product_id,))
        return [change for row in rows for change in segments.unpack(row[0])][::-1]


def _in_order(newest_first: Iterable[bytes], since: int, until: int | None) -> tuple[PriceChange, ...]:
    """Return the changes of segments, the oldest first, each of which alters something.

    The history begins after a segment that cannot be read: a shop goes on, and `verify` reports it.
    """
    found: list[PriceChange] = []
    for change in _legible(newest_first):
        if until is None or change.at <= until:
            if found and found[-1].same_state_as(change):
                found.pop()
            found.append(change)
            if change.at <= since:
                break
    return tuple(reversed(found))


def _altering(newest_first: Iterable[bytes]) -> Iterator[PriceChange]:
    """Yield the changes of segments, the newest first, each of which alters something."""
    newer: PriceChange | None = None
    for change in _legible(newest_first):
        if newer is not None and not newer.same_state_as(change):
            yield newer
        newer = change
    if newer is not None:
        yield newer


def _legible(newest_first: Iterable[bytes]) -> Iterator[PriceChange]:
    try:
        for segment in newest_first:
            yield from segments.unpack(segment)
    except DamagedStore as error:
        log.warning("%s", error)
