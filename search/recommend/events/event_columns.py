"""Read a shop's event log as columns: all of it for fitting, and the history of one visitor for serving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from search.recommend.events.event_log import NO_LIMIT, EventLog, StoredEvent
from search.recommend.events.interactions import EMPTY_HISTORY, KIND_CODES, Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.events.retention import segment_of

READ_ROWS = 50_000  # at once
_DTYPES = (np.int32, np.int32, np.int64, np.uint8, np.float32, np.float32)

_COUNT = "SELECT coalesce(sum(events), 0) FROM segments WHERE number BETWEEN ? AND ?"
_PRODUCTS = "SELECT code, id FROM products"
_VISITORS = "SELECT code, hash FROM visitors ORDER BY code"
_EVENTS = """SELECT visitor, product, at, kind, coalesce(quantity, 1), price FROM events
    WHERE segment BETWEEN ? AND ? AND at >= ? AND at < ?"""


def read_interactions(log: EventLog, products: ProductTable, since: int = 0, until: int | None = None) -> Interactions:
    """Read the events on these products, from `since` to before `until` (unix seconds), as of one moment.

    Takes 55 bytes of memory an event at most, besides what is returned. Visitor ids are the keyed hashes of those
    with such events. Raises StoreError.
    """
    end = NO_LIMIT if until is None else until
    segments = segment_of(since), segment_of(end)
    with log.file.reading() as db:
        (size,) = db.execute(_COUNT, segments).fetchone()
        codes = _codes(db.execute(_PRODUCTS).fetchall(), products)
        columns = [np.empty(size, dtype) for dtype in _DTYPES]
        filled = 0
        rows = db.execute(_EVENTS, (*segments, since, end))
        while chunk := rows.fetchmany(READ_ROWS):
            visitors, items, *others = map(np.array, zip(*chunk, strict=True), _DTYPES)
            items = codes[items]
            known = items >= 0
            place = slice(filled, filled + int(known.sum()))
            for column, values in zip(columns, (visitors, items, *others), strict=True):
                column[place] = values[known]
            filled = place.stop
        hashes = dict(db.execute(_VISITORS).fetchall())
    visitors, *columns = [column[:filled] for column in columns]
    present = np.zeros(max(hashes, default=0) + 1, bool)
    present[visitors] = True
    places = (np.cumsum(present) - 1).astype(np.int32)
    ids = [hashes[code] for code in np.flatnonzero(present).tolist()]
    return Interactions.of(ids, places[visitors], History(*columns))


def read_history(log: EventLog, products: ProductTable, visitor: str, newest: int = NO_LIMIT) -> History:
    """Read the history of one visitor, at most its `newest` events: those of them on these products.

    Events added before the call are in it. Raises StoreError.
    """
    return history_of(log.history(visitor, newest), products)


def history_of(events: Sequence[StoredEvent], products: ProductTable) -> History:
    """Return stored events on these products as columns, in their order."""
    rows = [(code, event) for event in events if (code := products.code_of.get(event.product_id)) is not None]
    if not rows:
        return EMPTY_HISTORY
    return History(
        np.array([code for code, _ in rows], np.int32),
        np.array([event.at for _, event in rows], np.int64),
        np.array([KIND_CODES[event.kind] for _, event in rows], np.uint8),
        np.array([1.0 if event.quantity is None else event.quantity for _, event in rows], np.float32),
        np.array([event.price for _, event in rows], np.float32),
    )


def _codes(rows: Sequence[tuple[Any, ...]], products: ProductTable) -> Codes:
    """Return the position in a table of the product of each code of the log, -1 where it has none."""
    codes = np.full(max((code for code, _ in rows), default=0) + 1, -1, np.int32)
    for code, product_id in rows:
        codes[code] = products.code_of.get(product_id, -1)
    return codes
