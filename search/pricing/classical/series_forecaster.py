"""What forecasters share that fit a model of its own to each series."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from catalog.extras import check_extra
from indexer.types import Floats
from search.pricing.classical.filled_series import MIN_WEEKS, empirical_forecast, filled_prices, has_changed
from search.pricing.forecasting.base import HORIZON, QUANTILES
from search.pricing.series.weekly_prices import WeeklyPrices

EXTRA = "prices"
# Within these factors of the last known price a forecast is believed: outside, the model was fitted to an accident.
MAX_RATIO = 10.0


class SeriesForecaster(ABC):
    """A model that is fitted to each series alone, to the logarithms of its prices, at the moment of the forecast.

    A product gets the empirical forecast where its price is known for less than MIN_WEEKS weeks or never changed, and
    where the library fails. Raises MissingExtra when it is made without the extra `prices`.
    """

    name: ClassVar[str]
    uses_calendar: ClassVar[bool] = False

    def __init__(self) -> None:
        check_extra(EXTRA, f"Forecasting prices by {self.name}")

    def fit(self, weekly: WeeklyPrices, end: int) -> Self:
        """Return this forecaster: it learns nothing from other series."""
        return self

    def forecast(self, weekly: WeeklyPrices, end: int) -> Floats:
        """Return the QUANTILES of the price in the HORIZON weeks from `end` on, (n, HORIZON, 3)."""
        prices = weekly.prices[:, :end]
        found = empirical_forecast(prices)
        if not prices.size:
            return found
        filled = filled_prices(prices)
        enough = (np.count_nonzero(~np.isnan(filled), axis=1) >= MIN_WEEKS) & has_changed(filled)[:, -1]
        for row in np.flatnonzero(enough).tolist():
            known = filled[row][~np.isnan(filled[row])].astype(np.float64)
            ratios = self._safe_ratios(np.log(known / known[-1]))
            if ratios is not None:
                found[row] = known[-1] * ratios
        return found

    def _safe_ratios(self, logs: NDArray[np.float64]) -> NDArray[np.float64] | None:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # Of optimisers that end early, on series that hardly move; the forecast is checked below.
            warnings.simplefilter("ignore")
            try:
                found = self._log_quantiles(logs)
            except Exception:  # what these libraries raise has no base class of its own
                return None
        if found.shape != (HORIZON, len(QUANTILES)) or not (np.abs(found) <= np.log(MAX_RATIO)).all():
            return None  # NaN compares as false
        ratios: NDArray[np.float64] = np.sort(np.exp(found), axis=1)
        return ratios

    @abstractmethod
    def _log_quantiles(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the QUANTILES in the HORIZON weeks after a series of logarithms that ends at 0, (HORIZON, 3)."""
