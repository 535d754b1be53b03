"""Forecasts by a ridge regression on the features, with ranges from its errors."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats, Ids
from search.pricing.forecasting.arrays import read_arrays, write_arrays
from search.pricing.forecasting.base import QUANTILES
from search.pricing.forecasting.conformal import NONE, Corrections, fit_sides
from search.pricing.forecasting.features import PriceFeatures
from search.pricing.forecasting.price_examples import MAX_ROWS, price_examples
from search.pricing.forecasting.relative_forecast import relative_forecast
from search.pricing.series.weekly_prices import WeeklyPrices

ARRAYS = "ridge.npz"
PENALTY = 100.0  # of squared weights, for features of unit variance
CLIPPED = 4.0  # standard deviations from which on a feature counts as that many


class Ridge:
    """Linear in the features; unknown ones count as their mean."""

    name: ClassVar[str] = "ridge"
    uses_calendar: ClassVar[bool] = False

    def __init__(self, weights: Floats | None = None, scale: Floats | None = None, ranges: Corrections = NONE) -> None:
        self._weights = np.zeros(1, np.float32) if weights is None else weights  # of the features, then of 1
        self._scale = np.zeros((2, 0), np.float32) if scale is None else scale  # means and deviations of the features
        self._ranges = ranges

    def fit(self, weekly: WeeklyPrices, end: int) -> Self:
        """Fit the weights, then the ranges on the errors of the same rows: there are far more rows than weights.

        Without rows, prices stay.
        """
        features = PriceFeatures(weekly, self.uses_calendar)
        rows = price_examples(features, weekly, end, MAX_ROWS)
        with np.errstate(invalid="ignore"):
            known = ~np.isnan(rows.features)
            counts = np.maximum(known.sum(0), 1)
            means = np.where(known, rows.features, 0).sum(0) / counts
            deviations = np.sqrt((np.where(known, rows.features - means, 0) ** 2).sum(0) / counts) + 1e-6
        fitted = type(self)(None, np.stack([means, deviations]).astype(np.float32))
        x = fitted._scaled(rows.features).astype(np.float64)
        penalty = np.diag([*np.full(x.shape[1] - 1, PENALTY), 0.0])
        if not len(rows):
            fitted._weights = np.zeros(x.shape[1], np.float32)
            return fitted
        fitted._weights = np.linalg.solve(x.T @ x + penalty, x.T @ rows.changes).astype(np.float32)
        predicted = np.repeat((x @ fitted._weights)[:, None], len(QUANTILES), axis=1).astype(np.float32)
        fitted._ranges = fit_sides(rows.changes, predicted, rows.ahead, rows.groups)
        return fitted

    def forecast(self, weekly: WeeklyPrices, end: int) -> Floats:
        """Return the quantiles (n, HORIZON, 3)."""
        features = PriceFeatures(weekly, self.uses_calendar)
        calendar = weekly.calendar if self.uses_calendar else None
        return relative_forecast(features, weekly, end, self._corrected, calendar)

    def save(self, folder: Path) -> None:
        """Write the weights and ranges."""
        ranges = {"low": self._ranges.low, "high": self._ranges.high}
        write_arrays(folder / ARRAYS, weights=self._weights, scale=self._scale, **ranges)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedStore."""
        weights, scale, low, high = read_arrays(folder / ARRAYS, "weights", "scale", "low", "high")
        return cls(weights, scale, Corrections(low, high))

    def _corrected(self, rows: Floats, ahead: int, groups: Ids) -> Floats:
        change = np.repeat((self._scaled(rows) @ self._weights)[:, None], len(QUANTILES), axis=1)
        return self._ranges.apply(change, ahead, groups)

    def _scaled(self, features: Floats) -> Floats:
        means, deviations = self._scale
        scaled = np.clip(np.nan_to_num((features - means) / deviations), -CLIPPED, CLIPPED)
        return np.concatenate([scaled, np.ones((len(scaled), 1), np.float32)], axis=1)


class RidgeWithCalendar(Ridge):
    """The same, with planned promotions."""

    name: ClassVar[str] = "ridge_calendar"
    uses_calendar: ClassVar[bool] = True
