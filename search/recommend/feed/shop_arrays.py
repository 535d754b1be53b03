"""The shop's products as arrays by ordinal (n,): what ranking needs, made once for each state and its statistics."""

from __future__ import annotations

import operator
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.product import CATEGORY_SEPARATOR
from indexer.types import Floats, Ids, Mask
from search.query.filters import CATEGORY
from search.recommend.events.event_statistics import EventStatistics
from search.recommend.feed.fitted_scores import FittedScores
from search.recommend.feed.newer_products import NewerProducts, RowsOf
from search.recommend.learning.fitted_models import FittedModels
from search.state.column_store import ProductColumns

LEADING = 5  # leaders of each category, and more in a shop of few categories:
MIN_LEADERS = 400  # leaders of all categories together


@dataclass(frozen=True, slots=True, eq=False)
class ShopArrays:
    """Arrays (n,) by ordinal of the columns.

    `categories` is the label of the deepest category, -1 without one; `groups` the ordinal of the first product of the
    item group; `popularity` 0 to 1, `of_many` whether many visitors make it, before all products of few visitors;
    `repeat_rates` the probability that a buyer buys the product on another day.
    `leaders` are the most popular products of each category, the newest ones where none are popular. `fitted` has the
    models that rank, None where none are fitted; `newer` the products that came after the fit.
    """

    columns: ProductColumns
    statistics: EventStatistics
    categories: Ids
    groups: Ids
    popularity: Floats
    of_many: Mask
    repeat_rates: Floats
    leaders: Ids
    fitted: FittedScores | None
    newer: NewerProducts | None

    @classmethod
    def of(
        cls, columns: ProductColumns, statistics: EventStatistics, models: FittedModels | None, rows_of: RowsOf
    ) -> ShopArrays:
        """Make the arrays of a state of the shop, the statistics of its events, and the models fitted on them.

        `rows_of` returns the rows of ordinals in that state.
        """
        categories = deepest_categories(columns)
        groups = columns.item_groups().first
        if groups is None:
            groups = np.arange(len(columns))
        popularity, of_many = _popularity(columns, statistics)
        labels = columns.labels_of(CATEGORY)
        purchases = statistics.purchases
        of_label = np.zeros(len(labels.words) + 1, np.float32)  # the last one is for products without a category
        for name, rate in purchases.category_repeat_rates.items():
            if (code := labels.code(name)) >= 0:
                of_label[code] = rate
        rates = of_label[categories]
        own = ordinals_of(columns, list(purchases.repeat_rates))
        known = own >= 0
        rates[own[known]] = np.array([*purchases.repeat_rates.values()], np.float32)[known]
        leaders = _leaders(categories, popularity)
        fitted = FittedScores.of(models, columns)
        if fitted is not None:  # fitted on all events; the statistics are of the newest ones
            rates = np.where(fitted.codes >= 0, fitted.by_ordinal(fitted.ranking.repeat_rate), rates)
        newer = None if fitted is None else _newer(columns, fitted, rows_of)
        return cls(columns, statistics, categories, groups, popularity, of_many, rates, leaders, fitted, newer)

    def __len__(self) -> int:
        return len(self.columns)

    def category_name(self, label: int) -> str:
        """Return the path of a category by its label, as the shop spells it."""
        return self.columns.labels_of(CATEGORY).text(label)


_Sources = tuple[ProductColumns, EventStatistics, FittedModels | None]


class ShopArraysCache:
    """The arrays of the state that is served now; threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[_Sources, ShopArrays] | None = None

    def get(
        self, columns: ProductColumns, statistics: EventStatistics, models: FittedModels | None, rows_of: RowsOf
    ) -> ShopArrays:
        """Return the arrays of these columns, statistics and models, made again when one of them is another."""
        wanted = (columns, statistics, models)
        if self._made is not None and all(map(operator.is_, self._made[0], wanted)):
            return self._made[1]
        with self._lock:
            if self._made is None or not all(map(operator.is_, self._made[0], wanted)):
                self._made = (wanted, ShopArrays.of(*wanted, rows_of))
            return self._made[1]


def ordinals_of(columns: ProductColumns, ids: Sequence[str]) -> Ids:
    """Return the ordinals of the products with these ids, (ids,); -1 for those that the shop lacks now."""
    ordinals, places = columns.places_of(ids)
    here = columns.present[ordinals]
    found = np.full(len(ids), -1, np.int64)
    found[places[here]] = ordinals[here]
    return found


def by_ordinal(columns: ProductColumns, values: Mapping[str, float]) -> Floats:
    """Return values by product id as an array (n,) by ordinal, 0 for products without one."""
    array = np.zeros(len(columns), np.float32)
    ordinals = ordinals_of(columns, list(values))
    known = ordinals >= 0
    array[ordinals[known]] = np.array([*values.values()], np.float32)[known]
    return array


def deepest_categories(columns: ProductColumns) -> Ids:
    """Return the label of each product's deepest category (n,), -1 without one."""
    labels = columns.labels_of(CATEGORY)
    deepest = np.full(len(columns), -1, np.int64)
    depths = np.array([text.count(CATEGORY_SEPARATOR) for text in labels.words.texts], np.int64)
    if len(depths):
        order = np.argsort(depths[labels.codes], kind="stable")
        deepest[labels.rows[order]] = labels.label_codes[order]  # of one product, the last assignment is the deepest
    return deepest


def _newer(columns: ProductColumns, fitted: FittedScores, rows_of: RowsOf) -> NewerProducts:
    ordinals = np.flatnonzero(columns.present & (fitted.codes < 0))
    return NewerProducts.of(ordinals, fitted.by_ordinal(fitted.ranking.popularity), rows_of)


def _popularity(columns: ProductColumns, statistics: EventStatistics) -> tuple[Floats, Mask]:
    """Return the popularity (n,), and the mask (n,) of products of many visitors, which come before all others."""
    popularity = by_ordinal(columns, statistics.popular)
    of_many = by_ordinal(columns, dict.fromkeys(statistics.of_many, 1.0)).astype(np.bool_) & (popularity > 0)
    least = float(popularity[of_many].min(initial=1.0))
    return np.where(of_many, popularity, np.minimum(popularity, least / 2)), of_many


def _leaders(categories: Ids, popularity: Floats) -> Ids:
    order = np.lexsort((-np.arange(len(categories)), -popularity, categories))
    ranked = categories[order]
    first = np.searchsorted(ranked, ranked)
    count = max(LEADING, -(-MIN_LEADERS // max(1, len(np.unique(categories)))))
    return order[np.arange(len(order)) - first < count]
