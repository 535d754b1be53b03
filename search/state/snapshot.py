"""What one search sees: a generation, the rows that changed since then beside it, and which of its own still count.

A snapshot never changes. A change makes the next one, so an answer is of one piece however long it takes.
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
from search.state.column_store import ProductColumns

ROUNDING = 1e-4  # how far a product of matrices may lie from the exact score
SPARE = 16  # rows fetched beyond what is wanted, so that a few hidden ones need no second search

Rows = NDArray[np.floating]
Hashes = NDArray[np.bytes_]


@dataclass(frozen=True, slots=True)
class ProductRows:
    """The rows of one product, a picture each: content hashes and vectors."""

    hashes: tuple[str, ...]
    vectors: Rows


class GenerationRows:
    """A generation with what is worked out from it once: which rows a product has, and how many at the most."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.size = len(generation.rows)
        self._by_product = np.argsort(generation.product_keys, kind="stable")
        self._sorted_keys = generation.product_keys[self._by_product]
        self.product_keys: Ids = np.unique(generation.product_keys)
        self._placed: tuple[object, Ids] = (None, self.product_keys)

    def places(self, columns: ProductColumns) -> Ids:
        """The ordinal of each row's product among the columns, -1 for one that they do not have; found out once."""
        lineage, places = self._placed
        if lineage is not columns.lineage:
            places = columns.ordinals(self.generation.product_keys)
            self._placed = (columns.lineage, places)
        return places

    def rows_of(self, key: int) -> Ids:
        """The numbers of a product's rows, its first picture first; empty when it has none here."""
        first, last = np.searchsorted(self._sorted_keys, (key, key + 1))
        found: Ids = self._by_product[first:last].astype(np.int64, copy=False)
        return found

    def rows_of_each(self, keys: Ids) -> tuple[Ids, Ids]:
        """The numbers of the rows of many products, product after product, and how many each has."""
        first = np.searchsorted(self._sorted_keys, keys)
        counts = np.searchsorted(self._sorted_keys, keys, side="right") - first
        skipped = np.cumsum(counts) - counts
        return self._by_product[np.repeat(first - skipped, counts) + np.arange(counts.sum())], counts

    def rows(self, key: int) -> ProductRows:
        """A product's rows as this generation has them."""
        numbers = self.rows_of(key)
        hashes = tuple(each.decode() for each in self.generation.picture_hashes[numbers].tolist())
        return ProductRows(hashes, self.generation.rows[numbers])


@dataclass(frozen=True, slots=True)
class LiveRows:
    """A small exact index: row i is the picture with content `hashes[i]` of the product with key `keys[i]`.

    The vectors have been rounded to float16, as a generation's are, so that scores agree; they are kept in float32.
    """

    keys: Ids
    hashes: Hashes
    vectors: Rows

    @classmethod
    def none(cls, dim: int) -> LiveRows:
        """No rows yet."""
        return cls(np.zeros(0, np.int64), np.zeros(0, "S64"), np.zeros((0, dim), np.float32))

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, key: int) -> ProductRows:
        """A product's live rows; none when it has not changed."""
        numbers = np.flatnonzero(self.keys == key)
        return ProductRows(tuple(each.decode() for each in self.hashes[numbers].tolist()), self.vectors[numbers])

    def best(self, query: Floats, k: int, allowed: Mask | None = None) -> Ids:
        """The numbers of the k best allowed rows for a query, and of those that may tie with the last; rising."""
        numbers: Ids = np.arange(len(self.keys)) if allowed is None else np.flatnonzero(allowed)
        if len(numbers) <= k:
            return numbers
        rough = (self.vectors @ query)[numbers]
        best: Ids = numbers[rough >= np.partition(rough, -k)[-k] - ROUNDING]
        return best

    def changed(self, dropped: Collection[int], added: Mapping[int, ProductRows]) -> LiveRows:
        """These rows without those of `dropped` keys, and with the added ones behind them."""
        kept = ~np.isin(self.keys, _array(dropped))
        counts = [len(rows.hashes) for rows in added.values()]
        keys = np.repeat(_array(added), counts)
        hashes = np.array([each.encode() for rows in added.values() for each in rows.hashes], "S64")
        return LiveRows(
            np.concatenate([self.keys[kept], keys]),
            np.concatenate([self.hashes[kept], hashes]),
            np.concatenate([self.vectors[kept], *(rows.vectors for rows in added.values())], dtype=np.float32),
        )


