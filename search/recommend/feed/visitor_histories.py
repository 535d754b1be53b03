"""What a visitor did, read from the shop's events at each question: an event counts at once, and so does forgetting."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.errors import StoreError
from indexer.types import Ids
from search.recommend.events.event_log import CART, CLICK, DISMISS, EVENT_KINDS, PURCHASE, VIEW, EventLog, StoredEvent
from search.recommend.events.interactions import EMPTY_HISTORY, KIND_CODES, History

MAX_LOOKS = 1_000  # newest views, clicks and carts of a visitor that are read
MAX_LASTING = 10_000  # newest purchases and dismissals: who looks around a lot owns as much as before


@dataclass(frozen=True, slots=True, eq=False)
class VisitorRecord:
    """The events of one visitor, oldest first: the ids of their products, and columns without codes of products."""

    ids: tuple[str, ...] = ()
    columns: History = EMPTY_HISTORY

    def __len__(self) -> int:
        return len(self.ids)

    def coded(self, codes: Ids | NDArray[np.int32]) -> History:
        """Return the events on known products, given the code of each event's product (m,), -1 for unknown ones."""
        known = np.flatnonzero(codes >= 0)
        columns = self.columns.where(known)
        return History(codes[known].astype(np.int32), columns.times, columns.kinds, columns.quantities, columns.prices)


def read_visitor(log: EventLog | None, visitor: str, viewed: Sequence[str], now: int) -> VisitorRecord:
    """Return what a visitor did: the stored events, and then this visit's views that are not among them.

    A log that cannot be read now leaves the visitor unknown: shoppers still get an answer.
    """
    stored: list[StoredEvent] = []
    if log is not None and visitor:
        try:
            stored = _newest(log, visitor)
        except StoreError:
            stored = []
    known = {event.product_id for event in stored if event.kind != CART}  # a list may put unseen products into it
    new = [product for product in dict.fromkeys(viewed) if product not in known]
    ids = (*(event.product_id for event in stored), *new)
    if not ids:
        return VisitorRecord()
    times = np.array([*(event.at for event in stored), *[now] * len(new)], np.int64)
    kinds = [*(EVENT_KINDS.index(event.kind) for event in stored), *[KIND_CODES[VIEW]] * len(new)]
    units = np.array([*(event.quantity or 1.0 for event in stored), *[1.0] * len(new)], np.float32)
    prices = np.array([*(event.price for event in stored), *[None] * len(new)], np.float32)
    columns = History(np.full(len(ids), -1, np.int32), times, np.array(kinds, np.uint8), units, prices)
    return VisitorRecord(ids, columns)


def _newest(log: EventLog, visitor: str) -> list[StoredEvent]:
    """Return the newest events of a visitor, oldest first; of those of one second, purchases and dismissals last."""
    looks = log.history(visitor, MAX_LOOKS, (VIEW, CLICK, CART))
    lasting = log.history(visitor, MAX_LASTING, (PURCHASE, DISMISS))
    return list(heapq.merge(looks, lasting, key=lambda event: event.at))
