"""Turn forecasts of the change of a price into forecasts of the price."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.pricing.forecasting.base import HORIZON, QUANTILES
from search.pricing.forecasting.features import CHANGE, PriceFeatures
from search.pricing.forecasting.volatility import volatility_groups
from search.pricing.series.weekly_prices import PromotionCalendar, WeeklyPrices

MIN_CONSTANT_WEEKS = 8  # with a known price, before a product counts as one whose price does not change


def relative_forecast(
    features: PriceFeatures,
    weekly: WeeklyPrices,
    end: int,
    changes: Callable[[Floats, int, Ids], Floats],
    calendar: PromotionCalendar | None = None,
) -> Floats:
    """Return the quantiles of prices (n, HORIZON, 3) from the column `end` on; NaN for products without a price.

    `changes` maps features (m, f), a week ahead and volatility groups (m,) to quantiles (m, 3) of the change of log
    prices. A price that has never changed is forecast to stay, unless the `calendar` has a promotion of that week:
    other products' changes say nothing of it.
    """
    places = np.flatnonzero(np.isfinite(features.filled[:, end - 1]))
    groups = volatility_groups(features.filled, end)[places]
    constant = _never_changed(weekly.prices[places, :end])
    found = np.full((len(weekly), HORIZON, len(QUANTILES)), np.nan, np.float32)
    last = features.filled[places, end - 1]
    first = weekly.first + end
    planned = np.zeros((len(places), HORIZON), np.bool_)
    if calendar is not None:
        planned[:] = calendar.between(first, first + HORIZON)[places].any(axis=2)
    for ahead, rows in enumerate(features.rows(places, end)):
        change = changes(rows, ahead, groups)
        change[constant & ~planned[:, ahead]] = 0
        found[places, ahead] = last[:, None] * np.exp(change)
    return found


def _never_changed(prices: Floats) -> Mask:
    """Return which products (n,) had one price in all weeks in which it is known, if these are enough."""
    known = (~np.isnan(prices)).sum(axis=1)
    highest, lowest = np.fmax.reduce(prices, axis=1), np.fmin.reduce(prices, axis=1)
    return np.asarray((known >= MIN_CONSTANT_WEEKS) & (highest <= lowest * (1 + CHANGE)))