@dataclass(frozen=True, slots=True)
class RowChanges:
    """A change in rows: `live` products get these, `shown` ones the generation's own, `gone` ones none."""

    live: Mapping[int, ProductRows]
    shown: Collection[int] = ()
    gone: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the shop, as of change `seq` of the catalogue's log. Shared by threads.

    `allowed` says which of the generation's rows count (None: all of them), `waiting` how many changed products found
    no room among the live rows.
    """

    shelf: GenerationRows
    live: LiveRows
    seq: int
    allowed: Mask | None = None
    products: int = 0
    waiting: int = 0
    swept: int = -1  # the change at which all products were last looked for in the catalogue

    @classmethod
    def of(cls, shelf: GenerationRows) -> Snapshot:
        """A generation as it was built."""
        manifest = shelf.generation.manifest
        live = LiveRows.none(shelf.generation.layout.dim)
        return cls(shelf, live, manifest.seq, products=len(shelf.product_keys))

    @property
    def pictures(self) -> int:
        """How many rows can be found."""
        own = self.shelf.size if self.allowed is None else int(np.count_nonzero(self.allowed))
        return own + len(self.live)

    @property
    def spread(self) -> int:
        """How many rows a product has at the most, on average, rounded up."""
        return -(-(self.shelf.size + len(self.live)) // max(1, self.products))

    def search(self, query: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Ids]:
        """The k best rows for a query vector (dim,): exact scores, best first, ties by row number, and the row numbers.

        Only rows whose `allowed` is true (one a row, live rows last) come back. Fewer than k only when there are not
        so many.
        """
        own, beside = (None, None) if allowed is None else (allowed[: self.shelf.size], allowed[self.shelf.size :])
        scores, rows = self._search_generation(query, k, own)
        if not len(self.live):
            return scores, rows
        numbers = self.live.best(query, k, beside)
        scores = np.concatenate([scores, exact_scores(self.live.vectors, query, numbers)])
        rows = np.concatenate([rows, numbers + self.shelf.size])
        order = np.lexsort((rows, -scores))[:k]
        return scores[order], rows[order]

    def rows_allowed(self, columns: ProductColumns, products: Mask) -> Mask:
        """The rows, live ones last, that belong to the masked products of the columns."""
        places = self.shelf.places(columns)
        if len(self.live):
            places = np.concatenate([places, columns.ordinals(self.live.keys)])
        # Row and product may be of two states: a product that the columns do not know yet is not let through.
        return np.append(products, False)[places]

    def keys_of(self, rows: Ids) -> Ids:
        """The keys of the products that these rows belong to."""
        return self._pick(self.shelf.generation.product_keys, self.live.keys, rows)

    def hashes_of(self, rows: Ids) -> list[str]:
        """The content hashes of these rows' pictures."""
        picked = self._pick(self.shelf.generation.picture_hashes, self.live.hashes, rows)
        return [each.decode() for each in picked.tolist()]

    def vectors_of(self, rows: Ids) -> Rows:
        """These rows' vectors (n, dim)."""
        return self._pick(self.shelf.generation.rows, self.live.vectors, rows)

    def rows_of(self, key: int) -> ProductRows:
        """The rows by which a product is found now; none when it is not found."""
        own = self.shelf.rows_of(key)
        if len(own) and (self.allowed is None or self.allowed[own[0]]):
            return self.shelf.rows(key)
        return self.live.rows(key)

    def found_keys(self) -> Ids:
        """The keys of the products that can be found; one that has several rows is there as often."""
        own = self.shelf.generation.product_keys
        return np.concatenate([own if self.allowed is None else own[self.allowed], self.live.keys])

    def draw(self, count: int, seed: int) -> list[int]:
        """Keys of at most `count` products, by chance; some may have left the catalogue."""
        own = self.shelf.product_keys
        new = np.setdiff1d(self.live.keys, own) if len(self.live) else self.live.keys
        total = len(own) + len(new)
        drawn = np.random.default_rng(seed).choice(total, min(total, count), replace=False)
        return [int(own[number] if number < len(own) else new[number - len(own)]) for number in drawn]

    def changed(self, delta: RowChanges, seq: int, waiting: int = 0) -> Snapshot:
        """The next state; `waiting` more products found no room."""
        touched = {*delta.live, *delta.shown, *delta.gone}
        if not touched:
            return replace(self, seq=seq, waiting=self.waiting + waiting)
        keys = _array(touched)
        rows, counts = self.shelf.rows_of_each(keys)
        allowed = np.ones(self.shelf.size, np.bool_) if self.allowed is None else self.allowed.copy()
        found = np.isin(keys, self.live.keys)
        found[np.repeat(np.arange(len(keys)), counts)[allowed[rows]]] = True
        allowed[rows] = np.repeat(np.isin(keys, _array(delta.shown)), counts)
        return Snapshot(
            self.shelf,
            self.live.changed(touched, delta.live),
            seq,
            None if allowed.all() else allowed,
            self.products - int(np.count_nonzero(found)) + len(delta.live) + len(delta.shown),
            self.waiting + waiting,
            self.swept,
        )

    def _search_generation(self, query: Floats, k: int, wanted: Mask | None) -> tuple[Floats, Ids]:
        generation = self.shelf.generation
        if wanted is not None:
            return generation.search(query, k, wanted if self.allowed is None else wanted & self.allowed)
        if self.allowed is None:
            return generation.search(query, k)
        scores, rows = generation.search(query, k + SPARE)
        kept = self.allowed[rows]
        if np.count_nonzero(kept) >= k or len(rows) == self.shelf.size:
            return scores[kept][:k], rows[kept][:k]
        return generation.search(query, k, self.allowed)

    def _pick(self, own: NDArray, live: NDArray, rows: Ids) -> NDArray:  # type: ignore[type-arg]
        """Entries of two arrays laid end to end, without making one of them."""
        if not len(self.live):
            return own[rows]
        ours = rows < self.shelf.size
        picked = np.empty((len(rows), *own.shape[1:]), own.dtype)
        picked[ours] = own[rows[ours]]
        picked[~ours] = live[rows[~ours] - self.shelf.size]
        return picked


def _array(keys: Collection[int]) -> Ids:
    return np.fromiter(keys, np.int64, len(keys))
