"""Measure forecasters on a shop's own past: from several origins on, against the prices that came then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats
from search.pricing.forecasting.base import HORIZON, QUANTILES
from search.pricing.forecasting.measures import covered, pinball_losses
from search.pricing.series.weekly_prices import WeeklyPrices

MIN_ORIGIN = 12  # weeks of prices before the first origin
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

        A forecast of nothing for a known price raises ValueError.
        """
        truth = weekly.prices[:, origin : origin + HORIZON].astype(np.float64)
        last = weekly.last_known(origin)[:, None].astype(np.float64)
        judged = np.isfinite(truth) & (last > 0)
        found = forecasts[:, : truth.shape[1]].astype(np.float64)
        if not np.isfinite(found[judged]).all():
            raise ValueError("A forecaster gave no forecast for a product with known prices.")
        with np.errstate(invalid="ignore", divide="ignore"):
            pinball = pinball_losses(truth, found) / last
            absolute = np.abs(truth - found[..., len(QUANTILES) // 2]) / last
        inside = covered(truth, found)
        return cls(*(np.where(judged, part, 0.0).sum(axis=1) for part in (pinball, absolute, inside, judged)))

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
