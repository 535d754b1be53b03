"""The SQLite file of price alerts: its tables, and the key of the hashes and tokens, which stands in the file."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from catalog.home import ShopHome
from catalog.storage.sqlite import DISK_ERRORS, open_database, store_errors, transaction

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "INSERT OR IGNORE INTO about VALUES ('format', 1)",
    """CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, visitor BLOB NOT NULL, product TEXT NOT NULL,
    title TEXT NOT NULL, at_most TEXT, price TEXT NOT NULL, currency TEXT NOT NULL, reference TEXT NOT NULL,
    at INTEGER NOT NULL, unseen INTEGER NOT NULL DEFAULT 1, UNIQUE (visitor, product)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS alerts_by_product ON alerts (product)",
    "CREATE INDEX IF NOT EXISTS unseen_alerts ON alerts (unseen) WHERE unseen = 1",
    """CREATE TABLE IF NOT EXISTS fired (id TEXT PRIMARY KEY, visitor BLOB NOT NULL, product TEXT NOT NULL,
    title TEXT NOT NULL, at_most TEXT, price TEXT NOT NULL, currency TEXT NOT NULL, reference TEXT NOT NULL,
    at INTEGER NOT NULL, fired_price TEXT NOT NULL, fired_at INTEGER NOT NULL, delivery TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, retry_at REAL NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
    sent_at INTEGER) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS fired_by_visitor ON fired (visitor, fired_at)",
    "CREATE INDEX IF NOT EXISTS fired_to_send ON fired (retry_at) WHERE delivery = 'pending'",
)
_SETUP = ("PRAGMA secure_delete = ON", "PRAGMA synchronous = FULL")


class AlertFile:
    """The file of one shop. Threads and processes may share it, because every use opens it.

    Raises StoreError where it cannot be read or written, DamagedStore where it is no database.
    """

    def __init__(self, home: Path) -> None:
        self.path = ShopHome(home).price_alerts

    @property
    def exists(self) -> bool:
        """Whether anybody has ever set an alert; without one there is no file."""
        return self.path.is_file()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection, made with the file when that is absent."""
        name = f"The price alerts {self.path}"
        with store_errors(name, "Look at the disk.", "Move that file away.", DISK_ERRORS):
            self.path.touch(mode=0o600)
            with closing(open_database(self.path, _SETUP, SCHEMA)) as db:
                yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for one transaction: committed at the end, rolled back on any error."""
        with self.reading() as db, transaction(db):
            yield db

    def empty_wal(self) -> None:
        """Empty the write-ahead log, so that it has no copy of what was removed."""
        with self.reading() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def key_of(db: sqlite3.Connection) -> bytes:
    """Return the shop's key: 32 random bytes, which the first call of a shop makes."""
    row = db.execute("SELECT value FROM about WHERE name = 'key'").fetchone()
    if row is None:
        db.execute("INSERT OR IGNORE INTO about VALUES ('key', ?)", (secrets.token_bytes(32),))
        row = db.execute("SELECT value FROM about WHERE name = 'key'").fetchone()
    key: bytes = row[0]
    return key


def hash_of(db: sqlite3.Connection, visitor: str) -> bytes:
    """Return the keyed hash of a visitor id: 16 bytes."""
    return hashlib.blake2b(visitor.encode("utf-8", "surrogatepass"), key=key_of(db), digest_size=16).digest()
