"""How far each product of a shop is of the kinds and has the values that a question asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.product import CATEGORY_SEPARATOR
from indexer.columns.label_columns import LabelColumn
from indexer.types import Floats, Ids, Mask
from search.query.filters import CATEGORY
from search.state.column_store import ProductColumns
from search.understanding.understood import KindRef, Understood, ValueRef

MEANT = 0.6  # score of a kind that is only meant
ROUNDING = 1e-5  # of a score
LEAST_QUALITY = float(np.nextafter(np.float32(0), np.float32(1)))
HAS_VALUE = 0.35  # quality from which a product has a value: that of a word in it by a synonym


@dataclass(frozen=True, eq=False)
class ValueScores:
    """The quality of one wanted value in each product, by the product's list of labels in each field."""

    fields: tuple[tuple[LabelColumn, Floats], ...]
    count: int

    def at(self, places: Ids | None) -> Floats:
        """Return the best quality that each of these products has, float32; of all products without `places`."""
        found = [labels.spread(qualities, self.count, places) for labels, qualities in self.fields]
        return found[0] if len(found) == 1 else np.maximum.reduce(found)

    @cached_property
    def has(self) -> Mask:
        """The products (n,) that have the value."""
        return self.at_least(HAS_VALUE)

    @property
    def largest(self) -> float:
        """The best quality that any product has."""
        held = [qualities[labels.list_counts > 0] for labels, qualities in self.fields]
        return max((float(own.max(initial=0.0)) for own in held), default=0.0)

    @property
    def resembling(self) -> Mask:
        """The products (n,) with a value of any quality."""
        return self.at_least(LEAST_QUALITY)

    def at_least(self, quality: float) -> Mask:
        """Return the products (n,) that have the value in at least a quality."""
        found = [labels.of_lists(qualities >= np.float32(quality), self.count) for labels, qualities in self.fields]
        return found[0] if len(found) == 1 else np.logical_or.reduce(found)


@dataclass(frozen=True, eq=False)
class KindProducts:
    """The products of a kind, as the lists of labels (lists,) that have it."""

    labels: LabelColumn
    lists: Mask

    @classmethod
    def of(cls, ref: KindRef, columns: ProductColumns) -> KindProducts:
        """Return the products of a kind; of a category with all below it."""
        labels = columns.labels_of(ref.field)
        return cls(labels, labels.lists_having([ref.label]))

    @cached_property
    def any(self) -> bool:
        """Whether a product is of the kind."""
        return bool(self.labels.list_counts[self.lists].any())

    def has(self, ordinals: Ids) -> Mask:
        """Return which of these products are of the kind."""
        numbers = np.zeros(len(ordinals), np.int64)
        known = ordinals < len(self.labels.numbers)
        numbers[known] = self.labels.numbers[ordinals[known]]
        return self.lists[numbers]


@dataclass(frozen=True, eq=False)
class KindScores:
    """How far each product is of the wanted kinds: kinds with a score each, of which the largest counts.

    Where a kind is only meant, those `meant` count instead, the last of a product, and at most `MEANT` / 2 where none
    does; the `best` products, by ordinal, stand at the top. All meant kinds are of one column.
    """

    count: int
    named: tuple[tuple[KindProducts, float], ...] = ()
    meant: tuple[tuple[KindProducts, float], ...] = ()
    best: tuple[tuple[int, float], ...] = ()

    @cached_property
    def is_named(self) -> Mask:
        """The products (n,) of a named kind."""
        found = [labels.of_lists(scores > 0, self.count) for labels, scores in self._by_column]
        found = found or [np.zeros(self.count, np.bool_)]
        return np.logical_or.reduce(found) if len(found) != 1 else found[0]

    @cached_property
    def largest(self) -> float:
        """The largest score of any product, 0 where none has one."""
        named = max([score for kind, score in self.named if kind.any], default=0.0)
        if not self.meant:
            return named
        others = [score for kind, score in self.meant if kind.any]
        return max([min(named, MEANT / 2), *others, *(score for _, score in self.best)])

    @cached_property
    def _by_column(self) -> list[tuple[LabelColumn, Floats]]:
        """The largest score of a named kind of each list of labels (lists,), by column."""
        found: dict[int, tuple[LabelColumn, Floats]] = {}
        for kind, score in self.named:
            _, scores = found.setdefault(id(kind.labels), (kind.labels, np.zeros(len(kind.lists), np.float32)))
            np.maximum(scores, kind.lists * np.float32(score), out=scores)
        return list(found.values())

    @cached_property
    def _with_meant(self) -> tuple[list[tuple[LabelColumn, Floats]], tuple[LabelColumn, Floats] | None]:
        """The scores of `_by_column` where kinds are meant, and those of the meant kinds, which come before them.

        None where the latter are in the former, as they mostly are, so that products are looked at once.
        """
        columns = self._by_column
        if not self.meant:
            return columns, None
        labels = self.meant[0][0].labels
        meant = np.zeros(len(labels.list_counts), np.float32)
        for kind, score in self.meant:
            meant[kind.lists] = score
        columns = [(own, np.minimum(scores, np.float32(MEANT / 2))) for own, scores in columns]
        if [own for own, _ in columns] == [labels]:
            return [(labels, np.where(meant > 0, meant, columns[0][1]))], None
        return columns, (labels, meant)

    def at(self, places: Ids | None) -> Floats:
        """Return the score of each of these products (rising ordinals), float32; of all without `places`."""
        columns, meant = self._with_meant
        found = [labels.spread(scores, self.count, places) for labels, scores in columns]
        scores = found[0] if found else np.zeros(self.count if places is None else len(places), np.float32)
        for others in found[1:]:
            np.maximum(scores, others, out=scores)
        if meant is not None:
            labels, scores_of_lists = meant
            of_each = labels.spread(scores_of_lists, self.count, places)
            np.copyto(scores, of_each, where=of_each > 0)
        for ordinal, score in self.best:
            at = ordinal if places is None else int(np.searchsorted(places, ordinal))
            if places is None or (at < len(places) and places[at] == ordinal):
                scores[at] = score
        return scores


