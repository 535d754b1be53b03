"""Exponential smoothing, Theta and ARIMA of the library statsforecast, without a season.

A year of weeks has no whole season to learn, and a season within a month was not found in prices.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from catalog.extras import import_extra
from search.pricing.classical.series_forecaster import EXTRA, SeriesForecaster
from search.pricing.forecasting.base import HORIZON
from search.pricing.series.range_level import LEVEL

PERCENT = round(100 * LEVEL)


class _StatsForecast(SeriesForecaster):
    def __init__(self) -> None:
        super().__init__()
        self._models = import_extra(EXTRA, "statsforecast.models", f"Forecasting prices by {self.name}")

    def _log_quantiles(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        found = self._model().forecast(y=logs, h=HORIZON, level=[PERCENT])
        return np.stack([found[f"lo-{PERCENT}"], found["mean"], found[f"hi-{PERCENT}"]], axis=1)

    @abstractmethod
    def _model(self) -> Any:
        """Return a model of the library that is not fitted."""


class ExponentialSmoothing(_StatsForecast):
    """Exponential smoothing in state-space form; error and trend are chosen by AICc (Hyndman et al. 2002)."""

    name: ClassVar[str] = "ets"

    def _model(self) -> Any:
        return self._models.AutoETS(season_length=1)


class Theta(_StatsForecast):
    """The best of the Theta models (Fiorucci et al. 2016)."""

    name: ClassVar[str] = "theta"

    def _model(self) -> Any:
        return self._models.AutoTheta(season_length=1)


class AutoArima(_StatsForecast):
    """ARIMA whose orders are chosen step by step by AICc (Hyndman and Khandakar 2008)."""

    name: ClassVar[str] = "arima"

    def _model(self) -> Any:
        return self._models.AutoARIMA(season_length=1)
