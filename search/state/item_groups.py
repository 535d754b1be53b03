"""Item groups: products that are variants of one thing, counted and listed once.

A product without an item group is a thing of its own. Group ids that differ only in case or width are one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from indexer.columns.label_columns import LabelColumn
from indexer.types import Ids, Mask

MAX_VARIANTS = 100  # of one item group that are listed


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """The pairs of a label and a group that has it: `numbers` by entry of the column, and the label of each pair."""

    labels: LabelColumn
    numbers: Ids
    codes: Ids

    @classmethod
    def of(cls, labels: LabelColumn, first: Ids) -> _Pairs:
        size = max(1, len(first))
        pairs, numbers = np.unique(labels.label_codes * size + first[labels.rows], return_inverse=True)
        return cls(labels, numbers, pairs // size)

    def count(self, mask: Mask) -> Ids:
        found = np.zeros(len(self.codes), np.bool_)
        found[self.numbers[mask[self.labels.rows]]] = True
        return np.bincount(self.codes[found], minlength=len(self.labels.totals))


@dataclass(frozen=True, slots=True, eq=False)
class ItemGroups:
    """The products of a shop by item group: `first` (n,) has the ordinal of the first product of each one's group.

    None stands for products that are not grouped: each is counted and listed on its own.
    """

    first: Ids | None = None
    _pairs: dict[int, _Pairs] = field(default_factory=dict)  # by label column, which they hold

    @classmethod
    def of(cls, labels: LabelColumn, count: int) -> ItemGroups:
        """Return the groups of `count` products, whose group ids are labels."""
        if not labels.size:
            return NOT_GROUPED
        codes = labels.label_codes
        leaders = np.full(len(labels.words), count, np.int64)
        leaders[codes[::-1]] = labels.rows[::-1]  # of one group, the last that is written is the first product
        first = np.arange(count)
        first[labels.rows] = leaders[codes]
        return cls(first)

    def count(self, mask: Mask) -> int:
        """Return the number of groups that have a masked product."""
        if self.first is None:
            return int(np.count_nonzero(mask))
        return self.count_at(np.flatnonzero(mask), len(mask))

    def count_at(self, ordinals: Ids, size: int) -> int:
        """Return the number of groups that these products, of `size` in all, are of."""
        if self.first is None:
            return len(ordinals)
        found = np.zeros(size, np.bool_)
        found[self.first[ordinals]] = True
        return int(np.count_nonzero(found))

    def count_labels(self, labels: LabelColumn, mask: Mask) -> Ids:
        """Return for each label, by number, the number of groups that have a masked product with it."""
        if self.first is None:
            return labels.counts(mask)
        known = self._pairs.get(id(labels))
        if known is None:
            known = self._pairs[id(labels)] = _Pairs.of(labels, self.first)
        return known.count(mask)

    def leading(self, ordinals: Ids) -> Mask:
        """Return the mask of the places of a ranking with the first product of a group; ordinals of -1 pass."""
        if self.first is None:
            return np.ones(len(ordinals), np.bool_)
        known = np.flatnonzero(ordinals >= 0)
        mask = ordinals < 0
        _, places = np.unique(self.first[ordinals[known]], return_index=True)
        mask[known[places]] = True
        return mask

    def with_variants(self, mask: Mask) -> Mask:
        """Return the mask of the masked products and all others of their groups."""
        if self.first is None or not mask.any():
            return mask
        groups = np.zeros(len(mask), np.bool_)
        groups[self.first[mask]] = True
        return groups[self.first]

    def members(self, ordinal: int) -> Ids:
        """Return the ordinals of a product's group, at most MAX_VARIANTS, its own too, in the order of the shop."""
        if self.first is None:
            return np.array([ordinal], np.int64)
        return np.flatnonzero(self.first == self.first[ordinal])[:MAX_VARIANTS]


NOT_GROUPED = ItemGroups()
