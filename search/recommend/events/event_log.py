"""The event log: views, clicks, carts and purchases of shoppers, in one bounded SQLite file.

Clients send an opaque visitor id, and the log stores only its keyed hash (BLAKE2b, 128 bits). Each shop has a random
key, so ids of two shops cannot be matched, and guessed ids cannot be looked up without the shop's file. The log has no
address, no browser and no account.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import DamagedStore, NewerStore, StoreError
from catalog.home import ShopHome
from catalog.storage.sqlite import open_database, store_errors, transaction

VIEW, CLICK, CART, PURCHASE = "view", "click", "cart", "purchase"
EVENT_KINDS = (VIEW, CLICK, CART, PURCHASE)
MAX_EVENTS = 500  # events in a request
MAX_PRODUCT_ID, MAX_VISITOR, MAX_QUERY_ID, MAX_RANK = 500, 128, 128, 10_000  # characters, and places of a ranking
MAX_ROWS = 1_000_000
MAX_DAYS = 90
DAY_S = 86_400
EVENT_LOG_FORMAT = 1
_TIMEOUT_S = 5.0

_SCHEMA = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind INTEGER NOT NULL,
        product_id TEXT NOT NULL, visitor BLOB NOT NULL, query_id TEXT, rank INTEGER)""",
)
_INSERT_EVENT = "INSERT INTO events (at, kind, product_id, visitor, query_id, rank) VALUES (?, ?, ?, ?, ?, ?)"
_PRUNE_EXCESS = "DELETE FROM events WHERE seq <= (SELECT max(seq) FROM events) - ?"
# Rows are in the order of their times, except after a clock was set back, so only the old ones are scanned.
_PRUNE_OLD = """DELETE FROM events
    WHERE seq < coalesce((SELECT seq FROM events WHERE at >= ? ORDER BY seq LIMIT 1), 1 << 62)"""
_COUNT_VISITORS = "SELECT kind, count(DISTINCT visitor) FROM events WHERE at >= ? AND at < ? GROUP BY kind"
_COUNT_ALL_VISITORS = "SELECT count(DISTINCT visitor) FROM events WHERE at >= ? AND at < ?"
_COUNT_PRODUCTS = "SELECT product_id, kind, count(*) FROM events WHERE at >= ? AND at < ? GROUP BY product_id, kind"
# Days are local ones, as those of the counts of searches.
_COUNT_CLICKED = """SELECT query_id, count(DISTINCT hex(visitor) || date(at, 'unixepoch', 'localtime')) FROM events
    WHERE at >= ? AND at < ? AND kind = ? AND query_id IS NOT NULL GROUP BY query_id"""
_COUNT_CLICKERS = """SELECT query_id, count(DISTINCT visitor) FROM events
    WHERE at >= ? AND at < ? AND kind = ? AND query_id IS NOT NULL GROUP BY query_id"""
_COUNT_PRODUCT_VISITORS = """SELECT product_id, kind, count(DISTINCT visitor) FROM events
    WHERE at >= ? AND at < ? GROUP BY product_id, kind"""
