"""Columns to filter, count and sort products by: arrays in memory, so that no query needs SQLite.

A product's place in the arrays is its ordinal, and ordinals rise with keys: the newest product is the last. Columns
never change; a change of the shop makes the next ones, which have the same ordinals while `lineage` is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR, Product
from catalog.storage.catalogue import Catalogue
from indexer.types import Ids, Mask
from search.query.filters import (
    BASE_COLOUR,
    CATEGORY,
    COLOUR,
    ID,
    PRICE,
    AnyOf,
    Condition,
    Filter,
    InStock,
    Not,
    OneOf,
    OnSale,
)
from search.state.base_colours import base_colour_column
from search.state.item_groups import NOT_GROUPED, ItemGroups
from search.state.label_columns import CURRENCY, ITEM_GROUP, LabelColumn, LabelColumnBuilder, LabelDictionary

MAX_REMOVED_SHARE = 0.25  # share of all products beyond which removed ones are dropped from the arrays


@dataclass(frozen=True)
class ProductColumns:
    """All products of a shop at one state: arrays by ordinal. All changes up to number `seq` are in them."""

    keys: Ids
    ids: NDArray[np.object_]
    by_id: Ids  # ordinals in the order of ids
    prices: NDArray[np.float64]  # nan for products without one
    stock: Mask
    reduced: Mask  # on sale
    present: Mask  # false where a product was removed
    labels: Mapping[str, LabelColumn]
    seq: int = 0
    lineage: object = field(default_factory=object, compare=False)

    @classmethod
    def read(cls, catalogue: Catalogue) -> ProductColumns:
        """Read the columns of a catalogue; pass what later changes put or remove to `changed`, also if it is in."""
        seq = catalogue.seq
        return cls.of(catalogue.iterate(), seq)

    @classmethod
    def of(cls, products: Iterable[tuple[int, Product]], seq: int = 0) -> ProductColumns:
        """Return the columns of products, which must come with rising keys, as of change `seq`."""
        builder = LabelColumnBuilder()
        keys, ids, prices, stock, reduced = [], [], [], [], []
        for ordinal, (key, product) in enumerate(products):
            keys.append(key)
            ids.append(product.id)
            prices.append(_price(product))
            stock.append(product.in_stock)
            reduced.append(product.on_sale)
            builder.add(ordinal, product)
        count = len(keys)
        by_id = np.array(sorted(range(count), key=ids.__getitem__), np.int64)
        stock_column, reduced_column = np.array(stock, np.bool_), np.array(reduced, np.bool_)
        none = np.zeros(count, np.bool_)
        labels = _labels({}, builder, none)
        key_column, price_column = np.array(keys, np.int64), np.array(prices, np.float64)
        return cls(key_column, _texts(ids), by_id, price_column, stock_column, reduced_column, ~none, labels, seq)

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def id_ranks(self) -> Ids:
        """Each product's place in the order of ids."""
        ranks = np.empty(len(self), np.int64)
        ranks[self.by_id] = np.arange(len(self))
        return ranks

    def ordinals(self, keys: Ids) -> Ids:
        """Return the ordinals of products by key; -1 for unknown ones."""
        return sorted_places(self.keys, keys)

    def matching(self, filter: Filter) -> Mask:
        """Return the mask (n,) of the products that pass a filter; removed ones never do."""
        return self._all_of(filter) & self.present

    def has(self, keys: Ids) -> Mask:
        """Return the mask (n,) of the keys that a product of the shop has."""
        return np.append(self.present, False)[self.ordinals(keys)]

    def keys_of(self, ids: Iterable[str]) -> set[int]:
        """Return the keys of the products with these ids; a product that was put again has had others before."""
        ordinals = self._with_ids(list(ids))
        return set(self.keys[ordinals[self.present[ordinals]]].tolist())

    def as_of(self, seq: int) -> ProductColumns:
        """Return these columns as of an earlier change: those after it can be applied once more."""
        return replace(self, seq=min(seq, self.seq))

    def mask_of(self, keys: Ids) -> Mask:
        """Return the mask (n,) of products given by key."""
        mask = np.zeros(len(self), np.bool_)
        places = self.ordinals(keys)
        mask[places[places >= 0]] = True
        return mask & self.present

    def labels_of(self, name: str) -> LabelColumn:
        """Return the labels of a field ("category", "attributes.gender"); empty when no product has it."""
        if name == BASE_COLOUR:
            return self._base_colours
        return self.labels.get(name) or LabelColumn.empty(LabelDictionary())

    def categories(self) -> dict[str, int]:
        """Return each full category path, as the feed writes it, and its number of products."""
        return self._categories

    def currencies(self) -> list[str]:
        """Return the codes of the currencies that products have."""
        return self.labels_of(CURRENCY).texts()

    def item_groups(self, grouped: bool = True) -> ItemGroups:
        """Return which products are variants of one thing; of none, unless they are to be grouped."""
        return self._item_groups if grouped else NOT_GROUPED

    def variants_of(self, product_id: str) -> tuple[str, ...]:
        """Return the ids of a product's item group, its own too, in the order of the shop; none without others."""
        ordinals = self._with_ids([product_id])
        of_each = map(self._item_groups.members, ordinals[self.present[ordinals]].tolist())
        members = next((members for members in of_each if len(members) > 1), ())
        return tuple(self.ids[place] for place in members)

    @cached_property
    def _item_groups(self) -> ItemGroups:
        return ItemGroups.of(self.labels_of(ITEM_GROUP), len(self))

    @cached_property
    def _base_colours(self) -> LabelColumn:
        return base_colour_column(self.labels_of(COLOUR))

    @cached_property
    def _categories(self) -> dict[str, int]:
        return self.labels_of(CATEGORY).deepest_counts(CATEGORY_SEPARATOR)

    @cached_property
    def category_groups(self) -> dict[str, int]:
        """Each category and those above it, with its number of products; variants of an item group count as one."""
        labels = self.labels_of(CATEGORY)
        counts = self._item_groups.count_labels(labels, self.present)
        return {labels.text(code): int(counts[code]) for code in np.flatnonzero(counts).tolist()}

    def changed(
        self, puts: Mapping[int, Product], gone: Collection[int] = (), seq: int | None = None
    ) -> ProductColumns:
        """Return the columns after these products, by key, were put, and the `gone` keys removed: as of `seq`."""
        base = self._with_room({key: puts[key].id for key in sorted(puts)})
        places, removed = base.ordinals(key_array(puts)), base.ordinals(key_array(gone))
        removed = removed[removed >= 0]
        builder = LabelColumnBuilder((name, labels.words) for name, labels in base.labels.items())
        for place, product in zip(places.tolist(), puts.values(), strict=True):
            builder.add(place, product)
        prices, stock, present = base.prices.copy(), base.stock.copy(), base.present.copy()
        reduced = base.reduced.copy()
        prices[places] = [_price(product) for product in puts.values()]
        stock[places] = [product.in_stock for product in puts.values()]
        reduced[places] = [product.on_sale for product in puts.values()]
        present[places], present[removed] = True, False
        prices[removed], stock[removed], reduced[removed] = np.nan, False, False  # nothing of them may be counted
        touched = np.zeros(len(base), np.bool_)
        touched[removed] = touched[places] = True
        labels = _labels(base.labels, builder, touched)
        seq = base.seq if seq is None else seq
        arrays = replace(base, prices=prices, stock=stock, reduced=reduced, present=present)
        return replace(arrays, labels=labels, seq=seq)

    def _with_room(self, puts: Mapping[int, str]) -> ProductColumns:
        """Return these columns with places for new products (sorted keys, ids), and without removed ones if many."""
        known = self.ordinals(key_array(puts))
        new = {key: name for (key, name), place in zip(puts.items(), known.tolist(), strict=True) if place < 0}
        compact = int(np.count_nonzero(~self.present)) > MAX_REMOVED_SHARE * len(self)
        if not new and not compact:
            return self
        alive = self.present.copy() if compact else np.ones(len(self), np.bool_)
        alive[known[known >= 0]] = True
        remaining = np.flatnonzero(alive)
        keys = np.concatenate([self.keys[remaining], key_array(new)])
        order = np.argsort(keys, kind="stable")
        place = np.empty(len(keys), np.int64)
        place[order] = np.arange(len(keys))
        moved = np.full(len(self), -1, np.int64)
        moved[remaining] = place[: len(remaining)]
        same_ordinals = bool((moved == np.arange(len(self))).all())
        ids = np.concatenate([self.ids[remaining], _texts(list(new.values()))])[order]
        by_id = moved[self.by_id]
        by_id = by_id[by_id >= 0]
        added = np.array(sorted(place[len(remaining) :].tolist(), key=ids.__getitem__), np.int64)
        blank = np.zeros(len(new), np.bool_)
        return ProductColumns(
            keys[order],
            ids,
            np.insert(by_id, np.searchsorted(ids[by_id], ids[added]), added),
            np.concatenate([self.prices[remaining], np.full(len(new), np.nan)])[order],
            np.concatenate([self.stock[remaining], blank])[order],
            np.concatenate([self.reduced[remaining], blank])[order],
            np.concatenate([self.present[remaining], blank])[order],
            self.labels if same_ordinals else {name: labels.moved(moved) for name, labels in self.labels.items()},
            self.seq,
            self.lineage if same_ordinals else object(),
        )

    def _all_of(self, filter: Filter) -> Mask:
        mask = np.ones(len(self), np.bool_)
        for condition in filter.conditions:
            mask &= self._holds(condition)
        return mask

    def _holds(self, condition: Condition) -> Mask:
        match condition:
            case OneOf(field=name, values=values):
                return self._ids_mask(values) if name == ID else self.labels_of(name).having(values, len(self))
            case InStock(in_stock=in_stock):
                return self.stock if in_stock else ~self.stock
            case OnSale(on_sale=on_sale):
                return self.reduced if on_sale else ~self.reduced
            case Not(filter=inner):
                return ~self._all_of(inner)
            case AnyOf(filters=filters):
                mask: Mask = np.logical_or.reduce([np.zeros(len(self), np.bool_), *map(self._all_of, filters)])
                return mask
        if condition.field != PRICE:
            return self.labels_of(condition.field).between(condition, len(self))
        within = condition.includes(self.prices)
        if condition.currency:
            within &= self.labels_of(CURRENCY).having([condition.currency], len(self))
        return within

    def _ids_mask(self, values: Sequence[str]) -> Mask:
        mask = np.zeros(len(self), np.bool_)
        mask[self._with_ids(values)] = True
        return mask

    def _with_ids(self, values: Sequence[str]) -> Ids:
        """Return the ordinals of all products that have or had one of these ids."""
        ids = _texts(values)
        first = np.searchsorted(self.ids, ids, sorter=self.by_id)
        counts = np.searchsorted(self.ids, ids, "right", sorter=self.by_id) - first
        return self.by_id[spans(first, counts)]


