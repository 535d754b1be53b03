"""What the storage of the catalogue needs of a database, be it a file of SQLite or a schema of PostgreSQL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from catalog.errors import StoreError


class StoreBusy(StoreError):
    """Another writer held the lock of the catalogue, or of another database of the shop, for too long."""

    code = StoreError.code


class Session(Protocol):
    """A connection within a transaction: one of `sqlite3`, or one of psycopg."""

    def execute(self, statement: Any, values: Any = ..., /) -> Any:
        """Run a statement, whose values are parameters; return a cursor of its rows."""


class Database(Protocol):
    """The transactions of a thread. One within another joins it."""

    def snapshot(self) -> AbstractContextManager[Any]:
        """Yield a session for reading: all queries within see the same state. Raises StoreError."""

    def joined(self) -> AbstractContextManager[Any]:
        """Yield a session in the open transaction, or where there is none, one that commits each statement."""

    def transaction(self) -> AbstractContextManager[Any]:
        """Yield a session for writing: committed at the end of the block, rolled back on any error.

        Only one process and thread is in such a block at a time; others wait. Raises StoreError, StoreBusy.
        """

    def importing(self) -> AbstractContextManager[Any]:
        """Yield as `transaction` does, for writing many products."""
