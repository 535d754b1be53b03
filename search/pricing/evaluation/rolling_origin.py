"""Measure forecasters at several moments of the past: each is fitted on what lies before, and judged on what came."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.pricing.forecasting.base import HORIZON, QUANTILES, PriceForecaster
from search.pricing.forecasting.measures import covered, pinball_losses
from search.pricing.forecasting.naive import NaiveRange
from search.pricing.forecasting.volatility import GROUPS, volatility_groups
from search.pricing.series.past_weeks import filled_forward
from search.pricing.series.weekly_prices import WeeklyPrices


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Forecasts and what came, a row for each product, origin and week with a price.

    `prices` (m,), `quantiles` (m, 3), `naive` (m, 3) those of "as last week" with a range from the past, the middle of
    which is the last price, `groups` (m,) volatility groups, `seconds` of fitting and forecasting at all origins.
    """

    prices: Floats
    quantiles: Floats
    naive: Floats
    groups: Ids
    seconds: float

    def where(self, rows: Mask) -> Outcomes:
        """Return some of the rows, by a mask (m,)."""
        return Outcomes(self.prices[rows], self.quantiles[rows], self.naive[rows], self.groups[rows], self.seconds)


def rolling_outcomes(make: Callable[[], PriceForecaster], weekly: WeeklyPrices, origins: Sequence[int]) -> Outcomes:
    """Fit a forecaster before each origin, and return its forecasts with the prices of the HORIZON weeks from there."""
    filled = filled_forward(weekly.prices)
    parts = []
    seconds = 0.0
    for origin in origins:
        started = time.process_time()
        forecast = make().fit(weekly, origin).forecast(weekly, origin)
        seconds += time.process_time() - started
        naive = NaiveRange().fit(weekly, origin).forecast(weekly, origin)
        groups = volatility_groups(filled, origin)
        for ahead in range(min(HORIZON, weekly.weeks - origin)):
            prices = weekly.prices[:, origin + ahead]
            rows = np.isfinite(prices) & np.isfinite(naive[:, ahead, 0])
            parts.append((prices[rows], forecast[rows, ahead], naive[rows, ahead], groups[rows]))
    price, quantile, naive, group = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Outcomes(price, quantile, naive, group, seconds)


def figures(outcomes: Outcomes) -> dict[str, float | int]:
    """Return the errors of forecasts over those of "as last week".

    `mae_ratio` compares mean absolute errors of the middle, in money; `mae_ratio_relative` divides each by the last
    price first, so that dear products count as much as cheap ones. `pinball_ratio` compares the mean pinball loss of
    the QUANTILES, in money, with that of the last price in a range from the past; `pinball_ratio_to_point` with that of
    the last price taken as every quantile, which is larger. `coverage_80` is the share of prices in the range.
    """
    prices, naive = outcomes.prices.astype(np.float64), outcomes.naive.astype(np.float64)
    quantiles = outcomes.quantiles.astype(np.float64)
    last = naive[:, 1]
    error, naive_error = np.abs(prices - quantiles[:, 1]), np.abs(prices - last)
    point = np.repeat(last[:, None], len(QUANTILES), axis=1)
    loss = pinball_losses(prices, quantiles).mean()
    return {
        "mae_ratio": _ratio(error.mean(), naive_error.mean()),
        "mae_ratio_relative": _ratio((error / last).mean(), (naive_error / last).mean()),
        "pinball_ratio": _ratio(loss, pinball_losses(prices, naive).mean()),
        "pinball_ratio_to_point": _ratio(loss, pinball_losses(prices, point).mean()),
        "coverage_80": float(covered(prices, quantiles).mean()),
        "width": float(((quantiles[:, -1] - quantiles[:, 0]) / last).mean()),
        "forecasts": len(prices),
        "seconds": round(outcomes.seconds, 1),
    }


def by_volatility(outcomes: Outcomes) -> Mapping[str, Mapping[str, float | int]]:
    """Return the figures of each volatility group."""
    groups = {name: outcomes.groups == code for code, name in enumerate(GROUPS)}
    return {name: figures(outcomes.where(rows)) for name, rows in groups.items() if rows.any()}


def _ratio(value: float, other: float) -> float:
    """Return a ratio; 1 where both are 0, as for prices that never changed."""
    return float(value / other) if other else 1.0 if not value else float("inf")
