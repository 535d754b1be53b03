"""A snapshot of the rows that a search sees: a generation, the live rows changed since, and which of its rows count.

A snapshot never changes: a change makes the next one, so that a search sees one state however long it takes.
Row numbers run through both parts: those of the generation first, then the live ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from indexer.ann.exact_rerank import exact_scores
from indexer.generations.store import Generation
from indexer.types import Floats, Ids, Mask
from search.state.column_store import ProductColumns, key_array

MAX_ROUNDING = 1e-4  # largest distance of a matrix product from the exact score
SPARE_ROWS = 16  # rows retrieved beyond k, so that a few hidden ones need no second search

Rows = NDArray[np.floating]
Hashes = NDArray[np.bytes_]


@dataclass(frozen=True, slots=True)
class ProductRows:
    """The rows of one product, one per picture: content hashes and vectors (n, dim)."""

    hashes: tuple[str, ...]
    vectors: Rows

    @classmethod
    def at(cls, numbers: Ids, hashes: Hashes, vectors: Rows) -> ProductRows:
        """Return the rows with these numbers of parallel arrays."""
        return cls(tuple(sha256.decode() for sha256 in hashes[numbers].tolist()), vectors[numbers])


class GenerationRows:
    """A generation with the lookups computed from it once: the rows of each product, and the product of each row."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.size = len(generation.rows)
        self._by_product = np.argsort(generation.product_keys, kind="stable")
        self._sorted_keys = generation.product_keys[self._by_product]
        self.product_keys: Ids = np.unique(generation.product_keys)
        self._ordinals: tuple[object, Ids] = (None, self.product_keys)

    def ordinals(self, columns: ProductColumns) -> Ids:
        """Return the ordinal of each row's product in the columns, -1 for unknown products; cached by lineage."""
        lineage, ordinals = self._ordinals
        if lineage is not columns.lineage:
            ordinals = columns.ordinals(self.generation.product_keys)
            self._ordinals = (columns.lineage, ordinals)
        return ordinals

    def rows_of(self, key: int) -> Ids:
        """Return the numbers of a product's rows, its first picture first; empty when it has none here."""
        return self.rows_of_each(np.array([key]))[0]

    def rows_of_each(self, keys: Ids) -> tuple[Ids, Ids]:
        """Return the numbers of the rows of many products, product after product, and how many each has."""
        first = np.searchsorted(self._sorted_keys, keys)
        counts = np.searchsorted(self._sorted_keys, keys, side="right") - first
        skipped = np.cumsum(counts) - counts
        return self._by_product[np.repeat(first - skipped, counts) + np.arange(counts.sum())], counts

    def rows(self, key: int) -> ProductRows:
        """Return a product's rows as this generation has them."""
        return ProductRows.at(self.rows_of(key), self.generation.picture_hashes, self.generation.rows)


