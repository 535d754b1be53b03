"""The SQLite file of a shop's reviews: its tables, its key, and the number that grows with what is shown."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from catalog.errors import DamagedStore, NewerStore
from catalog.storage.sqlite import DISK_ERRORS, open_database, read_statements, store_errors, transaction

REVIEWS_FORMAT = 1
READ_TIMEOUT_S = 1.0  # a shopper waits meanwhile
WRITE_TIMEOUT_S = 10.0  # an import may write meanwhile, a batch at a time
_SETUP = ("PRAGMA secure_delete = ON", "PRAGMA synchronous = NORMAL", "PRAGMA cache_size = -8192")
_IMPORT_CACHE = "PRAGMA cache_size = -65536"  # KiB
_SCHEMA = tuple(read_statements(Path(__file__).with_name("reviews_schema.sql")))
_FIRST = "INSERT OR IGNORE INTO about VALUES (?, ?)"
_GET = "SELECT value FROM about WHERE name = ?"
_RAISE_CHANGE = "UPDATE about SET value = value + 1 WHERE name = 'change'"


class ReviewFile:
    """The file, opened for every use: threads and processes may share it. Raises StoreError, DamagedStore, NewerStore.

    `secret` is the key of the hashes of visitors, read once.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._secret = b""

    @property
    def exists(self) -> bool:
        """Whether the shop has ever had a review."""
        return self.path.is_file()

    @property
    def size(self) -> int:
        """The bytes of the file and its write-ahead log."""
        paths = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(path.stat().st_size for path in paths if path.is_file())

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one moment; writers go on meanwhile. The file must exist."""
        with self._open(READ_TIMEOUT_S) as db:
            db.execute("BEGIN")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def writing(self, *, many: bool = False, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield a connection for one transaction; `many` for a batch of an import.

        A `durable` one survives a loss of power, and leaves nothing of what it removed in the write-ahead log.
        """
        with self._open(WRITE_TIMEOUT_S) as db:
            if many:
                db.execute(_IMPORT_CACHE)
            if durable:
                db.execute("PRAGMA synchronous = FULL")
            with transaction(db):
                yield db
            if durable:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def key_of(self, visitor: str) -> bytes:
        """Return the keyed hash of a visitor's id or mail address: 16 bytes. Mail addresses ignore case."""
        visitor = visitor.strip()
        return self.digest(visitor.casefold() if "@" in visitor else visitor)

    def digest(self, *parts: str) -> bytes:
        """Return the keyed hash of some texts: 16 bytes."""
        if not self._secret:
            with self._open(WRITE_TIMEOUT_S) as db:
                self._secret = bytes(db.execute(_GET, ("salt",)).fetchone()[0])
        hashed = hashlib.blake2b(key=self._secret, digest_size=16)
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")
            hashed.update(b"%d:" % len(data) + data)
        return hashed.digest()

    @contextmanager
    def _open(self, timeout_s: float) -> Iterator[sqlite3.Connection]:
        with store_errors(
            f"The reviews {self.path}",
            "Check that their folder may be written and that the disk has room.",
            "Restore that file from a backup, or move it away.",
            DISK_ERRORS,
        ):
            created = not self.path.is_file()
            if created:
                self.path.touch(mode=0o600)
            with closing(open_database(self.path, _SETUP, _SCHEMA, timeout_s=timeout_s)) as db:
                db.create_function("casefold", 1, str.casefold, deterministic=True)  # lower() knows ASCII alone
                self._check(db)
                yield db

    def _check(self, db: sqlite3.Connection) -> None:
        """Check that the file has reviews in a format that can be read; give a new file its first values."""
        tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('about', 'reviews')").fetchone()[0]
        if tables != 2:
            raise DamagedStore(f"{self.path} is a database without reviews.", "Move that file away.")
        found = db.execute(_GET, ("format",)).fetchone()
        if found is None:
            with transaction(db):
                values = (("format", REVIEWS_FORMAT), ("salt", secrets.token_bytes(32)), ("change", 0), ("model", ""))
                db.executemany(_FIRST, values)
        elif int(found[0]) > REVIEWS_FORMAT:
            raise NewerStore(f"{self.path} was written by a newer Windowshop.", "Upgrade Windowshop.")


def change_of(db: sqlite3.Connection) -> int:
    """Return the number that grows with what is shown."""
    return int(db.execute(_GET, ("change",)).fetchone()[0])


def raise_change(db: sqlite3.Connection) -> None:
    """Note that what is shown has changed."""
    db.execute(_RAISE_CHANGE)
