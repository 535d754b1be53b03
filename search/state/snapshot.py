"""A snapshot of what a search sees: a generation, the live rows changed since, which of its rows count, and columns.

A snapshot never changes: a change makes the next one, so that a search sees one state however long it takes. A change
takes rows and columns with it, under one number. Row numbers run through the generation's rows, then the live ones.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.product import Product
from indexer.ann.exact_rerank import exact_scores
from indexer.columns.product_table import key_array, spans
from indexer.generations.store import Generation
from indexer.types import Floats, Ids, Mask
from indexer.vectors.conditions import AnyHolds, OfProducts, RowCondition
from indexer.vectors.contract import RowArray
from search.state.column_store import ProductColumns
from search.state.live_rows import LiveRows, ProductRows

MAX_TOUCHED = 2_000  # products that a condition names one by one
SPARE_ROWS = 16  # rows retrieved beyond k, so that a few hidden ones need no second search

Rows = NDArray[np.floating]


class GenerationRows:
    """A generation with the lookups computed from it once: the rows of each product, and the product of each row."""

    def __init__(self, generation: Generation) -> None:
        self.generation, self.size = generation, len(generation.rows)
        self._by_product = np.argsort(generation.product_keys, kind="stable")
        self._sorted_keys = generation.product_keys[self._by_product]
        first = np.flatnonzero(np.diff(self._sorted_keys, prepend=-1))  # keys are above 0; `np.unique` would hash them
        self.product_keys: Ids = self._sorted_keys[first]
        self._ordinals: tuple[object, int, Ids] = (None, 0, self.product_keys)
        self._in_order = self.product_keys, False  # ordinals, and whether each row's is its own number

    def ordinals(self, columns: ProductColumns) -> Ids:
        """Return the ordinal of each row's product in the columns, -1 for unknown products; cached by lineage."""
        lineage, known, ordinals = self._ordinals
        if lineage is not columns.lineage:
            ordinals = columns.ordinals(self.generation.product_keys)
        elif known > len(columns):  # earlier columns, which a search may still use
            return np.where(ordinals < len(columns), ordinals, -1)
        elif known < len(columns) and (ordinals < 0).any():  # a product that was unknown may have come since
            unknown = np.flatnonzero(ordinals < 0)
            ordinals = ordinals.copy()
            ordinals[unknown] = columns.ordinals(self.generation.product_keys[unknown])
        self._ordinals = (columns.lineage, len(columns), ordinals)
        if ordinals is not self._in_order[0]:
            self._in_order = ordinals, bool(np.array_equal(ordinals, np.arange(len(ordinals))))
        return ordinals

    def rows_of_masked(self, products: Mask, columns: ProductColumns) -> Mask:
        """Return the mask (n,) of the rows of the masked products (columns,); not to be written to."""
        ordinals = self.ordinals(columns)
        known, is_own = self._in_order
        if known is ordinals and is_own:
            return products[: self.size]
        rows: Mask = np.append(products, False)[ordinals]  # rows of products that were removed are at -1
        return rows

    def rows_of(self, key: int) -> Ids:
        """Return the numbers of a product's rows, its first picture first; empty when it has none here."""
        return self.rows_of_each(np.array([key]))[0]

    def rows_of_each(self, keys: Ids) -> tuple[Ids, Ids]:
        """Return the numbers of the rows of many products, product after product, and how many each has."""
        first = np.searchsorted(self._sorted_keys, keys)
        counts = np.searchsorted(self._sorted_keys, keys, side="right") - first
        return self._by_product[spans(first, counts)], counts

    def rows(self, key: int) -> ProductRows:
        """Return a product's rows as this generation has them."""
        return ProductRows.at(self.rows_of(key), self.generation.picture_hashes, self.generation.rows)


