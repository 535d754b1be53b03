"""The SQLite file of the event log: its tables and their older forms, its key, one writer and many readers."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

from catalog.errors import DamagedStore, NewerStore, StoreError
from catalog.storage.sqlite import open_database, read_statements, store_errors, transaction

EVENT_LOG_FORMAT = 2
TIMEOUT_S = 5.0
OPEN_TIMEOUT_S = 120.0  # while another process brings a file of format 1 up to date
EMPTY_WAL_S = 0.5  # wait for readers whose moment is older than the removal
RETRY_S = 0.02
IDLE_READERS = 8  # connections left open for the next readers

_SCHEMA = Path(__file__).with_name("event_schema.sql")
_WRITER = (
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",
    "PRAGMA cache_size = -16384",  # KiB
    "PRAGMA temp_store = MEMORY",
)
_READER = ("PRAGMA query_only = ON",)
_FROM_FORMAT_1 = (
    "INSERT INTO products (id) SELECT DISTINCT product_id FROM events_1",
    """INSERT INTO visitors (hash, last_segment)
        SELECT visitor, max(max(at, 0)) / 604800 FROM events_1 GROUP BY visitor""",
    """INSERT INTO events
        SELECT max(at, 0) / 604800, v.code, max(at, 0), seq, kind, p.code, NULL, NULL, query_id, rank
        FROM events_1 JOIN visitors AS v ON v.hash = events_1.visitor JOIN products AS p ON p.id = product_id""",
    "INSERT INTO segments (number, events) SELECT segment, count(*) FROM events GROUP BY segment",
    "INSERT INTO about SELECT 'seq', coalesce(max(seq), 0) FROM sqlite_sequence",
    "UPDATE about SET value = CAST('2' AS BLOB) WHERE name = 'format'",
    "DROP TABLE events_1",
)


class EventFile:
    """One connection that writes, under a lock, and a few that read; threads may share all of it.

    `salt` is the key of the hashes of visitors. Raises StoreError, DamagedStore when the file is no event log,
    NewerStore.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._removals = self._emptied = 0  # removals so far, and those of them that the write-ahead log has lost
        with self._errors():
            self.db = open_database(path, _WRITER, timeout_s=OPEN_TIMEOUT_S)
            try:
                self.salt = self._prepare()
                self.db.execute("PRAGMA busy_timeout = 5000")  # TIMEOUT_S
            except BaseException:
                self.db.close()
                raise

    @property
    def size(self) -> int:
        """The bytes of the file and its write-ahead log."""
        paths = [self._path, self._path.with_name(f"{self._path.name}-wal")]
        return sum(path.stat().st_size for path in paths if path.is_file())

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield the connection for one transaction: commit at the end, roll back on any error. Raises StoreError.

        A `durable` transaction survives a loss of power; others survive the end of the process. Afterwards the
        write-ahead log is emptied, where `empty_wal` could not do it before.
        """
        with self._lock, self._errors():
            self._require_open()
            if durable:
                self.db.execute("PRAGMA synchronous = FULL")
            try:
                with transaction(self.db):
                    yield self.db
            finally:
                if durable:
                    self.db.execute("PRAGMA synchronous = NORMAL")
        self.retry_empty_wal()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees the events of one moment; writers go on meanwhile. Raises StoreError."""
        with self._errors():
            with self._lock:
                self._require_open()
                db = self._idle.pop() if self._idle else None
            if db is None:
                db = open_database(self._path, _READER, timeout_s=TIMEOUT_S)
            try:
                db.execute("BEGIN")
                yield db
                db.execute("COMMIT")
                with self._lock:
                    if not self._closed and len(self._idle) < IDLE_READERS:
                        self._idle.append(db)
                        db = None
            finally:
                if db is not None:
                    db.close()

    def empty_wal(self) -> bool:
        """Write what the write-ahead log has into the file, and empty it, so that it has no copy of removed events.

        Waits EMPTY_WAL_S for those who read an older moment, and holds up neither them nor writers. Returns False
        where they take longer: then each later transaction, and `retry_empty_wal`, tries it again.
        """
        self._removals += 1
        with self._errors():
            return self._checkpoint(EMPTY_WAL_S)

    def retry_empty_wal(self) -> None:
        """Try once more to empty the write-ahead log, if that is still to be done; waits for nobody."""
        if self._emptied < self._removals and not self._closed:
            with suppress(sqlite3.Error):  # the next one tries again
                self._checkpoint(0.0)

    def _checkpoint(self, wait_s: float) -> bool:
        removals, deadline = self._removals, monotonic() + wait_s
        with closing(open_database(self._path, timeout_s=TIMEOUT_S)) as db:
            # SQLite would wait for readers with the lock of writers.
            db.execute("PRAGMA busy_timeout = 0")
            while busy := db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                if monotonic() >= deadline:
                    break
                sleep(RETRY_S)
        if not busy:
            self._emptied = max(self._emptied, removals)
        return not busy

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._closed = True
            for db in (self.db, *self._idle):
                db.close()
            self._idle.clear()

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError(f"{self._path} has been closed.", "Open the event log again.")

    def _prepare(self) -> bytes:
        """Create the tables or bring them up to date, and return the key of the hashes."""
        with transaction(self.db) as db:
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                _create(db)
                values = [("format", str(EVENT_LOG_FORMAT).encode()), ("salt", secrets.token_bytes(32)), ("seq", 0)]
                db.executemany("INSERT INTO about VALUES (?, ?)", values)
            elif not {"about", "events"} <= tables:
                raise DamagedStore(f"{self._path} is a database, but no event log.", "Move that file away.")
            about = dict(db.execute("SELECT name, value FROM about"))
            version, salt = about.get("format", b""), about.get("salt", b"")
            if not (isinstance(version, bytes) and version.isdigit() and isinstance(salt, bytes) and len(salt) == 32):
                raise DamagedStore(f"{self._path} is not a readable event log.", "Move that file away.")
            if int(version) > EVENT_LOG_FORMAT:
                raise NewerStore(f"{self._path} was written by a newer Windowshop.", "Upgrade Windowshop.")
            if older := int(version) < EVENT_LOG_FORMAT:
                db.execute("ALTER TABLE events RENAME TO events_1")
                _create(db)
                for statement in _FROM_FORMAT_1:
                    db.execute(statement)
        if older:
            # Format 1 left deleted rows in free pages. Others who use the file only delay their end.
            with suppress(sqlite3.OperationalError):
                self.db.execute("VACUUM")
        return salt

    def _errors(self) -> AbstractContextManager[None]:
        return store_errors(
            f"The event log {self._path}",
            "Check that its folder may be written, that the disk has room, and that no other program uses it.",
            "Move it away; opening the shop creates a new one.",
        )


def _create(db: sqlite3.Connection) -> None:
    for statement in read_statements(_SCHEMA):
        db.execute(statement)
