"""Measure forecasters on a shop's own past: from several origins on, against the prices that came then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats
from search.pricing.forecasting.base import HORIZON, QUANTILES
from search.pricing.series.weekly_prices import WeeklyPrices

MIN_ORIGIN = 12  # weeks of prices before the first origin
MAX_ORIGINS = 5
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ForecastLosses:
    """What n products' forecasts lost, summed over their weeks, in shares of the last price before the forecast.

    `pinball`, `absolute`, `covered` and `weeks` are (n,): the pinball loss of all quantiles, the absolute error of the
    middle one, how many weeks' prices were within the range, and how many weeks there were.
    """

    pinball: Values
    absolute: Values
    covered: Values
    weeks: Values

    @classmethod
    def of(cls, weekly: WeeklyPrices, origin: int, forecasts: Floats) -> ForecastLosses:
        """Compare forecasts (n, HORIZON, quantiles) from the column `origin` on with the prices of these weeks.

        The pinball loss of a quantile q is q times what the price is above it, or 1 - q times what it is below
        (Koenker and Bassett 1978). A forecast of nothing for a known price raises ValueError.
        """
        truth = weekly.prices[:, origin : origin + HORIZON].astype(np.float64)
        last = weekly.last_known(origin)[:, None].astype(np.float64)
        judged = np.isfinite(truth) & (last > 0)
        found = forecasts[:, : truth.shape[1]].astype(np.float64)
        if not np.isfinite(found[judged]).all():
            raise ValueError("A forecaster gave no forecast for a product with known prices.")
        with np.errstate(invalid="ignore", divide="ignore"):
            errors = (truth[..., None] - found) / last[..., None]
        quantiles = np.array(QUANTILES)
        pinball = np.maximum(quantiles * errors, (quantiles - 1) * errors).mean(axis=2)
        # A price of 10.00 is not outside a range that ends at 9.9999996.
        slack = 1e-4 * truth
        covered = (found[..., 0] - slack <= truth) & (truth <= found[..., -1] + slack)
        middle = np.abs(errors[..., len(QUANTILES) // 2])
        return cls(*(np.where(judged, part, 0.0).sum(axis=1) for part in (pinball, middle, covered, judged)))

    def __add__(self, other: ForecastLosses) -> ForecastLosses:
        """Return the losses from two origins together."""
        return ForecastLosses(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Return the arrays by name, to store them."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def coverage(self) -> float:
        """The share of the prices that were within the range; 1 without any."""
        weeks = self.weeks.sum()
        return float(self.covered.sum() / weeks) if weeks else 1.0


def origins_of(weeks: int) -> list[int]:
    """Return the origins to forecast from, as columns, the latest first: each HORIZON before the next."""
    return list(range(weeks - HORIZON, MIN_ORIGIN - 1, -HORIZON))[:MAX_ORIGINS]
