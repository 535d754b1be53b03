"""A random walk whose range comes from a GARCH model of its volatility, by the library arch."""

from __future__ import annotations

from statistics import NormalDist
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from catalog.extras import import_extra
from search.pricing.classical.series_forecaster import EXTRA, SeriesForecaster
from search.pricing.forecasting.base import HORIZON, QUANTILES

SCALE = 100.0  # the library's optimiser is made for returns in per cent


class GarchRandomWalk(SeriesForecaster):
    """The last price, and quantiles of a normal distribution whose variance GARCH(1, 1) foretells (Bollerslev 1986)."""

    name: ClassVar[str] = "garch"

    def __init__(self) -> None:
        super().__init__()
        self._library = import_extra(EXTRA, "arch", "Forecasting prices by garch")
        self._normal = np.array([NormalDist().inv_cdf(quantile) for quantile in QUANTILES])

    def _log_quantiles(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        returns = SCALE * np.diff(logs)
        model = self._library.arch_model(returns, mean="Zero", vol="GARCH", p=1, q=1, rescale=False)
        fitted = model.fit(disp="off", show_warning=False)
        variances = fitted.forecast(horizon=HORIZON, reindex=False).variance.to_numpy()[-1]
        deviations = np.sqrt(np.cumsum(variances)) / SCALE
        found: NDArray[np.float64] = deviations[:, None] * self._normal
        return found
