"""Events as columns: what fitting and measuring read, without a Python object for each event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats, Mask
from search.recommend.events.event_log import EVENT_KINDS, PURCHASE

Codes = NDArray[np.int32]
Times = NDArray[np.int64]
KIND_CODES = {kind: code for code, kind in enumerate(EVENT_KINDS)}


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Events as columns (m,), those of one visitor oldest first.

    `times` are unix seconds, `kinds` positions in EVENT_KINDS, `quantities` units, `prices` those of one unit,
    NaN where unknown.
    """

    products: Codes
    times: Times
    kinds: NDArray[np.uint8]
    quantities: Floats
    prices: Floats

    def __len__(self) -> int:
        return len(self.products)

    def where(self, rows: Mask | NDArray[np.int64] | slice) -> History:
        """Return the events of a mask (m,), of positions in their order, or of a range."""
        return History(
            self.products[rows], self.times[rows], self.kinds[rows], self.quantities[rows], self.prices[rows]
        )

    def of_kind(self, kind: str = PURCHASE) -> History:
        """Return the events of one kind."""
        return self.where(self.kinds == KIND_CODES[kind])

    def before(self, now: int) -> History:
        """Return the events before `now`, unix seconds."""
        return self.where(self.times < now)

    def newest(self, count: int) -> History:
        """Return at most the `count` newest events."""
        return self.where(slice(max(len(self) - count, 0), None))

    def last_times(self, products: int) -> Times:
        """Return the time of the last event on each of `products` products, -1 where there is none."""
        last = np.full(products, -1, np.int64)
        np.maximum.at(last, self.products, self.times)
        return last


EMPTY_HISTORY = History(
    np.empty(0, np.int32),
    np.empty(0, np.int64),
    np.empty(0, np.uint8),
    np.empty(0, np.float32),
    np.empty(0, np.float32),
)


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """The events of many visitors, ordered by visitor, then time.

    `visitors` (n,) are positions in `visitor_ids`, `columns` the events, whose products are positions in the
    `ProductTable` that they were read for. The events of visitor v are the rows starts[v] to starts[v + 1].
    """

    visitors: Codes
    columns: History
    visitor_ids: Sequence[bytes]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, visitor_ids: Sequence[bytes], visitors: Codes, columns: History) -> Interactions:
        """Order events by visitor, then time; events of one visitor and time stay in their order."""
        order = np.lexsort((columns.times, visitors))
        return cls(visitors[order], columns.where(order), visitor_ids, _starts(visitors, len(visitor_ids)))

    def __len__(self) -> int:
        return len(self.visitors)

    @property
    def products(self) -> Codes:
        """The products of the events (n,)."""
        return self.columns.products

    @property
    def times(self) -> Times:
        """The times of the events (n,)."""
        return self.columns.times

    @property
    def end(self) -> int:
        """The time just after the newest event, unix seconds; 0 without events."""
        return int(self.times.max()) + 1 if len(self) else 0

    def history(self, visitor: int) -> History:
        """Return the events of a visitor, by its position in `visitor_ids`."""
        return self.columns.where(slice(int(self.starts[visitor]), int(self.starts[visitor + 1])))

    def where(self, mask: Mask) -> Interactions:
        """Return the events of a mask (n,); visitors keep their positions."""
        visitors = self.visitors[mask]
        return Interactions(
            visitors, self.columns.where(mask), self.visitor_ids, _starts(visitors, len(self.visitor_ids))
        )

    def between(self, begin: int, end: int) -> Interactions:
        """Return the events from `begin` to before `end`, unix seconds."""
        return self.where((self.times >= begin) & (self.times < end))

    def of_kind(self, kind: str = PURCHASE) -> Interactions:
        """Return the events of one kind."""
        return self.where(self.columns.kinds == KIND_CODES[kind])


def last_rows(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of the last row of each distinct key (m,), by ascending key."""
    order = np.argsort(keys, kind="stable")
    return order[np.append(np.diff(keys[order]) != 0, True)] if len(order) else order


def _starts(visitors: Codes, count: int) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(visitors, minlength=count))]).astype(np.int64)
