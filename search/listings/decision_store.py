"""What merchants decided about suggestions: accepted, corrected, declined; kept with the pictures' rows, to learn from.

A module of few imports; what is learnt from decisions is in search/listings/feedback_suggester.py and
search/listings/refit_heads.py.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.storage.sqlite import open_database, store_errors, transaction

FILE = "decisions.sqlite"
ACCEPTED, CORRECTED, DECLINED = "accepted", "corrected", "declined"
MOST = 50_000  # listings whose decisions are kept; the oldest go first
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID",
    "INSERT OR IGNORE INTO about VALUES ('format', 1), ('changes', 0)",
    """CREATE TABLE IF NOT EXISTS items (item TEXT PRIMARY KEY, content TEXT, fingerprint TEXT, vectors BLOB,
    at INTEGER)""",
    """CREATE TABLE IF NOT EXISTS decisions (item TEXT REFERENCES items ON DELETE CASCADE, field TEXT, suggested TEXT,
    decided TEXT, kind TEXT, PRIMARY KEY (item, field)) WITHOUT ROWID""",
)
_DROP_OLD = "DELETE FROM items WHERE item IN (SELECT item FROM items ORDER BY at DESC, item LIMIT -1 OFFSET ?)"
_READ = """SELECT items.item, content, vectors, field, decided FROM items JOIN decisions ON decisions.item = items.item
    WHERE fingerprint = ? ORDER BY items.item"""


@dataclass(frozen=True, slots=True)
class Decision:
    """One field of one listing: what was suggested ("" = nothing), what was decided (None = declined)."""

    field: str
    suggested: str
    decided: str | None

    @property
    def kind(self) -> str:
        """Accepted, corrected or declined."""
        if self.decided is None:
            return DECLINED
        return ACCEPTED if self.decided == self.suggested else CORRECTED


@dataclass(frozen=True, slots=True)
class Item:
    """A listing that was decided on: a name for it, the content hash of its first picture, the rows of its pictures.

    `vectors` are float16 bytes, a row of the shop's layout for each picture, made by the encoder `fingerprint`.
    """

    name: str
    content: str
    fingerprint: str
    vectors: bytes


@dataclass(frozen=True, slots=True)
class Example:
    """A listing and what it is called, by field."""

    item: str
    content: str
    vectors: bytes
    labels: Mapping[str, str]


class DecisionStore:
    """The decisions of one shop; shared by threads and processes, because every call opens the file anew."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def keep(self, decided: Sequence[tuple[Item, Sequence[Decision]]]) -> None:
        """Keep what was decided on listings in place of what was before; nothing decided forgets it. Durable."""
        with self._db() as db, transaction(db):
            for item, of in decided:
                db.execute("DELETE FROM items WHERE item = ?", (item.name,))
                if not of:
                    continue
                row = (item.name, item.content, item.fingerprint, item.vectors, int(time.time()))
                db.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?)", row)
                fields = [(item.name, one.field, one.suggested, one.decided, one.kind) for one in of]
                db.executemany("INSERT INTO decisions VALUES (?, ?, ?, ?, ?)", fields)
            db.execute(_DROP_OLD, (MOST,))
            db.execute("UPDATE about SET value = value + 1 WHERE name = 'changes'")

    def changes(self) -> int:
        """A number that is another one whenever decisions have changed; 0 when there are none."""
        if not self._path.is_file():
            return 0
        with self._db() as db:
            return int(db.execute("SELECT value FROM about WHERE name = 'changes'").fetchone()[0])

    def counts(self) -> dict[str, int]:
        """How many fields were accepted, corrected and declined."""
        counts = dict.fromkeys((ACCEPTED, CORRECTED, DECLINED), 0)
        if self._path.is_file():
            with self._db() as db:
                counts |= dict(db.execute("SELECT kind, count(*) FROM decisions GROUP BY kind").fetchall())
        return counts

    def examples(self, fingerprint: str) -> list[Example]:
        """The listings that were not wholly declined and whose rows that encoder made, in order of their names."""
        if not self._path.is_file():
            return []
        found: dict[str, tuple[str, bytes, dict[str, str]]] = {}
        with self._db() as db:
            for item, content, vectors, field, decided in db.execute(_READ, (fingerprint,)):
                labels = found.setdefault(item, (content, vectors, {}))[2]
                if decided:
                    labels[field] = decided
        return [Example(item, content, vectors, of) for item, (content, vectors, of) in found.items() if of]

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        errors = store_errors(f"The decisions {self._path}", "Look at the disk.", "Move that file away.")
        with errors, closing(open_database(self._path, ("PRAGMA foreign_keys = ON",), _SCHEMA)) as db:
            yield db