@dataclass(frozen=True, eq=False)
class ProductScores:
    """How far products are of the kinds and have each wanted value, 0 to 1; `excluded` (n,) masks what is unwanted."""

    kinds: KindScores
    values: tuple[ValueScores, ...]
    excluded: Mask

    def mean_value(self, places: Ids | None) -> Floats:
        """Return the mean score of the wanted values of each of these products; of all without `places`."""
        total, *rest = (value.at(places) for value in self._by_column)
        for own in rest:
            total += own
        return total / np.float32(len(self.values))

    @cached_property
    def _by_column(self) -> list[ValueScores]:
        """The values of one field, added up by column, so that each is read once, then those of several fields."""
        sums: dict[int, tuple[LabelColumn, Floats]] = {}
        for value in self.values:
            if len(value.fields) == 1:
                labels, qualities = value.fields[0]
                known = sums.get(id(labels))
                sums[id(labels)] = (labels, qualities if known is None else known[1] + qualities)
        added_up = [ValueScores((own,), self.kinds.count) for own in sums.values()]
        return added_up + [value for value in self.values if len(value.fields) != 1]

    def largest_mean(self, known: float, places: Ids | None) -> float:
        """Return the largest mean score of any product of the shop; of those at `places` it is the `known` one."""
        if places is None:
            return known
        largest, sum_known = [value.largest for value in self._by_column], known * len(self.values)
        if sum_known >= sum(largest) - ROUNDING:
            return known
        mask = np.ones(self.kinds.count, np.bool_)
        for value, own in zip(self._by_column, largest, strict=True):
            needed = sum_known - (sum(largest) - own)  # to have more, if it has the most of all other values
            if needed > -ROUNDING:
                mask &= value.at_least(max(needed - ROUNDING, LEAST_QUALITY))
        mask[places] = False
        return max(known, float(self.mean_value(np.flatnonzero(mask)).max(initial=0.0)))

    @cached_property
    def has_all(self) -> Mask:
        """The products (n,) that have every wanted value."""
        mask: Mask = np.ones(self.kinds.count, np.bool_)
        for value in self.values:
            mask &= value.has
        return mask


def score_products(understood: Understood, columns: ProductColumns) -> ProductScores:
    """Return the scores of all products for what was understood."""
    named = tuple((KindProducts.of(ref, columns), ref.confidence) for kind in understood.kinds for ref in kind.refs)
    excluded = np.zeros(len(columns), np.bool_)
    for value in understood.excluded:
        excluded |= _value_scores(value.refs, columns).resembling
    values = tuple(_value_scores(value.refs, columns) for value in understood.wanted)
    return ProductScores(KindScores(len(columns), named), values, excluded)


def in_kind(ref: KindRef, columns: ProductColumns) -> Mask:
    """Return the mask of a kind's products; of a category with all below it."""
    return columns.labels_of(ref.field).having([ref.label], len(columns)) & columns.present


def in_kinds(labels: Iterable[str], columns: ProductColumns) -> Mask:
    """Return the mask of the products of these deepest categories."""
    return columns.labels_of(CATEGORY).having(labels, len(columns)) & columns.present


def _value_scores(refs: Sequence[ValueRef], columns: ProductColumns) -> ValueScores:
    """Return the best quality of a value's labels in each list of labels."""
    by_field: defaultdict[str, list[ValueRef]] = defaultdict(list)
    for ref in refs:
        by_field[ref.field].append(ref)
    fields = []
    for field, own in by_field.items():
        labels = columns.labels_of(field)
        quality = np.zeros(len(labels.words), np.float32)
        for ref in own:
            code = labels.words.label(ref.label)
            if code >= 0:
                quality[code] = max(quality[code], ref.quality)
        spelled = labels.words.labels(len(quality))
        fields.append((labels, labels.highest(quality if spelled is None else quality[spelled])))
    return ValueScores(tuple(fields), len(columns))


def is_below(label: str, parent: str) -> bool:
    """Return whether a category is another one, or below it."""
    return label == parent or label.startswith(parent + CATEGORY_SEPARATOR)