_SELECT_VISITOR = "SELECT at, kind, product_id, query_id, rank FROM events WHERE visitor = ? ORDER BY seq"
_SELECT_NEWEST = "SELECT at, kind, product_id, visitor FROM events WHERE at >= ? ORDER BY seq DESC LIMIT ?"
_SELECT_HISTORY = "SELECT at, kind, product_id, visitor FROM events WHERE visitor = ? ORDER BY seq DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Event:
    """One action of a shopper on a product; `query_id` and `rank` name the result list and the position in it."""

    kind: str
    product_id: str
    visitor: str
    query_id: str | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as stored: unix time in seconds, and the keyed hash in place of the visitor id."""

    at: int
    kind: str
    product_id: str
    visitor: bytes


@dataclass(frozen=True, slots=True)
class VisitorEvent:
    """An event of one visitor, as that visitor may see it: unix time in seconds, and what was done to which product."""

    at: int
    kind: str
    product_id: str
    query_id: str | None
    rank: int | None


class EventLog:
    """The events of one shop; threads may share it, and processes its file.

    When `add` returns, all readers see the events, and they survive the process. A power cut may lose the last ones
    (WAL with synchronous=NORMAL): so a batch need not wait for the disk.
    """

    def __init__(self, path: Path, max_rows: int, max_days: float) -> None:
        self._path = path
        self._max_rows = max_rows
        self._max_days = max_days
        self._lock = threading.Lock()
        self._closed = False
        with self._store_errors():
            self._db = self._connect()
            try:
                self._salt = self._prepare()
            except BaseException:
                self._db.close()
                raise

    @classmethod
    def open(cls, home: Path, *, max_rows: int = MAX_ROWS, max_days: float = MAX_DAYS) -> EventLog:
        """Open the shop's log, created when absent. It keeps the newest `max_rows` events, none older than `max_days`.

        Raises StoreError, DamagedStore when the file is no event log, NewerStore.
        """
        return cls(ShopHome(home).events, max_rows, max_days)

    def key_of(self, visitor: str) -> bytes:
        """Return the keyed hash of a visitor id: 16 bytes."""
        return hashlib.blake2b(visitor.encode("utf-8"), key=self._salt, digest_size=16).digest()

    def add(self, events: Sequence[Event], now: float | None = None) -> int:
        """Append events as of `now` (unix seconds, or the clock), all or none; returns how many. Raises StoreError."""
        at = int(time.time() if now is None else now)
        rows = [
            (at, EVENT_KINDS.index(e.kind), e.product_id, self.key_of(e.visitor), e.query_id, e.rank) for e in events
        ]
        with self._writing() as db:
            db.executemany(_INSERT_EVENT, rows)
            db.execute(_PRUNE_EXCESS, (self._max_rows,))
            db.execute(_PRUNE_OLD, (at - int(self._max_days * DAY_S),))
        return len(rows)

    def newest(self, limit: int, since: float = 0.0) -> list[StoredEvent]:
        """Return at most `limit` events since a time, newest first. Does not block writers. Raises StoreError."""
        rows = self._read(_SELECT_NEWEST, int(since), limit)
        return [StoredEvent(at, EVENT_KINDS[kind], product_id, visitor) for at, kind, product_id, visitor in rows]

    def of_visitor(self, visitor: str) -> list[VisitorEvent]:
        """Return all events of a visitor, the oldest first. Raises StoreError."""
        rows = self._read(_SELECT_VISITOR, self.key_of(visitor))
        return [VisitorEvent(at, EVENT_KINDS[kind], *rest) for at, kind, *rest in rows]

    def history(self, visitor: str, limit: int) -> list[StoredEvent]:
        """Return at most `limit` newest events of a visitor, the oldest first. Raises StoreError."""
        rows = self._read(_SELECT_HISTORY, self.key_of(visitor), limit)
        return [StoredEvent(at, EVENT_KINDS[kind], product_id, who) for at, kind, product_id, who in reversed(rows)]

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
        return int(self._read("SELECT count(*) FROM events")[0][0])

    def last(self) -> int:
        """Return the sequence number of the newest event ever added; it changes with every event."""
        return int(self._read("SELECT coalesce(max(seq), 0) FROM events")[0][0])

    def forget(self, visitor: str) -> int:
        """Remove all events of a visitor who asks for it; returns how many there were."""
        with self._writing() as db:
            return db.execute("DELETE FROM events WHERE visitor = ?", (self.key_of(visitor),)).rowcount

    def close(self) -> None:
        """Close the file; the log cannot be used afterwards."""
        with self._lock:
            self._closed = True
            self._db.close()

    def _read(self, query: str, *parameters: int | bytes) -> list[tuple[Any, ...]]:
        with self._store_errors(), closing(self._connect()) as db:
            return db.execute(query, parameters).fetchall()

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"{self._path} has been closed.", "Open the event log again.")
        return open_database(self._path, ("PRAGMA synchronous = NORMAL",), timeout_s=_TIMEOUT_S)

    def _prepare(self) -> bytes:
        """Create the tables if there are none, check that they are ours, and return the key of the hashes."""
        with self._writing() as db:
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                for statement in _SCHEMA:
                    db.execute(statement)
                values = [("format", str(EVENT_LOG_FORMAT).encode()), ("salt", secrets.token_bytes(32))]
                db.executemany("INSERT INTO about VALUES (?, ?)", values)
            elif not {"about", "events"} <= tables:
                raise DamagedStore(f"{self._path} is a database, but no event log.", "Move that file away.")
            about = dict(db.execute("SELECT name, value FROM about"))
        version, salt = about.get("format", b""), about.get("salt", b"")
        if not (isinstance(version, bytes) and version.isdigit() and isinstance(salt, bytes) and len(salt) == 32):
            raise DamagedStore(f"{self._path} is not a readable event log.", "Move that file away.")
        if int(version) > EVENT_LOG_FORMAT:
            raise NewerStore(f"{self._path} was written by a newer Windowshop.", "Upgrade Windowshop.")
        return salt

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for one transaction: commit at the end, roll back on any error."""
        with self._lock, self._store_errors():
            if self._closed:
                raise StoreError(f"{self._path} has been closed.", "Open the event log again.")
            with transaction(self._db):
                yield self._db

    def _store_errors(self) -> AbstractContextManager[None]:
        return store_errors(
            f"The event log {self._path}",
            "Check that its folder may be written, that the disk has room, and that no other program uses it.",
            "Move it away; opening the shop creates a new one.",
        )
