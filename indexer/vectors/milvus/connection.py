"""A connection to Milvus: calls with time limits, failures as our errors, and a pause while it cannot be reached."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import Any

from catalog.errors import DamagedGeneration, VectorsUnavailable
from catalog.extras import import_extra
from indexer.vectors.milvus.address import MilvusAddress

READ_SECONDS, WRITE_SECONDS, INDEX_SECONDS = 3.0, 60.0, 3_600.0
RETRY_SECONDS = 1.0  # where Milvus cannot be reached, calls are refused at once for so long: a search must not wait
CALL_ATTEMPTS = 3  # of one call, by pymilvus
CONNECT_ATTEMPTS = 3
NOT_FOUND, NOT_LOADED = 100, 101  # codes of Milvus
CONNECT_FAILED = 2  # code of pymilvus, and of a Milvus that does not serve
UNREACHABLE = ("UNAVAILABLE", "CANCELLED")  # of gRPC; the latter for a channel that another thread closed
_HINT = "Answers come from texts alone until it is back; look whether Milvus runs and is where WINDOWSHOP_VECTORS says."

log = logging.getLogger(__name__)


class MilvusConnection:
    """Calls one Milvus server. It connects with the first call, and again after losing it; threads share it."""

    def __init__(self, address: MilvusAddress) -> None:
        self.address = address
        self._client: Any = None
        self._refused_until = 0.0
        self._lock = threading.Lock()

    def read(self, name: str, collection: str, **options: Any) -> Any:
        """Call a reading method of pymilvus.MilvusClient for a collection, which begins to be loaded if it is not.

        Raises VectorsUnavailable, also while it is loaded, and DamagedGeneration when there is no such collection.
        """
        try:
            return self._call(name, collection, timeout=READ_SECONDS, **options)
        except _NotLoaded:  # the server was started again, and milvus-lite loads nothing by itself
            self._call("load_collection", collection, timeout=READ_SECONDS, _async=True)  # no search waits for its end
            return self._call(name, collection, timeout=READ_SECONDS, **options)

    def write(self, name: str, *arguments: Any, timeout: float = WRITE_SECONDS, **options: Any) -> Any:
        """Call a writing method. Raises VectorsUnavailable, and DamagedGeneration when there is no such collection."""
        return self._call(name, *arguments, timeout=timeout, **options)

    def schema(self) -> Any:
        """Return an empty schema of pymilvus, without automatic ids and further fields."""
        return _pymilvus().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)

    def data_types(self) -> Any:
        """Return the enumeration of Milvus's types of fields."""
        return _pymilvus().DataType

    def index_params(self) -> Any:
        """Return empty parameters for `create_index`."""
        return _pymilvus().MilvusClient.prepare_index_params()

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):  # it is of no use any more, whatever state it is in
                client.close()

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        pymilvus = _pymilvus()
        client = self._connected()
        try:
            return getattr(client, name)(*arguments, retry_times=CALL_ATTEMPTS, **options)
        except pymilvus.MilvusException as error:
            code, message = error.code, str(error.message)  # of Milvus, a number; gRPC's are none
            if code == NOT_LOADED or "not loaded" in message:
                raise _NotLoaded(f"Milvus has not loaded {arguments[0]} yet.", _HINT) from error
            if code == NOT_FOUND:
                what = f"{self.address} has no collection {arguments[0]}: {message}"
                raise DamagedGeneration(what, "Build the index again; pictures already encoded are reused.") from error
            self._failed(client, error)
            raise VectorsUnavailable(f"Milvus at {self.address} failed to {name}: {message[:300]}", _HINT) from error
        except Exception as error:  # of gRPC, whose classes are those of pymilvus's own dependencies
            self._failed(client, error)
            raise VectorsUnavailable(f"Milvus at {self.address} failed to {name}: {error!r:.300}", _HINT) from error

    def _connected(self) -> Any:
        with self._lock:
            if self._client is not None:
                return self._client
            if time.monotonic() < self._refused_until:
                raise VectorsUnavailable(f"Milvus at {self.address} did not answer a moment ago.", _HINT)
            try:
                self._client = self._opened()
            except Exception as error:  # as above
                self._refused_until = time.monotonic() + RETRY_SECONDS
                raise VectorsUnavailable(f"Milvus at {self.address} does not answer.", _HINT) from error
            return self._client

    def _opened(self) -> Any:
        """Open a client, again where that fails at once.

        All clients of a process share a connection, which milvus-lite ends while it is idle ("too many pings"), and
        pymilvus finds out only with the next call.
        """
        address, begun, attempt = self.address, time.monotonic(), 0
        while True:
            attempt += 1
            try:
                return _pymilvus().MilvusClient(
                    uri=address.uri,
                    user=address.user,
                    password=address.password,
                    db_name=address.database,
                    timeout=READ_SECONDS,
                )
            except Exception:
                if attempt == CONNECT_ATTEMPTS or time.monotonic() - begun > RETRY_SECONDS:
                    raise

    def _failed(self, client: Any, error: BaseException) -> None:
        """Drop a client that did not reach Milvus, so that the next attempt, after a pause, connects again.

        One that got an answer, or none in time, is kept: other threads use it, and their calls may well succeed.
        """
        if _reached(error):
            return
        with self._lock:
            if self._client is client:
                self._client = None
                self._refused_until = time.monotonic() + RETRY_SECONDS
        with suppress(Exception):
            client.close()


class _NotLoaded(VectorsUnavailable):
    """The collection is there and is not loaded."""


def _reached(error: BaseException) -> bool:
    """Return whether the call of this error reached Milvus, which refused it or did not answer in time."""
    cause: BaseException | None = error
    seen: list[BaseException] = []  # pymilvus raises errors from themselves
    while cause is not None and cause not in seen:
        code = getattr(cause, "code", None)
        status = getattr(code() if callable(code) else code, "name", "")  # of gRPC, such as DEADLINE_EXCEEDED
        if status in UNREACHABLE or code == CONNECT_FAILED:
            return False
        if code is None:
            return False  # such as a channel that is closed
        seen.append(cause)
        cause = cause.__cause__
    return True


def _pymilvus() -> Any:
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs each failure with its stack; we raise it
    return import_extra("milvus", "pymilvus", "WINDOWSHOP_VECTORS=milvus://...")
