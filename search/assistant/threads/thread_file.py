"""The SQLite file of conversations: how it is opened, its key, and its errors as ours."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from catalog.errors import DamagedStore, NewerStore
from catalog.home import ShopHome
from catalog.storage.sqlite import DISK_ERRORS, open_database, read_statements, store_errors, transaction

FORMAT = 1
KEY_BYTES = 16
TIMEOUT_S = 5.0
_SALT_BYTES = 32
_SETUP = ("PRAGMA synchronous = FULL", "PRAGMA secure_delete = ON")
_SCHEMA = tuple(read_statements(Path(__file__).with_name("threads.sql")))


class ThreadFile:
    """The file of one shop's conversations, made when first used. Threads and processes may share it.

    Every call opens the file. Ids of visitors and addresses of e-mail are stored only as keyed hashes (BLAKE2b, 128
    bits) with a random key of the shop, so that ids of two shops cannot be matched. All methods raise StoreError,
    DamagedStore where the file is none of conversations, and NewerStore.
    """

    def __init__(self, home: Path) -> None:
        self._path = ShopHome(home).threads
        self._lock = threading.Lock()
        self._salt = b""

    def key_of(self, kind: str, text: str) -> bytes:
        """Return the keyed hash of a text: 16 bytes. Equal texts of two kinds have different hashes."""
        if not self._salt:
            with self.reading():
                pass
        words = f"{kind}\0{text}".encode("utf-8", "replace")
        return hashlib.blake2b(words, key=self._salt, digest_size=KEY_BYTES).digest()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the block the database in one transaction; it is on the disk when the block has ended."""
        with self._open() as db, transaction(db):
            yield db

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the block the database as of one moment."""
        with self._open() as db:
            db.execute("BEGIN")
            yield db
            db.execute("COMMIT")

    def empty_wal(self) -> None:
        """Write the write-ahead log into the file and empty it, so that it has no copy of what was removed.

        Where somebody reads an older moment for long, the log stays until the next removal.
        """
        with self._open() as db, suppress(sqlite3.OperationalError):
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        hint = "Check that its folder may be written, that the disk has room, and that no other program uses it."
        damaged_hint = "Move it away; a new one is made."
        with store_errors(f"The file of conversations {self._path}", hint, damaged_hint, errors=DISK_ERRORS):
            if not self._path.is_file():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch(mode=0o600)  # only the server's account reads what customers write
            with closing(open_database(self._path, _SETUP, _SCHEMA, timeout_s=TIMEOUT_S)) as db:
                self._prepare(db)
                yield db

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Read the key of the hashes, and make it in a new file."""
        with self._lock:
            if self._salt:
                return
            rows = dict(db.execute("SELECT name, value FROM about"))
            if not rows:
                with transaction(db):
                    db.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (FORMAT,))
                    db.execute("INSERT OR IGNORE INTO about VALUES ('salt', ?)", (secrets.token_bytes(_SALT_BYTES),))
                rows = dict(db.execute("SELECT name, value FROM about"))
            version, salt = rows.get("format"), rows.get("salt")
            if not isinstance(version, int) or not isinstance(salt, bytes) or len(salt) != _SALT_BYTES:
                raise DamagedStore(f"{self._path} is no file of conversations.", "Move that file away.")
            if version > FORMAT:
                raise NewerStore(f"{self._path} was written by a newer Windowshop.", "Upgrade Windowshop.")
            self._salt = salt
