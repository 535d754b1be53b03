"""The connections of a process to one shop's schema: a few for all its threads; PostgreSQL's errors raised as ours.

A transaction that writes first locks the one row of `counters`, from which the numbers of changes and the keys of
products come. So one writes at a time, changes become visible in the order of their numbers, and none is left out when
a transaction is rolled back. A reader that has seen change n therefore never finds an earlier one later, which it
could with PostgreSQL's sequences: they give numbers in one order, and transactions commit in another.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader

from catalog.database import StoreBusy
from catalog.errors import BadInput, DamagedStore, StoreError
from catalog.files.failpoints import failpoint
from catalog.postgres.address import ShopAddress

Connection = psycopg.Connection[tuple[Any, ...]]

MAX_CONNECTIONS = 8  # of one process and catalogue
CONNECT_TIMEOUT_S = 10
RETRY_SECONDS = 10.0  # how long a transaction waits to begin while the server restarts
_RETRY_S = 0.2
# A writer that vanished without a word is noticed within a minute, and its lock released.
_SETUP = sql.SQL("""SET search_path TO {}; SET synchronous_commit TO on; SET client_encoding TO 'UTF8';
    SET statement_timeout TO 0; SET idle_in_transaction_session_timeout TO 0;
    SET tcp_keepalives_idle TO 30; SET tcp_keepalives_interval TO 10; SET tcp_keepalives_count TO 3""")
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Whatever a database or user has as its default: a writer that waited for another must see what that one committed.
_BEGIN_SCHEMA = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout TO '30s'"  # for other writers
_BEGIN_WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout TO '30s'; SELECT 1 FROM counters FOR UPDATE"
)
_DAMAGED = (errors.DataCorrupted, errors.IndexCorrupted, errors.UndefinedTable, errors.UndefinedColumn)
_TOO_LONG = (errors.ProgramLimitExceeded, errors.StringDataRightTruncation)


class PostgresConnections:
    """The connections of this process to one schema. Threads share them; each has one while it is in a transaction."""

    def __init__(self, address: ShopAddress) -> None:
        self.address = address
        self._local = threading.local()
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._process = os.getpid()
        self._closed = False
        self._worked = False  # a connection was opened before, so the address is right

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            self._closed = True
            for connection in self._all if os.getpid() == self._process else ():
                connection.close()
            self._all.clear()
            self._idle.clear()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection for reading: all queries within see the same state."""
        with self.store_errors():
            if (open_one := self._current()) is not None:
                yield open_one
                return
            with self._begun(_BEGIN_READ) as connection:
                yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection for writing, alone: committed at the end, rolled back on any error."""
        with self.store_errors():
            self._refuse_nested()
            with self._begun(_BEGIN_WRITE) as connection:
                yield connection
                failpoint("postgres.before-commit")
                self._commit(connection)
                failpoint("postgres.committed")

    def importing(self) -> AbstractContextManager[Connection]:
        """Yield as `transaction` does: many products need nothing else here."""
        return self.transaction()

    @contextmanager
    def defining(self) -> Iterator[Connection]:
        """Yield a connection to create or upgrade the schema, one at a time in this database; as `transaction`."""
        with self.store_errors():
            self._refuse_nested()
            with self._begun(_BEGIN_SCHEMA) as connection:
                name = f"windowshop {self.address.schema}"
                connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
                yield connection
                self._commit(connection)

    @contextmanager
    def joined(self) -> Iterator[Connection]:
        """Yield a connection in this thread's open transaction, or one that commits each statement."""
        with self.store_errors():
            if (open_one := self._current()) is not None:
                yield open_one
                return
            with self._begun("") as connection:
                yield connection

    @contextmanager
    def store_errors(self) -> Iterator[None]:
        """Raise PostgreSQL's errors in the block as StoreError, a kind of it, or BadInput, without the password."""
        try:
            yield
        except UnicodeEncodeError as error:
            problem = "Some text is not valid Unicode, so it can be neither stored nor found."
            raise BadInput(problem, "Correct it.") from error
        except psycopg.DataError as error:
            problem = f"Some text or number cannot be stored: {self._message(error)}."
            raise BadInput(problem, "Correct it.") from error
        except _TOO_LONG as error:
            raise BadInput(f"Some text is too long to be stored: {self._message(error)}.", "Shorten it.") from error
        except _DAMAGED as error:
            problem = f"The catalogue in {self.address} cannot be read: {self._message(error)}."
            raise DamagedStore(problem, "Restore it from a backup, or give the shop another schema.") from error
        except psycopg.Error as error:
            problem = f"The catalogue in {self.address} cannot be used: {self._message(error)}."
            hint = "Check that the server runs, that the user may use the schema, and that no other writer holds it."
            busy = isinstance(error, errors.LockNotAvailable)
            raise (StoreBusy if busy else StoreError)(problem, hint) from error

    def _message(self, error: Exception) -> str:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return self.address.without_password(lines[0].strip().rstrip("."))

    def _current(self) -> Connection | None:
        """Return the connection of this thread's open transaction."""
        current: Connection | None = getattr(self._local, "connection", None)
        return current

    def _refuse_nested(self) -> None:
        if self._current() is not None:
            raise StoreError("This thread has a transaction already.", "End it before another one begins.")

    def _commit(self, connection: Connection) -> None:
        try:
            connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            problem = f"The connection to {self.address} was lost while a change was committed"
            hint = "It may be stored or not: make the change again; what is stored already stays as it is."
            raise StoreError(f"{problem}: {self._message(error)}.", hint) from error

    @contextmanager
    def _begun(self, statement: str) -> Iterator[Connection]:
        """Yield a connection on which a statement ran that begins a transaction; roll back what is still open."""
        with self._free:
            connection = self._begin(statement)
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None
                self._end(connection)

    def _begin(self, statement: str) -> Connection:
        """Take an idle connection or open one, and begin; while the server restarts, try again for a time."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            connection: Connection | None = None
            try:
                connection = self._take()
                if statement:
                    connection.execute(statement)
                else:
                    connection.execute("SELECT 1")  # an idle connection may be lost: a statement that is alone cannot
                return connection
            except psycopg.OperationalError:
                if connection is None:
                    lost = self._worked
                else:
                    lost = connection.closed
                    self._end(connection)
                if not lost or time.monotonic() > deadline:
                    raise
                self._forget_idle()
            except BaseException:
                if connection is not None:
                    self._end(connection)
                raise
            time.sleep(_RETRY_S)

    def _take(self) -> Connection:
        with self._lock:
            if self._closed:
                raise StoreError(f"The catalogue in {self.address} has been closed.", "Open the catalogue again.")
            if os.getpid() != self._process:  # forked: the connections belong to the parent
                self._idle, self._all, self._process = [], set(), os.getpid()
            if self._idle:
                return self._idle.pop()
        connection = self._connect()
        with self._lock:
            self._all.add(connection)
            self._worked = True
        return connection

    def _connect(self) -> Connection:
        timeout, name = CONNECT_TIMEOUT_S, "windowshop"
        connection = psycopg.connect(
            self.address.conninfo, autocommit=True, connect_timeout=timeout, application_name=name
        )
        try:
            connection.adapters.register_loader("json", TextLoader)
            setup = _SETUP.format(sql.Identifier(self.address.schema))  # a name, quoted by the driver
            connection.execute(setup)
        except BaseException:
            connection.close()
            raise
        return connection

    def _end(self, connection: Connection) -> None:
        """Roll back what is open, and let another thread have the connection, unless it is lost."""
        try:
            if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        with self._lock:
            if connection.closed or self._closed:
                connection.close()
                self._all.discard(connection)
            else:
                self._idle.append(connection)

    def _forget_idle(self) -> None:
        """Close the idle connections: when one is lost, the others are too."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
        for connection in idle:
            connection.close()
