"""Open the SQLite files of a shop: one set of precautions for all, and SQLite's errors raised as ours."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from catalog.database import StoreBusy
from catalog.errors import DamagedStore, StoreError

DEFAULT_TIMEOUT_S = 20.0
DISK_ERRORS = (OSError, sqlite3.Error)
_USABLE = (sqlite3.OperationalError, sqlite3.IntegrityError, sqlite3.ProgrammingError)  # the file itself is sound
_RETRY_S = 0.01


def open_database(
    path: Path,
    setup: Sequence[str] = (),
    schema: Sequence[str] = (),
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    wal: bool = True,
) -> sqlite3.Connection:
    """Open a database, created when absent, in autocommit mode; the caller may share it between threads under a lock.

    `setup` are pragmas of the connection. `schema` runs, all or none of it, when the file has no table yet; each
    statement must bear that another process ran it first. A statement waits up to `timeout_s` for other writers. The
    file's own triggers and views may not call functions (trusted_schema). Raises sqlite3.Error.
    """
    db = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        for statement in setup:
            db.execute(statement)
        if wal:
            use_wal(db, timeout_s)
        if schema and db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None:
            with transaction(db):
                for statement in schema:
                    db.execute(statement)
    except BaseException:
        db.close()
        raise
    return db


def read_statements(path: Path) -> list[str]:
    """Read the statements of an SQL file, which has semicolons only between them."""
    return [statement for statement in path.read_text(encoding="utf-8").split(";") if statement.strip()]


def use_wal(db: sqlite3.Connection, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
    """Let readers and a writer work at the same time: a property of the file, and SQLite does not wait to change it."""
    deadline = time.monotonic() + timeout_s
    while db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run the block in one transaction for writing: committed at its end, rolled back on any error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite itself rolls back when the disk is full
            db.execute("ROLLBACK")
        raise


def copy_database(db: sqlite3.Connection, path: Path, pages: int = -1) -> None:
    """Copy an open database to another file as of one moment, while others write it; `pages` at a time, -1 for all."""
    with closing(sqlite3.connect(path)) as copy:
        db.backup(copy, pages=pages, sleep=0.0)
        copy.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def store_errors(
    name: str, hint: str, damaged_hint: str = "", errors: tuple[type[Exception], ...] = (sqlite3.Error,)
) -> Iterator[None]:
    """Raise `errors` of the block as StoreError, or StoreBusy: "<name> cannot be used: <error>. <hint>".

    With `damaged_hint`, a file that SQLite cannot read raises DamagedStore with that hint instead.
    """
    try:
        yield
    except errors as error:
        if damaged_hint and isinstance(error, sqlite3.DatabaseError) and not isinstance(error, _USABLE):
            raise DamagedStore(f"{name} cannot be read: {error}.", damaged_hint) from error
        locked = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
        raise (StoreBusy if locked else StoreError)(f"{name} cannot be used: {error}.", hint) from error