@dataclass(frozen=True, slots=True)
class LiveRows:
    """A small exact index: row i is the picture with hash `hashes[i]` of the product with key `keys[i]`."""

    keys: Ids
    hashes: Hashes
    vectors: Rows  # float32, rounded to float16 first as a generation's are, so that scores agree

    @classmethod
    def none(cls, dim: int) -> LiveRows:
        """Return an index without rows."""
        return cls(np.zeros(0, np.int64), np.zeros(0, "S64"), np.zeros((0, dim), np.float32))

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
        scores = (self.vectors @ query)[numbers]
        best: Ids = numbers[scores >= np.partition(scores, -k)[-k] - MAX_ROUNDING]
        return best

    def changed(self, dropped: Collection[int], added: Mapping[int, ProductRows]) -> LiveRows:
        """Return these rows without those of `dropped` keys, followed by the added ones."""
        unchanged = ~np.isin(self.keys, key_array(dropped))
        counts = [len(rows.hashes) for rows in added.values()]
        keys = np.repeat(key_array(added), counts)
        hashes = np.array([sha256.encode() for rows in added.values() for sha256 in rows.hashes], "S64")
        return LiveRows(
            np.concatenate([self.keys[unchanged], keys]),
            np.concatenate([self.hashes[unchanged], hashes]),
            np.concatenate([self.vectors[unchanged], *(rows.vectors for rows in added.values())], dtype=np.float32),
        )


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Changes in rows: `live` products get these, `restored` ones the generation's own, `gone` ones none."""

    live: Mapping[int, ProductRows]
    restored: Collection[int] = ()
    gone: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the shop, as of change `seq` of the catalogue's log. Shared by threads."""

    generation_rows: GenerationRows
    live: LiveRows
    seq: int
    allowed: Mask | None = None  # the generation's rows that count; None: all
    products: int = 0
    waiting: int = 0  # changed products that did not fit among the live rows
    swept: int = -1  # the change at which all products were last compared with the catalogue

    @classmethod
    def of(cls, generation_rows: GenerationRows) -> Snapshot:
        """Return the snapshot of a generation as it was built."""
        manifest = generation_rows.generation.manifest
        live = LiveRows.none(generation_rows.generation.layout.dim)
        return cls(generation_rows, live, manifest.seq, products=len(generation_rows.product_keys))

    @property
    def pictures(self) -> int:
        """The number of searchable rows."""
        own = self.generation_rows.size if self.allowed is None else int(np.count_nonzero(self.allowed))
        return own + len(self.live)

    @property
    def rows_per_product(self) -> int:
        """The number of rows per product, on average, rounded up."""
        return -(-(self.generation_rows.size + len(self.live)) // max(1, self.products))

    def search(self, query: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Ids]:
        """Return exact scores and numbers of the k best `allowed` rows (live ones last), ties by row number."""
        size = self.generation_rows.size
        scores, rows = self._search_generation(query, k, None if allowed is None else allowed[:size])
        if not len(self.live):
            return scores, rows
        numbers = self.live.best(query, k, None if allowed is None else allowed[size:])
        scores = np.concatenate([scores, exact_scores(self.live.vectors, query, numbers)])
        rows = np.concatenate([rows, numbers + size])
        order = np.lexsort((rows, -scores))[:k]
        return scores[order], rows[order]

    def rows_allowed(self, columns: ProductColumns, products: Mask) -> Mask:
        """Return the mask of rows, live ones last, that belong to the masked products of the columns."""
        ordinals = self.generation_rows.ordinals(columns)
        if len(self.live):
            ordinals = np.concatenate([ordinals, columns.ordinals(self.live.keys)])
        # Rows and columns may be of two states: a product that the columns do not know yet, at -1, is not allowed.
        return np.append(products, False)[ordinals]

    def keys_of(self, rows: Ids) -> Ids:
        """Return the keys of the products that these rows belong to."""
        return self._pick(self.generation_rows.generation.product_keys, self.live.keys, rows)

    def hashes_of(self, rows: Ids) -> list[str]:
        """Return the content hashes of these rows' pictures."""
        picked = self._pick(self.generation_rows.generation.picture_hashes, self.live.hashes, rows)
        return [sha256.decode() for sha256 in picked.tolist()]

    def vectors_of(self, rows: Ids) -> Rows:
        """Return these rows' vectors (n, dim)."""
        return self._pick(self.generation_rows.generation.rows, self.live.vectors, rows)

    def rows_of(self, key: int) -> ProductRows:
        """Return the searchable rows of a product; none when it cannot be found."""
        own = self.generation_rows.rows_of(key)
        if len(own) and (self.allowed is None or self.allowed[own[0]]):
            return self.generation_rows.rows(key)
        return self.live.rows(key)

    def found_keys(self) -> Ids:
        """Return the key of each searchable row's product."""
        own = self.generation_rows.generation.product_keys
        return np.concatenate([own if self.allowed is None else own[self.allowed], self.live.keys])

    def draw(self, count: int, seed: int) -> list[int]:
        """Return the keys of at most `count` random products; some may have left the catalogue."""
        own = self.generation_rows.product_keys
        new = np.setdiff1d(self.live.keys, own) if len(self.live) else self.live.keys
        total = len(own) + len(new)
        drawn = np.random.default_rng(seed).choice(total, min(total, count), replace=False)
        return [int(own[number] if number < len(own) else new[number - len(own)]) for number in drawn]

    def changed(self, changes: RowChanges, seq: int, waiting: int = 0) -> Snapshot:
        """Return the next snapshot; `waiting` more products did not fit among the live rows."""
        touched = {*changes.live, *changes.restored, *changes.gone}
        if not touched:
            return replace(self, seq=seq, waiting=self.waiting + waiting)
        keys = key_array(touched)
        rows, counts = self.generation_rows.rows_of_each(keys)
        allowed = np.ones(self.generation_rows.size, np.bool_) if self.allowed is None else self.allowed.copy()
        present = np.isin(keys, self.live.keys)
        present[np.repeat(np.arange(len(keys)), counts)[allowed[rows]]] = True
        allowed[rows] = np.repeat(np.isin(keys, key_array(changes.restored)), counts)
        live = self.live.changed(touched, changes.live)
        products = self.products - int(np.count_nonzero(present)) + len(changes.live) + len(changes.restored)
        allowed_rows = None if allowed.all() else allowed
        waiting += self.waiting
        return Snapshot(self.generation_rows, live, seq, allowed_rows, products, waiting, self.swept)

    def _search_generation(self, query: Floats, k: int, wanted: Mask | None) -> tuple[Floats, Ids]:
        generation = self.generation_rows.generation
        if wanted is not None:
            return generation.search(query, k, wanted if self.allowed is None else wanted & self.allowed)
        if self.allowed is None:
            return generation.search(query, k)
        scores, rows = generation.search(query, k + SPARE_ROWS)
        visible = self.allowed[rows]
        if np.count_nonzero(visible) >= k or len(rows) == self.generation_rows.size:
            return scores[visible][:k], rows[visible][:k]
        return generation.search(query, k, self.allowed)

    def _pick(self, own: NDArray, live: NDArray, rows: Ids) -> NDArray:  # type: ignore[type-arg]
        """Return entries of two arrays laid end to end, without concatenating them."""
        if not len(self.live):
            return own[rows]
        ours = rows < self.generation_rows.size
        picked = np.empty((len(rows), *own.shape[1:]), own.dtype)
        picked[ours] = own[rows[ours]]
        picked[~ours] = live[rows[~ours] - self.generation_rows.size]
        return picked
