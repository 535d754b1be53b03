"""The products of a shop as arrays: what filters, counts and orders need, so that no query needs the catalogue.

A product's place in the arrays is its ordinal, and ordinals rise with keys: the newest product is the last. Tables
never change; a change of the shop makes the next one, which has the same ordinals while `lineage` is the same. Most
arrays are mapped from the folder of the generation, and a change copies only those in which something is another.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.columns.label_columns import LabelColumn
from indexer.columns.label_reader import LabelReader
from indexer.columns.price_order import PriceOrder
from indexer.columns.table_builder import TableBuilder, price_number
from indexer.columns.text_column import HashIndex, TextColumn
from indexer.types import Ids, Mask

MAX_REMOVED_SHARE = 0.25  # share of all products beyond which removed ones are dropped from the arrays
NO_PLACES: Ids = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class ShopTable:
    """All products of a shop at one state: arrays by ordinal. All changes up to number `seq` are in them."""

    keys: Ids
    ids: TextColumn
    by_id: NDArray[np.int32]  # ordinals in the order of ids
    id_index: HashIndex
    prices: NDArray[np.float64]  # nan for products without one
    stock: Mask
    reduced: Mask  # on sale
    present: Mask  # false where a product was removed
    labels: Mapping[str, LabelColumn]
    seq: int = 0
    known_order: PriceOrder | None = None  # of the prices, but for those of `repriced` ordinals
    repriced: Ids = field(default_factory=lambda: NO_PLACES)
    lineage: object = field(default_factory=object)

    @classmethod
    def read(cls, catalogue: Catalogue) -> Self:
        """Read the products of a catalogue; pass what later changes put or remove to `changed`, also if it is in."""
        seq = catalogue.seq
        return cls.of(catalogue.iterate(), seq)

    @classmethod
    def of(cls, products: Iterable[tuple[int, Product]], seq: int = 0) -> Self:
        """Return the table of products, which must come with rising keys, as of change `seq`."""
        builder = TableBuilder()
        for key, product in products:
            builder.add(key, product)
        return cls(**builder.columns(), seq=seq)

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def count(self) -> int:
        """The number of products that are here now."""
        return int(np.count_nonzero(self.present))

    @cached_property
    def id_ranks(self) -> NDArray[np.int32]:
        """Each product's place in the order of ids."""
        ranks = np.empty(len(self), np.int32)
        ranks[self.by_id] = np.arange(len(self), dtype=np.int32)
        return ranks

    @cached_property
    def price_order(self) -> PriceOrder:
        """The order of the products by price."""
        if self.known_order is None:
            return PriceOrder.of(self.prices, self.by_id)
        return self.known_order.corrected(self.prices, self.id_ranks, self.repriced)

    def ordinals(self, keys: Ids) -> Ids:
        """Return the ordinals of products by key; -1 for unknown ones."""
        return sorted_places(self.keys, keys)

    def has(self, keys: Ids) -> Mask:
        """Return the mask (n,) of the keys that a product of the shop has."""
        return np.append(self.present, False)[self.ordinals(keys)]

    def keys_of(self, ids: Iterable[str]) -> set[int]:
        """Return the keys of the products with these ids; a product that was put again has had others before."""
        ordinals, _ = self.places_of(list(ids))
        return set(self.keys[ordinals[self.present[ordinals]]].tolist())

    def mask_of(self, keys: Ids) -> Mask:
        """Return the mask (n,) of products given by key."""
        ordinals = self.ordinals(keys)
        return self.mask_at(ordinals[ordinals >= 0])

    def mask_at(self, ordinals: Ids) -> Mask:
        """Return the mask (n,) of products given by ordinal, without those that were removed."""
        mask = np.zeros(len(self), np.bool_)
        mask[ordinals] = True
        return mask & self.present

    def as_of(self, seq: int) -> Self:
        """Return this table as of an earlier change: those after it can be applied once more."""
        return self if seq >= self.seq else replace(self, seq=seq)

    def places_of(self, ids: Sequence[str]) -> tuple[Ids, Ids]:
        """Return the ordinals of all products that have or had one of these ids, and which of the ids each has."""
        first, counts = self.id_index.spans_of(ids)
        places = self.id_index.places[spans(first, counts)].astype(np.int64)
        wanted = np.repeat(np.arange(len(ids)), counts)
        same = [self.ids[place] == ids[at] for place, at in zip(places.tolist(), wanted.tolist(), strict=True)]
        held = np.array(same, np.bool_)
        return places[held], wanted[held]

    def changed(self, puts: Mapping[int, Product], gone: Collection[int] = (), seq: int | None = None) -> Self:
        """Return the table after these products, by key, were put, and the `gone` keys removed: as of `seq`."""
        base = self._with_room({key: puts[key].id for key in sorted(puts)})
        places, removed = base.ordinals(key_array(puts)), base.ordinals(key_array(gone))
        removed = removed[removed >= 0]
        touched, products = np.concatenate([places, removed]), [*puts.values()]
        prices = np.array([*map(price_number, products), *[np.nan] * len(removed)], np.float64)
        blank = [False] * len(removed)  # nothing of removed products may be counted
        repriced = touched[~np.isclose(base.prices[touched], prices, rtol=0, atol=0, equal_nan=True)]
        known, waiting = base._order_known()
        return replace(
            base,
            prices=_with(base.prices, touched, prices),
            stock=_with(base.stock, touched, np.array([*(product.in_stock for product in products), *blank], np.bool_)),
            reduced=_with(
                base.reduced, touched, np.array([*(product.on_sale for product in products), *blank], np.bool_)
            ),
            present=_with(base.present, touched, np.array([*[True] * len(products), *blank], np.bool_)),
            labels=base._labels_with(touched, products),
            seq=base.seq if seq is None else seq,
            known_order=known,
            repriced=np.unique(np.concatenate([waiting, repriced])),
        )

    def without_removed(self) -> Self:
        """Return the table of the products that are here now."""
        return self if self.present.all() else self._rearranged(NO_PLACES, {}, compact=True)

    def _order_known(self) -> tuple[PriceOrder | None, Ids]:
        """Return the last order by price that was made, and the ordinals that have another price since."""
        made: PriceOrder | None = vars(self).get("price_order")
        return (self.known_order, self.repriced) if made is None else (made, NO_PLACES)

    def _labels_with(self, touched: Ids, products: Sequence[Product]) -> dict[str, LabelColumn]:
        """Return the labels of all fields, with those of the products at the first touched places, of others none."""
        reader = LabelReader((name, labels.words) for name, labels in self.labels.items())
        read = [reader.read(product) for product in products]
        none: list[dict[str, tuple[int, ...]]] = [{}] * (len(touched) - len(read))
        labels = {}
        for name, words in reader.words.items():
            before = self.labels.get(name) or LabelColumn.empty(words)
            labels[name] = before.changed(touched, [labels_of.get(name, ()) for labels_of in (*read, *none)])
        return labels

    def _with_room(self, puts: Mapping[int, str]) -> Self:
        """Return this table with places for new products (sorted keys, ids), and without removed ones if many."""
        known = self.ordinals(key_array(puts))
        new = {key: name for (key, name), place in zip(puts.items(), known.tolist(), strict=True) if place < 0}
        compact = int(np.count_nonzero(~self.present)) > MAX_REMOVED_SHARE * len(self)
        if compact or (new and len(self) and next(iter(new)) < self.keys[-1]):
            return self._rearranged(known, new, compact)
        return self._extended(new) if new else self

    def _extended(self, new: Mapping[int, str]) -> Self:
        """Return this table with more products at its end."""
        names, first = list(new.values()), len(self)
        places = np.arange(first, first + len(new))
        blank = np.zeros(len(new), np.bool_)
        known, waiting = self._order_known()
        return replace(
            self,
            keys=np.concatenate([self.keys, key_array(new)]),
            ids=self.ids.added(names),
            by_id=_inserted(self.by_id, self.ids, places, names),
            id_index=self.id_index.added(names, places),
            prices=np.concatenate([self.prices, np.full(len(new), np.nan)]),
            stock=np.concatenate([self.stock, blank]),
            reduced=np.concatenate([self.reduced, blank]),
            present=np.concatenate([self.present, blank]),
            known_order=known,
            repriced=np.concatenate([waiting, places]),
        )

    def _rearranged(self, known: Ids, new: Mapping[int, str], compact: bool) -> Self:
        """Return this table with new products among the others, and without removed ones that are not put again."""
        alive = self.present.copy() if compact else np.ones(len(self), np.bool_)
        alive[known[known >= 0]] = True
        remaining = np.flatnonzero(alive)
        keys = np.concatenate([self.keys[remaining], key_array(new)])
        order = np.argsort(keys, kind="stable")
        place = np.empty(len(keys), np.int64)
        place[order] = np.arange(len(keys))
        moved = np.full(len(self), -1, np.int64)
        moved[remaining] = place[: len(remaining)]
        by_id, indexed = moved[self.by_id], moved[self.id_index.places]
        names, added = list(new.values()), place[len(remaining) :]
        texts = np.concatenate([self.ids[remaining], np.array([*names, None], object)[:-1]])
        ids = TextColumn.of(texts[order].tolist())
        index = HashIndex(self.id_index.hashes[indexed >= 0], indexed[indexed >= 0].astype(np.int32))
        blank = np.zeros(len(new), np.bool_)
        return replace(
            self,
            keys=keys[order],
            ids=ids,
            by_id=_inserted(by_id[by_id >= 0].astype(np.int32), ids, added, names),
            id_index=index.added(names, added),
            prices=np.concatenate([self.prices[remaining], np.full(len(new), np.nan)])[order],
            stock=np.concatenate([self.stock[remaining], blank])[order],
            reduced=np.concatenate([self.reduced[remaining], blank])[order],
            present=np.concatenate([self.present[remaining], blank])[order],
            labels={name: labels.moved(moved, len(keys)) for name, labels in self.labels.items()},
            known_order=None,
            repriced=NO_PLACES,
            lineage=object(),
        )


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


def key_array(keys: Collection[int]) -> Ids:
    """Return keys as an array."""
    return np.fromiter(keys, np.int64, len(keys))


def _with(array: NDArray[Any], places: Ids, values: NDArray[Any]) -> NDArray[Any]:
    """Return an array with other values at some places; itself where they are there already."""
    equal = array[places] == values
    if equal.all() or (values.dtype == np.float64 and (equal | (np.isnan(values) & np.isnan(array[places]))).all()):
        return array
    after = array.copy()
    after[places] = values
    return after


def _inserted(by_id: NDArray[np.int32], ids: TextColumn, places: Ids, names: Sequence[str]) -> NDArray[np.int32]:
    """Return ordinals in the order of their ids with those of some more."""
    order = sorted(range(len(names)), key=names.__getitem__)
    at = [bisect_left(by_id, names[number], key=lambda place: ids[int(place)]) for number in order]
    return np.insert(by_id, at, places[order].astype(np.int32))
