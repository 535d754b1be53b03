"""How far each product of a shop is of the kinds and has the values that a question asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.product import CATEGORY_SEPARATOR
from indexer.types import Floats, Mask
from search.query.filters import CATEGORY
from search.state.column_store import ProductColumns
from search.understanding.understood import KindRef, Understood, ValueRef

HAS_VALUE = 0.35  # quality from which a product has a value: that of a word in it by a synonym


@dataclass(frozen=True, slots=True)
class ProductScores:
    """Scores of all products by ordinal, float32 (n,) each: of the kinds, and of each wanted value; 0 to 1."""

    kinds: Floats
    values: tuple[Floats, ...]
    excluded: Mask

    @property
    def mean_value(self) -> Floats:
        """The mean score of the wanted values, 0 where none is wanted."""
        total: Floats = np.zeros(len(self.kinds), np.float32)
        for value in self.values:
            total = total + value
        return total / np.float32(max(1, len(self.values)))

    @property
    def has_all(self) -> Mask:
        """The products that have every wanted value."""
        mask = np.ones(len(self.kinds), np.bool_)
        for value in self.values:
            mask &= value >= HAS_VALUE
        return mask


def score_products(understood: Understood, columns: ProductColumns) -> ProductScores:
    """Return the scores of all products for what was understood."""
    kinds = np.zeros(len(columns), np.float32)
    for kind in understood.kinds:
        for ref in kind.refs:
            mask = in_kind(ref, columns)
            kinds[mask] = np.maximum(kinds[mask], np.float32(ref.confidence))
    excluded = np.zeros(len(columns), np.bool_)
    for value in understood.excluded:
        excluded |= _value_scores(value.refs, columns) > 0
    values = tuple(_value_scores(value.refs, columns) for value in understood.wanted)
    return ProductScores(kinds, values, excluded)


def in_kind(ref: KindRef, columns: ProductColumns) -> Mask:
    """Return the mask of a kind's products; of a category with all below it."""
    return columns.labels_of(ref.field).having([ref.label], len(columns)) & columns.present


def in_kinds(labels: Iterable[str], columns: ProductColumns) -> Mask:
    """Return the mask of the products of these deepest categories."""
    mask = np.zeros(len(columns), np.bool_)
    for label in labels:
        mask |= in_kind(KindRef(CATEGORY, label), columns)
    return mask


def _value_scores(refs: Sequence[ValueRef], columns: ProductColumns) -> Floats:
    """Return the best quality of a value's labels that each product has."""
    by_field: defaultdict[str, list[ValueRef]] = defaultdict(list)
    for ref in refs:
        by_field[ref.field].append(ref)
    scores = np.zeros(len(columns), np.float32)
    for field, own in by_field.items():
        labels = columns.labels_of(field)
        quality = np.zeros(len(labels.words), np.float32)
        for ref in own:
            code = labels.words.label(ref.label)
            if code >= 0:
                quality[code] = max(quality[code], ref.quality)
        spelled = labels.words.labels(len(quality))
        scores = np.maximum(scores, labels.highest(quality if spelled is None else quality[spelled], len(columns)))
    return scores


def is_below(label: str, parent: str) -> bool:
    """Return whether a category is another one, or below it."""
    return label == parent or label.startswith(parent + CATEGORY_SEPARATOR)
