"""Store merchants' decisions on suggestions (accepted, corrected, declined) with the rows of the pictures.

Light to import. feedback_suggester.py and refit_heads.py learn from the decisions.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.home import ShopHome
from catalog.storage.sqlite import open_database, store_errors, transaction

DECISION_PREFIX = "decided:"  # starts the ids of neighbours that are decided listings, not products
ACCEPTED, CORRECTED, DECLINED = "accepted", "corrected", "declined"
MAX_LISTINGS = 50_000  # listings whose decisions are stored; the oldest are dropped first
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID",
    "INSERT OR IGNORE INTO about VALUES ('format', 1), ('changes', 0)",
    """CREATE TABLE IF NOT EXISTS items (item TEXT PRIMARY KEY, content TEXT, fingerprint TEXT, vectors BLOB,
    at INTEGER)""",
    """CREATE TABLE IF NOT EXISTS decisions (item TEXT REFERENCES items ON DELETE CASCADE, field TEXT, suggested TEXT,
    decided TEXT, kind TEXT, PRIMARY KEY (item, field)) WITHOUT ROWID""",
)
_DROP_OLD = "DELETE FROM items WHERE item IN (SELECT item FROM items ORDER BY at DESC, item LIMIT -1 OFFSET ?)"
_COUNT_LISTINGS = "SELECT count(*) FROM items WHERE at >= ? AND at < ?"
_COUNT_FIELDS = """SELECT kind, count(*) FROM decisions JOIN items ON items.item = decisions.item
    WHERE at >= ? AND at < ? GROUP BY kind"""
_SELECT_DECISIONS = """SELECT items.item, content, vectors, field, decided
    FROM items JOIN decisions ON decisions.item = items.item WHERE fingerprint = ? ORDER BY items.item"""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on one field of a listing: the suggested value ("" = none), the decided one (None = declined)."""

    field: str
    suggested: str
    decided: str | None

    @property
    def kind(self) -> str:
        """Return ACCEPTED, CORRECTED or DECLINED."""
        if self.decided is None:
            return DECLINED
        return ACCEPTED if self.decided == self.suggested else CORRECTED


@dataclass(frozen=True, slots=True)
class Item:
    """A decided listing: a name for it, the content hash of its first picture, the rows of its pictures.

    `vectors` are float16 bytes, a row of the shop's layout for each picture, made by the encoder `fingerprint`.
    """

    name: str
    content: str
    fingerprint: str
    vectors: bytes


@dataclass(frozen=True, slots=True)
class DecidedListing:
    """A decided listing and its labels by field."""

    item: str
    content: str
    vectors: bytes
    labels: Mapping[str, str]


class DecisionStore:
    """The decisions of one shop. Threads and processes may share it, because every call opens the file."""

    def __init__(self, home: Path) -> None:
        self._path = ShopHome(home).decisions

    def record(self, decided: Sequence[tuple[Item, Sequence[Decision]]]) -> None:
        """Replace the decisions on these listings, durably; without decisions a listing is forgotten."""
        with self._db() as db, transaction(db):
            for item, decisions in decided:
                db.execute("DELETE FROM items WHERE item = ?", (item.name,))
                if not decisions:
                    continue
                row = (item.name, item.content, item.fingerprint, item.vectors, int(time.time()))
                db.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?)", row)
                fields = [(item.name, d.field, d.suggested, d.decided, d.kind) for d in decisions]
                db.executemany("INSERT INTO decisions VALUES (?, ?, ?, ?, ?)", fields)
            db.execute(_DROP_OLD, (MAX_LISTINGS,))
            db.execute("UPDATE about SET value = value + 1 WHERE name = 'changes'")

    def changes(self) -> int:
        """Return a number that grows whenever decisions change; 0 without a file."""
        if not self._path.is_file():
            return 0
        with self._db() as db:
            return int(db.execute("SELECT value FROM about WHERE name = 'changes'").fetchone()[0])

    def counts(self) -> dict[str, int]:
        """Count the accepted, corrected and declined fields."""
        counts = dict.fromkeys((ACCEPTED, CORRECTED, DECLINED), 0)
        if self._path.is_file():
            with self._db() as db:
                counts |= dict(db.execute("SELECT kind, count(*) FROM decisions GROUP BY kind").fetchall())
        return counts

    def counts_between(self, since: float, until: float) -> tuple[int, dict[str, int]]:
        """Count the listings decided in a time, and the accepted, corrected and declined fields of them."""
        counts = dict.fromkeys((ACCEPTED, CORRECTED, DECLINED), 0)
        if not self._path.is_file():
            return 0, counts
        with self._db() as db:
            (listings,) = db.execute(_COUNT_LISTINGS, (int(since), int(until))).fetchone()
            return int(listings), counts | dict(db.execute(_COUNT_FIELDS, (int(since), int(until))).fetchall())

    def examples(self, fingerprint: str) -> list[DecidedListing]:
        """Return the listings not wholly declined whose rows this encoder made, in order of their names."""
        if not self._path.is_file():
            return []
        found: dict[str, tuple[str, bytes, dict[str, str]]] = {}
        with self._db() as db:
            for item, content, vectors, field, decided in db.execute(_SELECT_DECISIONS, (fingerprint,)):
                labels = found.setdefault(item, (content, vectors, {}))[2]
                if decided:
                    labels[field] = decided
        return [
            DecidedListing(item, content, vectors, labels)
            for item, (content, vectors, labels) in found.items()
            if labels
        ]

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        errors = store_errors(f"The decisions {self._path}", "Look at the disk.", "Move that file away.")
        with errors, closing(open_database(self._path, ("PRAGMA foreign_keys = ON",), _SCHEMA)) as db:
            yield db
