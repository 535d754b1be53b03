"""What a log says of each product: popularity over several spans, how often it is bought again, its price of late."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.interactions import Codes, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import DAY_S, WEEK_S, Arrays
from search.recommend.models.popularity import NewestEvents

HALF_LIVES_WEEKS = (1.0, 4.0, 13.0, 52.0)
RECENT = 1  # column of HALF_LIVES_WEEKS by which candidates are chosen
PRIOR_BUYERS = 5.0  # buyers that weigh as much as those of the whole category
PRIOR_GAPS = 5.0
USUAL_GAP_DAYS = 30.0  # between two purchases, before anything is known
PRICE_WEEKS = 2
MAX_DAYS = 40_000  # days since 1970 that fit into a key with a product
UNKNOWN_REPEAT_RATE = 0.0  # a shop in which nobody bought anything twice sells durables, as far as is known


@dataclass(frozen=True, slots=True, eq=False)
class ProductStatistics:
    """Columns (products,) unless another shape is said.

    `popularity` (products, len(HALF_LIVES_WEEKS)) are decayed numbers of visitors, `buyers` those of all times.
    `repeat_rate` is the share of buyers who bought the product on another day too, `gap_days` the mean number of days
    between, both smoothed to the product's category. `type_share` is the product's part of the recent popularity of its
    deepest category. `age_weeks` is NaN for what was never bought, `discount` the price of late over the usual one, NaN
    where unknown. `types`, `parents` and `brands` are codes from 0, the last one for none.
    """

    types: Codes
    parents: Codes
    brands: Codes
    prices: Floats
    popularity: Floats
    buyers: Floats
    repeat_rate: Floats
    gap_days: Floats
    type_share: Floats
    age_weeks: Floats
    discount: Floats

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Compute the statistics of events before `now`."""
        events = events.between(0, now)
        count = len(products)
        visitors = NewestEvents.of(events, count, now)
        popularity = np.stack([visitors.popularity(half_life) for half_life in HALF_LIVES_WEEKS], axis=1)
        types, parents, brands = (
            _codes(column) for column in (products.categories[:, -1], products.categories[:, 1], products.brands)
        )
        bought = events.of_kind()
        buyers, repeat_rate, gap_days = _repeats(bought, types, count)
        of_type = np.bincount(types, popularity[:, RECENT])[types]
        first = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(first, bought.products, bought.times)
        return cls(
            types,
            parents,
            brands,
            products.prices,
            popularity,
            buyers,
            repeat_rate,
            gap_days,
            np.divide(popularity[:, RECENT], of_type, out=np.zeros(count, np.float32), where=of_type > 0),
            np.where(buyers > 0, (now - first) / WEEK_S, np.nan).astype(np.float32),
            _discount(bought, count, now),
        )

    @property
    def recent(self) -> Floats:
        """The popularity by which candidates are chosen (products,)."""
        return np.asarray(self.popularity[:, RECENT])

    def arrays(self) -> Arrays:
        """Return the columns by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the statistics of their columns."""
        return cls(**{field.name: np.asarray(arrays[field.name]) for field in fields(cls)})


def _codes(column: Codes) -> Codes:
    """Return codes from 0, where -1 is a code of its own after the others."""
    return np.where(column < 0, column.max(initial=-1) + 1, column).astype(np.int32)


def _repeats(bought: Interactions, types: Codes, count: int) -> tuple[Floats, Floats, Floats]:
    """Return buyers, the share of them who bought again, and the mean days between, smoothed by category."""
    key = (bought.visitors.astype(np.int64) * count + bought.products) * MAX_DAYS + bought.times // DAY_S % MAX_DAYS
    key = np.unique(key)  # a visitor, a product and a day
    pairs, days = key // MAX_DAYS, key % MAX_DAYS
    again = np.diff(pairs) == 0
    gaps = np.diff(days)[again]
    products = pairs % count
    owners, repeats = np.unique(pairs[1:][again]), products[1:][again]
    buyers = np.bincount(np.unique(pairs) % count, minlength=count).astype(np.float32)
    repeaters = np.bincount(owners % count, minlength=count)
    rate = _smoothed(repeaters, buyers, types, PRIOR_BUYERS, UNKNOWN_REPEAT_RATE)
    gap_sums = np.bincount(repeats, gaps, minlength=count)
    gap_days = _smoothed(gap_sums, np.bincount(repeats, minlength=count), types, PRIOR_GAPS, USUAL_GAP_DAYS)
    return buyers, rate, gap_days


def _smoothed(sums: NDArray[np.number], counts: NDArray[np.number], types: Codes, prior: float, empty: float) -> Floats:
    """Return the means of products, drawn towards that of their category, and that towards the shop's."""
    whole = float(sums.sum() / counts.sum()) if counts.sum() else empty
    type_counts = np.bincount(types, counts)
    of_type = (np.bincount(types, sums) + prior * whole) / (type_counts + prior)
    return np.asarray((sums + prior * of_type[types]) / (counts + prior), np.float32)


def _discount(bought: Interactions, count: int, now: int) -> Floats:
    """Return the mean price paid of late over the mean of all times; NaN where a product was not bought of late."""
    priced = ~np.isnan(bought.columns.prices)
    codes, prices = bought.products[priced], bought.columns.prices[priced].astype(np.float64)
    late = bought.times[priced] >= now - PRICE_WEEKS * WEEK_S
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = np.bincount(codes, prices, minlength=count) / np.bincount(codes, minlength=count)
        recent = np.bincount(codes[late], prices[late], minlength=count) / np.bincount(codes[late], minlength=count)
        return np.asarray(recent / usual, np.float32)