def spans(first: Ids, counts: Ids) -> Ids:
    """Return the numbers from `first[i]` on, `counts[i]` of them, for each i in turn."""
    skipped = np.cumsum(counts) - counts
    return np.repeat(first - skipped, counts) + np.arange(counts.sum())


def sorted_places(ordered: Ids, keys: Ids) -> Ids:
    """Return the places of keys in an array of sorted keys; -1 for those that it lacks."""
    if not len(ordered):
        return np.full(len(keys), -1, np.int64)
    places = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.where(ordered[places] == keys, places, -1)


def _labels(base: Mapping[str, LabelColumn], builder: LabelColumnBuilder, touched: Mask) -> dict[str, LabelColumn]:
    """Return the labels of all fields, with those of the touched products from the builder."""
    labels = {}
    for name, words in builder.words.items():
        before = base.get(name) or LabelColumn.empty(words)
        labels[name] = before.changed(touched, builder.rows.get(name, ()), builder.codes.get(name, ()))
    return labels


def _price(product: Product) -> float:
    return np.nan if product.price is None else float(product.price)


def _texts(values: Sequence[str]) -> NDArray[np.object_]:
    texts = np.empty(len(values), object)
    texts[:] = values
    return texts


def key_array(keys: Collection[int]) -> Ids:
    """Return keys as an array."""
    return np.fromiter(keys, np.int64, len(keys))