@dataclass(frozen=True, slots=True)
class ShopChanges:
    """What happened up to change `seq`: products that were put, by key, keys that are gone, and what rows that makes.

    Of the products that were put, `live` ones get these rows, `restored` ones the generation's own, `hidden` ones none.
    The others keep their rows for now: they are `waiting`, with those that waited before.
    """

    seq: int
    puts: Mapping[int, Product] = field(default_factory=dict)
    gone: Collection[int] = ()
    live: Mapping[int, ProductRows] = field(default_factory=dict)
    restored: Collection[int] = ()
    hidden: Collection[int] = ()
    waiting: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the shop: rows and columns as of one change of the catalogue's log. Shared by threads."""

    generation_rows: GenerationRows
    columns: ProductColumns
    live: LiveRows
    allowed: Mask | None = None  # the generation's rows that count; None: all
    products: int = 0
    waiting: frozenset[int] = frozenset()  # keys of changed products that did not fit among the live rows
    skipped: int = 0  # changes that were not replayed because they were too many
    touched: frozenset[int] = frozenset()  # keys put since the generation was built, where an engine filters by itself

    @classmethod
    def of(cls, generation_rows: GenerationRows, columns: ProductColumns) -> Snapshot:
        """Return the generation's rows of the products that the columns have.

        The snapshot is as of the change of the earlier part: changes that are in the other part can be applied again.
        """
        columns = columns.as_of(generation_rows.generation.manifest.seq)
        generation = generation_rows.generation
        live = LiveRows.none(generation.layout.dim, generation.vectors.live)
        present = np.append(columns.present, False)[generation_rows.ordinals(columns)]
        products = int(np.count_nonzero(columns.has(generation_rows.product_keys)))
        return cls(generation_rows, columns, live, None if present.all() else present, products)

    @property
    def seq(self) -> int:
        """The change of the catalogue's log up to which everything is in rows and columns."""
        return self.columns.seq

    @property
    def pictures(self) -> int:
        """The number of searchable rows."""
        own = self.generation_rows.size if self.allowed is None else int(np.count_nonzero(self.allowed))
        return own + len(self.live)

    @property
    def rows_per_product(self) -> int:
        """The number of rows per product, on average, rounded up."""
        return -(-(self.generation_rows.size + len(self.live)) // max(1, self.products))

    @property
    def pushes_down(self) -> bool:
        """Whether an engine holds the vectors, to which a condition on rows may be said."""
        return self.live.engine is not None

    def searchable(self) -> Mask:
        """Return the mask (n,) of the products of the columns that have a searchable row."""
        columns = self.columns
        if self.products == np.count_nonzero(columns.present):
            return columns.present
        found = np.zeros(len(columns) + 1, np.bool_)  # the last one for products that the columns lack, at -1
        own = self.generation_rows.ordinals(columns)
        found[own if self.allowed is None else own[self.allowed]] = True
        found[columns.ordinals(self.live.keys)] = True
        return found[:-1] & columns.present

    def search(
        self, query: Floats, k: int, allowed: Mask | None = None, condition: RowCondition | None = None
    ) -> tuple[Floats, Ids]:
        """Return exact scores and numbers of the k best `allowed` rows (live ones last), ties by row number.

        `condition` holds for all products that are allowed; an engine may use it to pass over the others.
        """
        size = self.generation_rows.size
        own = None if allowed is None else allowed[:size]
        scores, rows = self._search_generation(query, k, own, self._of_build(condition))
        if not len(self.live):
            return scores, rows
        numbers = self.live.best(query, k, None if allowed is None else allowed[size:])
        scores = np.concatenate([scores, exact_scores(self.live.vectors[numbers], query, np.arange(len(numbers)))])
        rows = np.concatenate([rows, numbers + size])
        order = np.lexsort((rows, -scores))[:k]
        return scores[order], rows[order]

    def rows_allowed(self, products: Mask) -> Mask:
        """Return the mask of rows, live ones last, of the masked products of the columns; not to be written to."""
        own = self.generation_rows.rows_of_masked(products, self.columns)
        if not len(self.live):
            return own
        return np.concatenate([own, np.append(products, False)[self.columns.ordinals(self.live.keys)]])

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

    def scores_of(self, rows: Ids, query: Floats) -> Floats:
        """Return the exact scores of these rows for a query (dim,), float32 (n,)."""
        own = self.generation_rows.generation.rows
        if isinstance(own, np.ndarray) and not (rows >= len(own)).any():  # they are copied once, not twice
            return exact_scores(own, query, rows)
        return exact_scores(self.vectors_of(rows), query, np.arange(len(rows)))

    def rows_of(self, key: int) -> ProductRows:
        """Return the searchable rows of a product; none when it cannot be found."""
        own = self.generation_rows.rows_of(key)
        if len(own) and (self.allowed is None or self.allowed[own[0]]):
            return self.generation_rows.rows(key)
        return self.live.rows(key)

    def first_rows(self, keys: Ids) -> Floats:
        """Return float32 (keys, dim): the row of each product's first picture; zeros for products without one."""
        generation = self.generation_rows.generation
        numbers, counts = self.generation_rows.rows_of_each(keys)
        found = np.flatnonzero(counts)
        first = numbers[(np.cumsum(counts) - counts)[found]]
        if self.allowed is not None:
            found, first = found[self.allowed[first]], first[self.allowed[first]]
        rows = np.zeros((len(keys), generation.layout.dim), np.float32)
        rows[found] = generation.rows[first]
        for place in np.setdiff1d(np.arange(len(keys)), found).tolist() if len(self.live) else ():
            rows[place] = next(iter(self.live.rows(int(keys[place])).vectors), 0.0)
        return rows

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

    def changed(self, changes: ShopChanges) -> Snapshot:
        """Return the next snapshot: rows and columns after these changes."""
        columns = self.columns.changed(changes.puts, changes.gone, changes.seq)
        touched = self.touched | changes.puts.keys() if self.pushes_down else self.touched
        after = replace(self, columns=columns, waiting=changes.waiting, touched=touched)
        return after._with_rows(changes.live, changes.restored, {*changes.hidden, *changes.gone}, changes.puts)

    def skipped_to(self, columns: ProductColumns) -> Snapshot:
        """Return the snapshot with later columns, without replaying the changes; only removals alter its rows."""
        found = np.unique(self.found_keys())
        after = replace(self, columns=columns, skipped=self.skipped + columns.seq - self.seq)
        return after._with_rows({}, (), found[~columns.has(found)].tolist())

    def _with_rows(
        self,
        live: Mapping[int, ProductRows],
        restored: Collection[int],
        hidden: Collection[int],
        puts: Mapping[int, Product] = MappingProxyType({}),
    ) -> Snapshot:
        touched = {*live, *restored, *hidden}
        if not touched:
            return self
        keys = key_array(touched)
        rows, counts = self.generation_rows.rows_of_each(keys)
        allowed = np.ones(self.generation_rows.size, np.bool_) if self.allowed is None else self.allowed.copy()
        present = np.isin(keys, self.live.keys)
        present[np.repeat(np.arange(len(keys)), counts)[allowed[rows]]] = True
        allowed[rows] = np.repeat(np.isin(keys, key_array(restored)), counts)
        products = self.products - int(np.count_nonzero(present)) + len(live) + len(restored)
        allowed_rows = None if allowed.all() else allowed
        return replace(self, live=self.live.changed(touched, live, puts), allowed=allowed_rows, products=products)

    def _of_build(self, condition: RowCondition | None) -> RowCondition | None:
        """Return the condition for rows whose facts an engine has as of the build: products put since may pass."""
        if condition is None or self.skipped or len(self.touched) > MAX_TOUCHED:
            return None
        return AnyHolds((condition, OfProducts(tuple(sorted(self.touched))))) if self.touched else condition

    def _search_generation(
        self, query: Floats, k: int, wanted: Mask | None, condition: RowCondition | None
    ) -> tuple[Floats, Ids]:
        generation = self.generation_rows.generation
        if wanted is not None:
            return generation.search(query, k, wanted if self.allowed is None else wanted & self.allowed, condition)
        if self.allowed is None:
            return generation.search(query, k)
        scores, rows = generation.search(query, k + SPARE_ROWS)
        visible = self.allowed[rows]
        if np.count_nonzero(visible) >= k or len(rows) == self.generation_rows.size:
            return scores[visible][:k], rows[visible][:k]
        return generation.search(query, k, self.allowed)

    def _pick(self, own: RowArray, live: RowArray, rows: Ids) -> NDArray[Any]:
        """Return entries of two arrays laid end to end, without concatenating them."""
        ours = rows < self.generation_rows.size
        if ours.all():
            return np.asarray(own[rows])
        picked = np.empty((len(rows), *own.shape[1:]), own.dtype)
        picked[ours] = own[rows[ours]]
        picked[~ours] = live[rows[~ours] - self.generation_rows.size]
        return picked
