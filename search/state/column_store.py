"""What products are filtered, counted and sorted by, in memory: arrays over all products, so that no query asks SQLite.

A product's place in the arrays is its ordinal, and ordinals rise with keys: the newest product is the last. Columns
never change; a change of the shop makes the next ones, in which ordinals are the same while `lineage` is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR, Product
from catalog.storage.catalogue import Catalogue
from search.query.filters import CATEGORY, ID, PRICE, AnyOf, Between, Condition, Filter, InStock, Not, OneOf
from search.state.label_columns import CURRENCY, Ints, LabelColumn, LabelColumnBuilder, Mask

HOLES = 4  # products that are gone are kept until they are one in so many


@dataclass(frozen=True)
class ProductColumns:
    """All products of a shop at one state: arrays by ordinal. `prices` is nan where there is none.

    `present` is false where a product is gone; `by_id` are the ordinals in the order of ids.
    """

    keys: Ints
    ids: NDArray[np.object_]
    by_id: Ints
    prices: NDArray[np.float64]
    stock: Mask
    present: Mask
    labels: Mapping[str, LabelColumn]
    lineage: object = field(default_factory=object, compare=False)

    @classmethod
    def read(cls, catalogue: Catalogue) -> ProductColumns:
        """The columns of a catalogue; what is put or removed meanwhile is to be told to `changed` afterwards."""
        return cls.of(catalogue.iterate())

    @classmethod
    def of(cls, products: Iterable[tuple[int, Product]]) -> ProductColumns:
        """The columns of these products, which come with rising keys."""
        labelled = LabelColumnBuilder()
        keys, ids, prices, stock = [], [], [], []
        for ordinal, (key, product) in enumerate(products):
            keys.append(key)
            ids.append(product.id)
            prices.append(_price(product))
            stock.append(product.in_stock)
            labelled.add(ordinal, product)
        count = len(keys)
        by_id = np.array(sorted(range(count), key=ids.__getitem__), np.int64)
        none = np.zeros(count, np.bool_)
        return cls(
            np.array(keys, np.int64),
            _texts(ids),
            by_id,
            np.array(prices, np.float64),
            np.array(stock, np.bool_),
            ~none,
            _labels({}, labelled, none),
        )

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def id_ranks(self) -> Ints:
        """Each product's place in the order of ids."""
        ranks = np.empty(len(self), np.int64)
        ranks[self.by_id] = np.arange(len(self))
        return ranks

    def ordinals(self, keys: Ints) -> Ints:
        """The places of products by key; -1 for those that are not known."""
        if not len(self):
            return np.full(len(keys), -1, np.int64)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self) - 1)
        return np.where(self.keys[places] == keys, places, -1)

    def matching(self, filter: Filter) -> Mask:
        """Which products pass a filter (n,); those that are gone never do."""
        return self._all_of(filter) & self.present

    def mask_of(self, keys: Ints) -> Mask:
        """The mask (n,) of products given by key."""
        mask = np.zeros(len(self), np.bool_)
        places = self.ordinals(keys)
        mask[places[places >= 0]] = True
        return mask & self.present

    def labels_of(self, name: str) -> LabelColumn:
        """A field's labels ("category", "attributes.gender"); empty when no product has it."""
        return self.labels.get(name) or LabelColumn.none()

    def categories(self) -> dict[str, int]:
        """Each whole category, as the feed writes it, and how many products have it."""
        labels = self.labels_of(CATEGORY)
        depths = np.array([text.count(CATEGORY_SEPARATOR) for text in labels.words.texts], np.int64)
        here = self.present[labels.rows]
        rows, codes = labels.rows[here], labels.codes[here]
        order = np.lexsort((depths[codes], rows))
        last = np.append(rows[order][1:] != rows[order][:-1], True) if len(order) else np.zeros(0, np.bool_)
        counts = np.bincount(codes[order][last], minlength=len(depths))
        return {labels.words.texts[code]: int(counts[code]) for code in np.flatnonzero(counts).tolist()}

    def changed(self, puts: Mapping[int, Product], gone: Collection[int] = ()) -> ProductColumns:
        """The columns after these products were put, by key, and those keys removed."""
        base = self._with_room({key: puts[key].id for key in sorted(puts)})
        places, lost = base.ordinals(_array(puts)), base.ordinals(_array(gone))
        lost = lost[lost >= 0]
        labelled = LabelColumnBuilder((name, labels.words) for name, labels in base.labels.items())
        for place, product in zip(places.tolist(), puts.values(), strict=True):
            labelled.add(place, product)
        prices, stock, present = base.prices.copy(), base.stock.copy(), base.present.copy()
        prices[places] = [_price(product) for product in puts.values()]
        stock[places] = [product.in_stock for product in puts.values()]
        present[places], present[lost] = True, False
        touched = np.zeros(len(base), np.bool_)
        touched[lost] = touched[places] = True
        labels = _labels(base.labels, labelled, touched)
        return replace(base, prices=prices, stock=stock, present=present, labels=labels)

    def _with_room(self, puts: Mapping[int, str]) -> ProductColumns:
        """These columns with places for new products (rising keys, and ids), and without many that are gone."""
        known = self.ordinals(_array(puts))
        new = {key: name for (key, name), place in zip(puts.items(), known.tolist(), strict=True) if place < 0}
        crowded = HOLES * int(np.count_nonzero(~self.present)) > len(self)
        if not new and not crowded:
            return self
        if crowded:
            alive = self.present.copy()
            alive[known[known >= 0]] = True
            kept = np.flatnonzero(alive)
        else:
            kept = np.arange(len(self))
        keys = np.concatenate([self.keys[kept], _array(new)])
        order = np.argsort(keys, kind="stable")
        place = np.empty(len(keys), np.int64)
        place[order] = np.arange(len(keys))
        moved = np.full(len(self), -1, np.int64)
        moved[kept] = place[: len(kept)]
        steady = len(kept) == len(self) and bool((moved == np.arange(len(self))).all())
        ids = np.concatenate([self.ids[kept], _texts(list(new.values()))])[order]
        blank = np.zeros(len(new), np.bool_)
        return ProductColumns(
            keys[order],
            ids,
            _inserted(ids, moved[self.by_id], place[len(kept) :]),
            np.concatenate([self.prices[kept], np.full(len(new), np.nan)])[order],
            np.concatenate([self.stock[kept], blank])[order],
            np.concatenate([self.present[kept], blank])[order],
            self.labels if steady else {name: labels.moved(moved) for name, labels in self.labels.items()},
            self.lineage if steady else object(),
        )

    def _all_of(self, filter: Filter) -> Mask:
        mask = np.ones(len(self), np.bool_)
        for condition in filter.conditions:
            mask &= self._holds(condition)
        return mask

    def _holds(self, condition: Condition) -> Mask:
        match condition:
            case OneOf(field=name, values=values):
                return self._with_ids(values) if name == ID else self.labels_of(name).having(values, len(self))
            case Between():
                return self._between(condition)
            case InStock(in_stock=in_stock):
                return self.stock if in_stock else ~self.stock
            case Not(filter=inner):
                return ~self._all_of(inner)
            case AnyOf(filters=filters):
                found = np.zeros(len(self), np.bool_)
                for each in filters:
                    found |= self._all_of(each)
                return found

    def _between(self, asked: Between) -> Mask:
        least = -np.inf if asked.least is None else asked.least
        most = np.inf if asked.most is None else asked.most
        if asked.field != PRICE:
            return self.labels_of(asked.field).between(least, most, len(self))
        within: Mask = (self.prices >= least) & (self.prices <= most)
        if asked.currency:
            within &= self.labels_of(CURRENCY).having([asked.currency], len(self))
        return within

    def _with_ids(self, values: Sequence[str]) -> Mask:
        mask = np.zeros(len(self), np.bool_)
        if len(self):
            wanted = _texts(values)
            found = self.by_id[np.minimum(np.searchsorted(self.ids, wanted, sorter=self.by_id), len(self) - 1)]
            mask[found[self.ids[found] == wanted]] = True
        return mask


def _labels(base: Mapping[str, LabelColumn], labelled: LabelColumnBuilder, touched: Mask) -> dict[str, LabelColumn]:
    """The labels of all fields after those of the touched products were gathered anew."""
    told = {}
    for name, words in labelled.words.items():
        before = base.get(name) or LabelColumn(words, *(np.zeros(0, np.int32) for _ in range(2)))
        told[name] = before.changed(touched, labelled.rows.get(name, ()), labelled.codes.get(name, ()))
    return told


def _inserted(ids: NDArray[np.object_], ordered: Ints, new: Ints) -> Ints:
    """The ordinals in the order of ids: those that were ordered before (-1: gone), and new ones in between."""
    ordered = ordered[ordered >= 0]
    new = np.array(sorted(new.tolist(), key=ids.__getitem__), np.int64)
    return np.insert(ordered, np.searchsorted(ids[ordered], ids[new]), new)


def _price(product: Product) -> float:
    return np.nan if product.price is None else float(product.price)


def _texts(values: Sequence[str]) -> NDArray[np.object_]:
    texts = np.empty(len(values), object)
    texts[:] = values
    return texts


def _array(keys: Collection[int]) -> Ints:
    return np.fromiter(keys, np.int64, len(keys))
