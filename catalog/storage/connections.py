"""The connections to a catalogue file, one per thread; its schema; SQLite's errors raised as ours."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from catalog.errors import BadInput, DamagedStore, NewerStore, StoreError
from catalog.storage import history, price_rows, word_index
from catalog.storage.sqlite import open_database, read_statements, store_errors, transaction, use_wal

# 1 had no word index, 2 no links, list prices and groups of variants, 3 no history of changes, 4 none of prices.
SCHEMA_VERSION = 5
_TIMEOUT_S = 30.0
_IMPORT_CACHE, _USUAL_CACHE = "PRAGMA cache_size = -262144", "PRAGMA cache_size = -2000"  # KiB
_SETUP = ("PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON")

_SELECT_VERSION = "SELECT value FROM meta WHERE name = 'schema_version'"
_SCHEMA = read_statements(Path(__file__).with_name("schema.sql"))


_INHERITED: list[sqlite3.Connection] = []  # a forked process must neither use nor close them (SQLite, "How To Corrupt")


class _Handle:
    """Closes its connection when its thread ends, in the process that opened it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._process = os.getpid()

    def __del__(self) -> None:
        if os.getpid() == self._process:
            self.connection.close()
        else:
            _INHERITED.append(self.connection)  # to close it may wait for a thread that the fork did not copy


class Connections:
    """The connections to one catalogue file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._all: weakref.WeakSet[_Handle] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path) -> Connections:
        """Open the file, created with its folder when absent, and check that this version can read it.

        A file of an older schema can be read and written at once; `upgrade` converts it.
        """
        connections = cls(path)
        with connections._store_errors((OSError,)):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # A reader must not wait for a writer: a build may write for minutes.
            with connections.snapshot() as db:
                found = _has_schema(db, path)
            if not found:
                connections._create()
            with connections.checked() as db:
                use_wal(db, _TIMEOUT_S)
        except BaseException:
            connections.close()
            raise
        return connections

    def upgrade(
        self, convert: Callable[[sqlite3.Connection], None], fill: Callable[[sqlite3.Connection], bool]
    ) -> None:
        """Convert an older file to this schema: call `fill`, one step in a transaction each, until it returns True.

        `convert` changes the tables of an older schema, in the transaction of the first step. Others may write between
        the steps. A step that another process did is not repeated.
        """
        with self.snapshot() as db:
            waiting = word_index.needs_reindex(db) or price_rows.needs_fill(db)
            done = _version(db) == SCHEMA_VERSION and not waiting
        while not done:
            with self.transaction() as db:
                if _version(db) < SCHEMA_VERSION:
                    convert(db)
                    db.execute(history.SCHEMA)
                    db.execute(price_rows.SCHEMA)
                db.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (str(SCHEMA_VERSION),))
                done = fill(db)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            self._closed = True
            for handle in list(self._all):
                handle.connection.close()
            self._all.clear()

    @contextmanager
    def checked(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection; raise SQLite's errors as StoreError or DamagedStore."""
        try:
            with self._store_errors((sqlite3.Error,)):
                yield self._connection()
        except UnicodeEncodeError as error:
            problem = "Some text is not valid Unicode, so it can be neither stored nor found."
            raise BadInput(problem, "Correct it.") from error

    def joined(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return this thread's connection in its open transaction, or where there is none, one of each statement."""
        return self.checked()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection for reading: all queries within see the same state."""
        with self.checked() as db:
            if db.in_transaction:
                yield db
                return
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection for one transaction: commit at the end, roll back on any error."""
        with self.checked() as db, transaction(db):
            yield db

    @contextmanager
    def importing(self) -> Iterator[sqlite3.Connection]:
        """Yield as `transaction` does, for writing many products: with room in memory for the pages of their indexes.

        Hashes and ids come in no order, so a small cache would read and write a page of an index for each.
        """
        with self.checked() as db:
            db.execute(_IMPORT_CACHE)
            try:
                with self.transaction():
                    yield db
            finally:
                db.execute(_USUAL_CACHE)
                db.execute("PRAGMA shrink_memory")

    def _create(self) -> None:
        with self.transaction() as db:
            if _has_schema(db, self._path):
                return  # another process created it meanwhile
            for statement in (*_SCHEMA, history.SCHEMA):
                db.execute(statement)
            db.execute("INSERT INTO meta VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),))
            word_index.create(db, word_index.ALL_KEYS)
            price_rows.create(db, price_rows.ALL_KEYS)

    def _connection(self) -> sqlite3.Connection:
        handle: _Handle | None = getattr(self._local, "handle", None)
        if handle is not None and not self._closed:
            return handle.connection
        with self._lock:
            if self._closed:
                raise StoreError(f"{self._path} has been closed.", "Open the catalogue again.")
            connection = open_database(self._path, _SETUP, timeout_s=_TIMEOUT_S, wal=False)
            handle = _Handle(connection)
            self._all.add(handle)
        self._local.handle = handle
        return connection

    def _store_errors(self, errors: tuple[type[Exception], ...]) -> AbstractContextManager[None]:
        return store_errors(
            f"The catalogue {self._path}",
            "Check that its folder may be written, that the disk has room, and that no other program holds it.",
            "Restore it from a backup, or move it away and index the feed again.",
            errors,
        )


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute(_SELECT_VERSION).fetchone()[0])


def _has_schema(db: sqlite3.Connection, path: Path) -> bool:
    """Tell whether the file is a catalogue; False when it is empty. Raises DamagedStore, NewerStore."""
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return False
    complete = {"meta", "products", "pictures", "changes"} <= tables
    found = db.execute(_SELECT_VERSION).fetchone() if complete else None
    if found is None or not str(found[0]).isdecimal():
        raise DamagedStore(f"{path} is a database, but not a catalogue.", "Give another home, or move that file away.")
    if int(found[0]) > SCHEMA_VERSION:
        schemas = f"its schema is {found[0]}, this one reads {SCHEMA_VERSION}"
        hint = "Upgrade Windowshop, or index the feed into another home."
        raise NewerStore(f"{path} was written by a newer Windowshop: {schemas}.", hint)
    return True
