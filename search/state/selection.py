"""A selection of products, counted: by the numbers of their labels, over whichever are fewer, these or the others."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from indexer.columns.label_columns import LabelColumn
from indexer.types import Ids, Mask
from search.state.column_store import ProductColumns
from search.state.item_groups import ItemGroups

FEW = 16  # times fewer priced products than all of the shop are sorted, where more are read off the order of all


class Selection:
    """The masked products (n,) of a shop, each of the `groups` once. What one count found serves the next."""

    def __init__(self, columns: ProductColumns, mask: Mask, groups: ItemGroups) -> None:
        self.columns = columns
        self.mask = mask & columns.present
        self.groups = groups

    @cached_property
    def products(self) -> int:
        """The number of products, whatever their groups."""
        return int(np.count_nonzero(self.mask))

    def count(self, within: Mask) -> int:
        """Return the number of selected products within another mask."""
        return self.groups.count(self.mask & within)

    def count_labels(self, labels: LabelColumn) -> Ids:
        """Return the number of selected products with each label, by number."""
        if self.groups.first is not None:
            return self.groups.count_labels(labels, self.mask)
        others = self.columns.count - self.products
        if not others:
            return labels.totals
        if others < self.products:
            return labels.label_counts(labels.list_counts - labels.list_counts_at(self._others))
        return labels.label_counts(labels.list_counts_at(self._places))

    @cached_property
    def by_price(self) -> tuple[NDArray[np.float64], Ids]:
        """The prices of the selected products that have one, rising, and their ordinals."""
        if self.products * FEW < len(self.mask):
            places = self._places[~np.isnan(self.columns.prices[self._places])]
            places = places[np.argsort(self.columns.prices[places], kind="stable")]
            return self.columns.prices[places], places
        order = self.columns.price_order
        rising, values = order.rising[: order.priced], order.values[: order.priced]
        chosen = self.mask[rising]
        return (values, rising) if chosen.all() else (values[chosen], rising[chosen])

    @cached_property
    def _places(self) -> Ids:
        return np.flatnonzero(self.mask)

    @cached_property
    def _others(self) -> Ids:
        return np.flatnonzero(~self.mask & self.columns.present)
