"""Rows that lie in a Milvus collection, read like an array; the last ones read are remembered."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import DamagedGeneration
from indexer.numeric import chunks
from indexer.types import Ids
from indexer.vectors.milvus.connection import MilvusConnection
from indexer.vectors.milvus.expressions import ROW, VECTOR

CACHE_BYTES = 64 * 2**20
MESSAGE_BYTES = 16 * 2**20  # of vectors in one answer
MAX_REMEMBERED_READ = 1_024  # rows; a longer read is a scan, which would drive out what searches use

Row16 = NDArray[np.float16]


class RowReader:
    """Reads vectors by their number in a collection; threads share it. A number always has the same vector."""

    def __init__(self, connection: MilvusConnection, collection: str, dim: int) -> None:
        self.dim = dim
        self._connection = connection
        self._collection = collection
        self._known: OrderedDict[int, Row16] = OrderedDict()
        self._room = max(1, CACHE_BYTES // (2 * dim))
        self._lock = threading.Lock()

    def read(self, numbers: Ids) -> tuple[Row16, NDArray[np.bool_]]:
        """Return float16 (n, dim), zeros for numbers that are not there, and the mask of those that are."""
        rows = np.zeros((len(numbers), self.dim), np.float16)
        found = np.zeros(len(numbers), np.bool_)
        with self._lock:
            for place, number in enumerate(numbers.tolist()):
                if (row := self._known.get(number)) is not None:
                    self._known.move_to_end(number)
                    rows[place], found[place] = row, True
        missing = np.unique(numbers[~found])
        if len(missing):
            fetched = self._fetch(missing)
            for place in np.flatnonzero(~found).tolist():
                if (row := fetched.get(int(numbers[place]))) is not None:
                    rows[place], found[place] = row, True
            if len(missing) <= MAX_REMEMBERED_READ:
                self._remember(fetched)
        return rows, found

    def remember(self, numbers: Ids, rows: NDArray[np.floating]) -> None:
        """Remember rows that were just written."""
        self._remember(dict(zip(numbers.tolist(), rows.astype(np.float16), strict=True)))

    def _remember(self, rows: dict[int, Row16]) -> None:
        with self._lock:
            for number, row in rows.items():
                self._known[number] = row
            while len(self._known) > self._room:
                self._known.popitem(last=False)

    def _fetch(self, numbers: Ids) -> dict[int, Row16]:
        fetched = {}
        for part in chunks(len(numbers), max(1, MESSAGE_BYTES // (4 * self.dim))):
            ids = numbers[part].tolist()
            for entity in self._connection.read("get", self._collection, ids=ids, output_fields=[ROW, VECTOR]):
                fetched[int(entity[ROW])] = np.asarray(entity[VECTOR], np.float32).astype(np.float16)
        return fetched


class RemoteRows:
    """The rows (n, dim) of a generation, read by number, slice or array; a second index picks columns."""

    dtype = np.dtype(np.float16)

    def __init__(self, reader: RowReader, count: int) -> None:
        self._reader = reader
        self.shape = (count, reader.dim)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> Any:
        """Return what numpy would. Raises IndexError, DamagedGeneration when a row is gone, VectorsUnavailable."""
        if isinstance(index, tuple):
            first, *others = index
            rows = self[first]
            return rows[(slice(None), *others)] if rows.ndim > 1 else rows[tuple(others)]
        numbers = self._numbers(index)
        rows, found = self._reader.read(np.atleast_1d(numbers))
        if not found.all():
            what = f"{np.count_nonzero(~found):,} of {len(found):,} rows are missing in Milvus."
            raise DamagedGeneration(what, "Build the index again; pictures already encoded are reused.")
        return rows[0] if np.ndim(numbers) == 0 else rows

    def _numbers(self, index: Any) -> Ids:
        if isinstance(index, slice):
            return np.arange(*index.indices(len(self)), dtype=np.int64)
        numbers = np.asarray(index)
        if numbers.dtype == np.bool_:
            return np.flatnonzero(numbers)
        if numbers.size and not (-len(self) <= numbers.min() and numbers.max() < len(self)):
            raise IndexError(f"a row number is outside of the {len(self):,} rows")
        return np.where(numbers < 0, numbers + len(self), numbers).astype(np.int64)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        rows: NDArray[Any] = self[:]
        return rows if dtype is None else rows.astype(dtype)
