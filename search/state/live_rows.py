"""Live rows: those of products that changed since the generation was built, in memory or in an engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.product import Product
from indexer.columns.product_table import key_array
from indexer.types import Floats, Ids, Mask
from indexer.vectors.contract import LiveVectors, RowArray
from indexer.vectors.facts import facts_of

MAX_ROUNDING = 1e-4  # largest distance of a matrix product from the exact score

Rows = NDArray[np.floating]
Hashes = NDArray[np.bytes_]


@dataclass(frozen=True, slots=True)
class ProductRows:
    """The rows of one product, one per picture: content hashes and vectors (n, dim)."""

    hashes: tuple[str, ...]
    vectors: Rows

    @classmethod
    def at(cls, numbers: Ids, hashes: Hashes, vectors: RowArray) -> ProductRows:
        """Return the rows with these numbers of parallel arrays."""
        return cls(tuple(sha256.decode() for sha256 in hashes[numbers].tolist()), vectors[numbers])


@dataclass(frozen=True, slots=True)
class LiveRows:
    """A small index: row i is the picture with hash `hashes[i]` of the product with key `keys[i]`; keys rise.

    Where an `engine` holds the vectors, row i has the number `numbers[i]` there. It still has the rows `replaced` by
    the last change, for the searches that began before it.
    """

    keys: Ids
    hashes: Hashes
    vectors: RowArray  # float32, rounded to float16 first as a generation's are, so that scores agree
    engine: LiveVectors | None = None
    numbers: Ids = field(default_factory=lambda: np.zeros(0, np.int64))
    replaced: Ids = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def none(cls, dim: int, engine: LiveVectors | None = None) -> LiveRows:
        """Return an index without rows."""
        return cls(np.zeros(0, np.int64), np.zeros(0, "S64"), np.zeros((0, dim), np.float32), engine)

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, key: int) -> ProductRows:
        """Return a product's live rows; none when it has not changed."""
        return ProductRows.at(np.flatnonzero(self.keys == key), self.hashes, self.vectors)

    def best(self, query: Floats, k: int, allowed: Mask | None = None) -> Ids:
        """Return the sorted numbers of the k best allowed rows for a query, and of those that may tie with the last."""
        numbers: Ids = np.arange(len(self.keys)) if allowed is None else np.flatnonzero(allowed)
        if len(numbers) <= k:
            return numbers
        if self.engine is not None:
            return np.sort(numbers[self.engine.best(query, k, self.numbers[numbers])])
        scores = (np.asarray(self.vectors) @ query)[numbers]
        best: Ids = numbers[scores >= np.partition(scores, -k)[-k] - MAX_ROUNDING]
        return best

    def changed(
        self,
        dropped: Collection[int],
        added: Mapping[int, ProductRows],
        puts: Mapping[int, Product] = MappingProxyType({}),
    ) -> LiveRows:
        """Return these rows without those of `dropped` keys, and with the added ones; the order is that of the keys.

        `puts` are products by key, whose facts an engine filters by. Raises VectorsUnavailable.
        """
        unchanged = np.flatnonzero(~np.isin(self.keys, key_array(dropped)))
        counts = [len(rows.hashes) for rows in added.values()]
        added_keys = np.repeat(key_array(added), counts)
        keys = np.concatenate([self.keys[unchanged], added_keys])
        hashes = np.array([sha256.encode() for rows in added.values() for sha256 in rows.hashes], "S64")
        order = np.argsort(keys, kind="stable")
        new_rows = [rows.vectors for rows in added.values() if len(rows.hashes)]
        sorted_hashes = np.concatenate([self.hashes[unchanged], hashes])[order]
        if self.engine is not None:
            return self._changed_in_engine(self.engine, unchanged, new_rows, (keys[order], sorted_hashes, order), puts)
        places = np.empty(len(keys), np.int64)
        places[order] = np.arange(len(keys))
        vectors = np.empty((len(keys), self.vectors.shape[1]), np.float32)
        vectors[places[: len(unchanged)]] = self.vectors[unchanged]
        if new_rows:
            vectors[places[len(unchanged) :]] = np.concatenate(new_rows)
        return LiveRows(keys[order], sorted_hashes, vectors)

    def _changed_in_engine(
        self,
        engine: LiveVectors,
        unchanged: Ids,
        new_rows: list[Rows],
        ordered: tuple[Ids, Hashes, Ids],
        puts: Mapping[int, Product],
    ) -> LiveRows:
        """Put the new rows first, then remove what no search needs any more."""
        keys, hashes, order = ordered
        new = order >= len(unchanged)
        numbers = np.empty(len(keys), np.int64)
        numbers[~new] = self.numbers[unchanged][order[~new]]
        if new_rows:
            vectors = np.concatenate(new_rows)[order[new] - len(unchanged)].astype(np.float32)
            facts = {key: facts_of(puts[key]) for key in np.unique(keys[new]).tolist() if key in puts}
            numbers[new] = engine.put(keys[new], hashes[new], vectors, facts)
        outdated = np.delete(np.arange(len(self.keys)), unchanged)
        is_replaced = np.isin(self.keys[outdated], keys)
        removable = np.concatenate([self.replaced, self.numbers[outdated[~is_replaced]]])
        removable = removable[~np.isin(removable, numbers)]
        if len(removable):
            engine.remove(removable)
        replaced = self.numbers[outdated[is_replaced]]
        rows = EngineRows(engine, numbers, self.vectors.shape[1])
        return LiveRows(keys, hashes, rows, engine, numbers, replaced[~np.isin(replaced, numbers)])


class EngineRows:
    """Live rows that an engine holds, read like a float32 array (n, dim)."""

    dtype = np.dtype(np.float32)

    def __init__(self, engine: LiveVectors, numbers: Ids, dim: int) -> None:
        self._engine = engine
        self._numbers = numbers
        self.shape = (len(numbers), dim)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any, /) -> Any:
        """Return the rows that numpy would, read from the engine."""
        rows, *columns = index if isinstance(index, tuple) else (index,)
        numbers = self._numbers[rows]
        found = self._engine.rows(np.atleast_1d(numbers))
        found = found[0] if np.ndim(numbers) == 0 else found
        return found[(..., *columns)] if columns else found
