"""The event log: views, clicks, carts, purchases and dismissals, in one SQLite file with a segment for each week.

Clients send an opaque visitor id, and the log stores only its keyed hash (BLAKE2b, 128 bits). Each shop has a random
key, so ids of two shops cannot be matched, and guessed ids cannot be looked up without the shop's file. The log has no
address, no browser and no account.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from catalog.home import ShopHome
from search.recommend.events.event_file import EventFile
from search.recommend.events.retention import DAY_S as DAY_S
from search.recommend.events.retention import (
    MAX_REMOVED,
    PRUNE_SECONDS,
    EventLimits,
    remove_excess,
    remove_expired,
    segment_of,
    subtract,
)

VIEW, CLICK, CART, PURCHASE, DISMISS = "view", "click", "cart", "purchase", "dismiss"
EVENT_KINDS = (VIEW, CLICK, CART, PURCHASE, DISMISS)  # stored by position, so a new kind goes to the end
MAX_EVENTS = 500  # events in a request
MAX_PRODUCT_ID, MAX_VISITOR, MAX_QUERY_ID, MAX_RANK = 500, 128, 128, 10_000  # characters, and places of a ranking
MAX_QUANTITY, MAX_PRICE = 1_000_000, 1_000_000_000  # units, and in the shop's currency
NO_LIMIT = 1 << 62

ADD_PRODUCT = "INSERT OR IGNORE INTO products (id) VALUES (?)"
ADD_VISITOR = """INSERT INTO visitors (hash, last_segment) VALUES (?, ?) ON CONFLICT (hash)
    DO UPDATE SET last_segment = excluded.last_segment WHERE last_segment < excluded.last_segment"""
ADD_TO_SEGMENT = """INSERT INTO segments (number, events, imported) VALUES (?, ?, ?) ON CONFLICT (number)
    DO UPDATE SET events = events + excluded.events, imported = max(imported, excluded.imported)"""
_ADD_EVENT = """INSERT INTO events SELECT ?, v.code, ?, ?, ?, p.code, ?, ?, ?, ?
    FROM visitors AS v, products AS p WHERE v.hash = ? AND p.id = ?"""
_TAKE_NUMBERS = "UPDATE about SET value = value + ? WHERE name = 'seq'"
_LAST_NUMBER = "SELECT value FROM about WHERE name = 'seq'"
_COUNT_VISITORS = """SELECT kind, count(DISTINCT visitor) FROM events
    WHERE segment BETWEEN ?1 / 604800 AND ?2 / 604800 AND at >= ?1 AND at < ?2 GROUP BY kind"""
_COUNT_ALL_VISITORS = """SELECT count(DISTINCT visitor) FROM events
    WHERE segment BETWEEN ?1 / 604800 AND ?2 / 604800 AND at >= ?1 AND at < ?2"""
_COUNT_PRODUCTS = """SELECT p.id, kind, times FROM (SELECT product, kind, count(*) AS times FROM events
    WHERE segment BETWEEN ?1 / 604800 AND ?2 / 604800 AND at >= ?1 AND at < ?2 GROUP BY product, kind)
    JOIN products AS p ON p.code = product"""
# Days are local ones, as those of the counts of searches.
_COUNT_CLICKED = """SELECT query_id, count(DISTINCT visitor || ' ' || date(at, 'unixepoch', 'localtime')) FROM events
    WHERE segment BETWEEN ?1 / 604800 AND ?2 / 604800 AND at >= ?1 AND at < ?2 AND kind = ?3 AND query_id IS NOT NULL
    GROUP BY query_id"""
_COUNT_CLICKERS = """SELECT query_id, count(DISTINCT visitor) FROM events
    WHERE segment BETWEEN ?1 / 604800 AND ?2 / 604800 AND at >= ?1 AND at < ?2 AND kind = ?3 AND query_id IS NOT NULL
    GROUP BY query_id"""
_COUNT_PRODUCT_VISITORS = """SELECT p.id, kind, number
    FROM (SELECT product, kind, count(DISTINCT visitor) AS number FROM events
    WHERE segment BETWEEN ?1 / 604800 AND ?2 / 604800 AND at >= ?1 AND at < ?2 GROUP BY product, kind)
    JOIN products AS p ON p.code = product"""
_NEWEST_OF_SEGMENT = """SELECT at, kind, p.id, v.hash, quantity, price, query_id, rank
    FROM (SELECT * FROM events WHERE segment = ? AND at >= ? ORDER BY at DESC, seq DESC LIMIT ?)
    JOIN products AS p ON p.code = product JOIN visitors AS v ON v.code = visitor ORDER BY at DESC, seq DESC"""
_SEGMENTS_SINCE = "SELECT number FROM segments WHERE number >= ? ORDER BY number DESC"
_HISTORY = """SELECT at, kind, p.id, v.hash, quantity, price, query_id, rank
    FROM visitors AS v CROSS JOIN segments AS s CROSS JOIN events AS e ON e.segment = s.number AND e.visitor = v.code
    JOIN products AS p ON p.code = product WHERE v.hash = ? AND ? >> kind & 1 ORDER BY at DESC, seq DESC LIMIT ?"""
_FORGET = "DELETE FROM events WHERE segment = ? AND visitor = (SELECT code FROM visitors WHERE hash = ?)"
_SEGMENTS = "SELECT number FROM segments ORDER BY number"
_EVENTS_OF_SEGMENT = """SELECT at, kind, p.id, v.hash, quantity, price, query_id, rank
    FROM events JOIN products AS p ON p.code = product JOIN visitors AS v ON v.code = visitor
    WHERE segment = ? ORDER BY at, seq"""
_OVERVIEW = """SELECT (SELECT coalesce(sum(events), 0) FROM segments), (SELECT count(*) FROM visitors),
    (SELECT count(*) FROM products), (SELECT count(*) FROM segments),
    (SELECT min(at) FROM events WHERE segment = (SELECT min(number) FROM segments)),
    (SELECT max(at) FROM events WHERE segment = (SELECT max(number) FROM segments))"""


@dataclass(frozen=True, slots=True)
class Event:
    """One action of a shopper on a product; `query_id` and `rank` name the result list and the position in it.

    `quantity` is a number of units, `price` that of one unit in the shop's currency.
    """

    kind: str
    product_id: str
    visitor: str
    query_id: str | None = None
    rank: int | None = None
    quantity: float | None = None
    price: float | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as stored: unix time in seconds, and the keyed hash in place of the visitor id."""

    at: int
    kind: str
    product_id: str
    visitor: bytes
    quantity: float | None = None
    price: float | None = None
    query_id: str | None = None
    rank: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what is stored as JSON values, with the time in ISO 8601 (UTC) and without empty ones."""
        values = {
            "time": datetime.fromtimestamp(self.at, timezone.utc).isoformat().replace("+00:00", "Z"),
            "type": self.kind,
            "product_id": self.product_id,
            "quantity": self.quantity,
            "price": self.price,
            "query_id": self.query_id,
            "rank": self.rank,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class LogOverview:
    """What a log has: numbers of events, visitors, products and weeks, the first and last unix time, and bytes."""

    events: int
    visitors: int
    products: int
    weeks: int
    first: int | None
    last: int | None
    bytes: int


class EventLog:
    """The events of one shop; threads may share it, and processes its file.

    When `add` returns, all readers see the events, and they survive the process. A power cut may lose the last ones
    (WAL with synchronous=NORMAL): so a batch need not wait for the disk. All methods raise StoreError.
    """

    def __init__(self, path: Path, limits: EventLimits) -> None:
        self.limits = limits
        self.file = EventFile(path)
        self._pruned_at = -PRUNE_SECONDS

    @classmethod
    def open(cls, home: Path, limits: EventLimits = EventLimits()) -> EventLog:  # noqa: B008 - it is frozen
        """Open the shop's log, created when absent. Adding events removes those beyond the limits.

        Raises StoreError, DamagedStore when the file is no event log, NewerStore.
        """
        return cls(ShopHome(home).events, limits)

    def key_of(self, visitor: str) -> bytes:
        """Return the keyed hash of a visitor id: 16 bytes."""
        return hashlib.blake2b(visitor.encode("utf-8"), key=self.file.salt, digest_size=16).digest()

    def add(self, events: Sequence[Event], now: float | None = None) -> int:
        """Append events as of `now` (unix seconds, or the clock), all or none; returns how many."""
        at = max(int(time.time() if now is None else now), 0)
        segment = segment_of(at)
        hashes = {visitor: self.key_of(visitor) for visitor in {event.visitor for event in events}}
        with self.file.writing() as db:
            self._prune(db, at, len(events))
            db.executemany(ADD_PRODUCT, [(product_id,) for product_id in {event.product_id for event in events}])
            db.executemany(ADD_VISITOR, [(key, segment) for key in hashes.values()])
            db.execute(ADD_TO_SEGMENT, (segment, len(events), 0))
            numbers = range(take_numbers(db, len(events)), NO_LIMIT)
            db.executemany(_ADD_EVENT, [
                (segment, at, seq, EVENT_KINDS.index(e.kind), e.quantity, e.price, e.query_id, e.rank,
                 hashes[e.visitor], e.product_id)
                for seq, e in zip(numbers, events, strict=False)
            ])  # fmt: skip
        return len(events)

    def prune(self, now: float | None = None) -> int:
        """Remove the events beyond the limits, if that has not been done in the last hour; return how many."""
        at = max(int(time.time() if now is None else now), 0)
        if abs(at - self._pruned_at) < PRUNE_SECONDS:
            self.file.retry_empty_wal()
            return 0
        with self.file.writing() as db:
            return self._prune(db, at, 0)

    def newest(self, limit: int, since: float = 0.0) -> list[StoredEvent]:
        """Return at most `limit` events since a time, newest first. Does not block writers."""
        rows: list[tuple[Any, ...]] = []
        with self.file.reading() as db:
            for (segment,) in db.execute(_SEGMENTS_SINCE, (segment_of(int(since)),)).fetchall():
                if len(rows) >= limit:
                    break
                rows += db.execute(_NEWEST_OF_SEGMENT, (segment, int(since), limit - len(rows)))
        return list(_stored(rows))

    def iterate(self) -> Iterator[StoredEvent]:
        """Yield all events in the order of their times, as of one moment."""
        with self.file.reading() as db:
            for (segment,) in db.execute(_SEGMENTS).fetchall():
                yield from _stored(db.execute(_EVENTS_OF_SEGMENT, (segment,)))

    def history(self, visitor: str, limit: int = NO_LIMIT, kinds: Collection[str] = EVENT_KINDS) -> list[StoredEvent]:
        """Return the events of a visitor of these kinds, at most the `limit` newest of them, oldest first."""
        bits = sum(1 << EVENT_KINDS.index(kind) for kind in kinds)
        return list(_stored(reversed(self._read(_HISTORY, self.key_of(visitor), bits, limit))))

    def export(self, visitor: str) -> dict[str, Any]:
        """Return all that is stored about a visitor, as JSON values: for one who asks for it."""
        return {"visitor": self.key_of(visitor).hex(), "events": [event.to_dict() for event in self.history(visitor)]}

    def visitors(self, since: float, until: float) -> tuple[int, dict[str, int]]:
        """Return how many visitors there were in a time, and how many of them did each kind of event."""
        (total,) = self._read(_COUNT_ALL_VISITORS, int(since), int(until))[0]
        return int(total), {EVENT_KINDS[kind]: n for kind, n in self._read(_COUNT_VISITORS, int(since), int(until))}

    def product_counts(self, since: float, until: float) -> dict[str, dict[str, int]]:
        """Return the number of events of each kind in a time, by product."""
        counts: dict[str, dict[str, int]] = {}
        for product_id, kind, times in self._read(_COUNT_PRODUCTS, int(since), int(until)):
            counts.setdefault(product_id, {})[EVENT_KINDS[kind]] = times
        return counts

    def clicked(self, since: float, until: float) -> dict[str, int]:
        """Return by query id on how many occasions a result was clicked; a visitor counts once a day for a query."""
        return dict(self._read(_COUNT_CLICKED, int(since), int(until), EVENT_KINDS.index(CLICK)))

    def clickers(self, since: float, until: float) -> dict[str, int]:
        """Return by query id how many visitors clicked a result in a time."""
        return dict(self._read(_COUNT_CLICKERS, int(since), int(until), EVENT_KINDS.index(CLICK)))

    def product_visitors(self, since: float, until: float) -> dict[str, dict[str, int]]:
        """Return how many visitors there were to each kind of event in a time, by product."""
        visitors: dict[str, dict[str, int]] = {}
        for product_id, kind, number in self._read(_COUNT_PRODUCT_VISITORS, int(since), int(until)):
            visitors.setdefault(product_id, {})[EVENT_KINDS[kind]] = number
        return visitors

    def count(self) -> int:
        """Return the number of events."""
        return self.overview().events

    def overview(self) -> LogOverview:
        """Return what the log has."""
        return LogOverview(*(*self._read(_OVERVIEW)[0], self.file.size))

    def last(self) -> int:
        """Return a number that grows with every event that is added and every visitor that is forgotten."""
        return int(self._read(_LAST_NUMBER)[0][0])

    def forget(self, visitor: str) -> int:
        """Remove all events of a visitor who asks for it; returns how many there were.

        When this returns, no later reader sees them, they do not come back after a loss of power, and the file has no
        visitor's hash. The write-ahead log has none either, unless somebody still reads an older moment after
        EMPTY_WAL_S: then it is emptied by the first event, prune or removal of this process after that reader.
        """
        key = self.key_of(visitor)
        with self.file.writing(durable=True) as db:
            segments = db.execute(_SEGMENTS).fetchall()
            removed = [(number, db.execute(_FORGET, (number, key)).rowcount) for (number,) in segments]
            known = db.execute("DELETE FROM visitors WHERE hash = ?", (key,)).rowcount
            events = subtract(db, [(number, count) for number, count in removed if count])
            take_numbers(db, known)
        if known:
            self.file.empty_wal()
        return events

    def close(self) -> None:
        """Close the file; the log cannot be used afterwards."""
        self.file.close()

    def _prune(self, db: sqlite3.Connection, at: int, adding: int) -> int:
        expired = 0
        if abs(at - self._pruned_at) >= PRUNE_SECONDS:
            expired = remove_expired(db, self.limits, at)
            if expired < MAX_REMOVED:
                self._pruned_at = at
        return expired + remove_excess(db, self.limits, adding)

    def _read(self, query: str, *parameters: int | bytes) -> list[tuple[Any, ...]]:
        with self.file.reading() as db:
            return db.execute(query, parameters).fetchall()


def take_numbers(db: sqlite3.Connection, count: int) -> int:
    """Return the first of `count` numbers that no event has, in db's transaction."""
    (last,) = db.execute(_LAST_NUMBER).fetchone()
    db.execute(_TAKE_NUMBERS, (count,))
    return int(last) + 1


def _stored(rows: Iterable[tuple[Any, ...]]) -> Iterator[StoredEvent]:
    for at, kind, *rest in rows:
        yield StoredEvent(at, EVENT_KINDS[kind], *rest)
