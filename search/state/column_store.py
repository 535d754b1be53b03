"""Columns to filter, count and sort products by: arrays in memory, so that no query needs SQLite.

They are the table of products (`indexer.columns`), which a change of the shop replaces, with what searches ask of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from catalog.product import CATEGORY_SEPARATOR
from indexer.columns.fields import CATEGORY, COLOUR, CURRENCY, ITEM_GROUP
from indexer.columns.label_columns import LabelColumn
from indexer.columns.product_table import ShopTable
from indexer.types import Mask
from search.query.filters import BASE_COLOUR, ID, PRICE, AnyOf, Condition, Filter, InStock, Not, OneOf, OnSale
from search.state.base_colours import base_colour_column
from search.state.item_groups import NOT_GROUPED, ItemGroups


class ProductColumns(ShopTable):
    """All products of a shop at one state: arrays by ordinal. All changes up to number `seq` are in them."""

    def matching(self, filter: Filter) -> Mask:
        """Return the mask (n,) of the products that pass a filter; removed ones never do."""
        return self._all_of(filter) & self.present

    def labels_of(self, name: str) -> LabelColumn:
        """Return the labels of a field ("category", "attributes.gender"); empty when no product has it."""
        if name == BASE_COLOUR:
            return self._base_colours
        return self.labels.get(name) or LabelColumn.empty()

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
        ordinals, _ = self.places_of([product_id])
        of_each = map(self._item_groups.members, ordinals[self.present[ordinals]].tolist())
        members = next((members for members in of_each if len(members) > 1), ())
        return tuple(self.ids[place] for place in members)

    @cached_property
    def is_priced(self) -> bool:
        """Whether a product has a price."""
        return not bool(np.isnan(self.prices).all())

    @cached_property
    def differs_in_stock(self) -> bool:
        """Whether some products are in stock and others are not."""
        return 0 < int(np.count_nonzero(self.stock & self.present)) < self.count

    @cached_property
    def is_reduced(self) -> bool:
        """Whether a product is on sale."""
        return bool(self.reduced.any())

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
            return self.labels_of(condition.field).passing(condition.includes, len(self))
        within = condition.includes(self.prices)
        if condition.currency:
            within &= self.labels_of(CURRENCY).having([condition.currency], len(self))
        return within

    def _ids_mask(self, values: Sequence[str]) -> Mask:
        mask = np.zeros(len(self), np.bool_)
        mask[self.places_of(values)[0]] = True
        return mask
