"""The examples that forecasters learn from: a product at a moment of the past, and what it cost some weeks later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.pricing.forecasting.base import HORIZON
from search.pricing.forecasting.features import PriceFeatures
from search.pricing.forecasting.volatility import volatility_groups
from search.pricing.series.weekly_prices import WeeklyPrices

FIRST_END = 8  # weeks of the past that the first moment has
MAX_ROWS = 300_000
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class PriceExamples:
    """Features (m, f), and the logarithm (m,) of what the product cost then over its last price.

    `last` (m,) are the last prices, `ends` (m,) the columns before which the past lies, `weeks` (m,) those of the
    prices, `groups` (m,) the volatility groups of the products at that moment.
    """

    features: Floats
    changes: Floats
    last: Floats
    ends: Ids
    weeks: Ids
    groups: Ids

    def __len__(self) -> int:
        """Return how many examples there are."""
        return len(self.changes)

    def where(self, rows: Mask) -> PriceExamples:
        """Return the examples of a mask (m,)."""
        return PriceExamples(
            self.features[rows],
            self.changes[rows],
            self.last[rows],
            self.ends[rows],
            self.weeks[rows],
            self.groups[rows],
        )

    @property
    def ahead(self) -> Ids:
        """The weeks (m,) from the moment to the price, 0 to HORIZON - 1."""
        return self.weeks - self.ends


def price_examples(features: PriceFeatures, weekly: WeeklyPrices, end: int, max_rows: int = MAX_ROWS) -> PriceExamples:
    """Return the examples that lie before the column `end`, with all their weeks; a sample where there are more."""
    draw = np.random.default_rng(SEED)
    ends = range(min(FIRST_END, end - 1), end)
    known, sold = np.isfinite(features.filled), np.isfinite(weekly.prices)
    total = sum(int((known[:, now - 1] & sold[:, week]).sum()) for now, week in _moments(ends, end))
    share = min(1.0, max_rows / max(total, 1))
    parts = []
    for now in ends:
        usable = known[:, now - 1] & (draw.random(len(known)) < share)
        places = np.flatnonzero(usable)
        groups = volatility_groups(features.filled, now)
        for ahead, rows in enumerate(features.rows(places, now)):
            if now + ahead < end:
                paid = sold[places, now + ahead]
                sold_places = places[paid]
                last = features.filled[sold_places, now - 1]
                changes = np.log(weekly.prices[sold_places, now + ahead] / last)
                moment = np.full(len(sold_places), now, np.int64)
                parts.append((rows[paid], changes, last, moment, moment + ahead, groups[sold_places]))
    return PriceExamples(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _moments(ends: range, end: int) -> list[tuple[int, int]]:
    return [(now, now + ahead) for now in ends for ahead in range(HORIZON) if now + ahead < end]
