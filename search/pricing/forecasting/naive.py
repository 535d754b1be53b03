"""Forecasts that need no model: the price stays what it is, with or without a range from the past."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats
from search.pricing.forecasting.arrays import read_arrays, write_arrays
from search.pricing.forecasting.base import HORIZON, QUANTILES
from search.pricing.forecasting.conformal import NONE, Corrections, fit_sides
from search.pricing.forecasting.volatility import volatility_groups
from search.pricing.series.past_weeks import filled_forward
from search.pricing.series.weekly_prices import WeeklyPrices

ARRAYS = "ranges.npz"


class LastPrice:
    """Forecasts the last known price, as every quantile."""

    name: ClassVar[str] = "last_price"
    uses_calendar: ClassVar[bool] = False

    def fit(self, weekly: WeeklyPrices, end: int) -> Self:
        """Learn nothing."""
        return self

    def forecast(self, weekly: WeeklyPrices, end: int) -> Floats:
        """Return the last known price, (n, HORIZON, 3)."""
        last = weekly.last_known(end)
        return np.broadcast_to(last[:, None, None], (len(last), HORIZON, len(QUANTILES))).copy()


class NaiveRange:
    """Forecasts the last known price, in the range in which prices of the past lay after as many weeks."""

    name: ClassVar[str] = "naive"
    uses_calendar: ClassVar[bool] = False

    def __init__(self, ranges: Corrections = NONE) -> None:
        self._ranges = ranges

    def fit(self, weekly: WeeklyPrices, end: int) -> Self:
        """Fit the ranges on all changes before the column `end`, by volatility group and week ahead."""
        filled = filled_forward(weekly.prices[:, :end])
        changes, ahead, groups = [], [], []
        for now in range(1, end):
            group = volatility_groups(filled, now)
            for weeks in range(min(HORIZON, end - now)):
                change = np.log(weekly.prices[:, now + weeks] / filled[:, now - 1])
                known = np.isfinite(change)
                changes.append(change[known])
                ahead.append(np.full(known.sum(), weeks, np.int64))
                groups.append(group[known])
        if not changes:
            return type(self)()
        all_changes = np.concatenate(changes)
        quantiles = np.zeros((len(all_changes), len(QUANTILES)), np.float32)
        return type(self)(fit_sides(all_changes, quantiles, np.concatenate(ahead), np.concatenate(groups)))

    def forecast(self, weekly: WeeklyPrices, end: int) -> Floats:
        """Return the quantiles (n, HORIZON, 3)."""
        last = weekly.last_known(end)
        groups = volatility_groups(filled_forward(weekly.prices[:, :end]), end)
        flat = np.zeros((len(last), len(QUANTILES)), np.float32)
        changes = [self._ranges.apply(flat, ahead, groups) for ahead in range(HORIZON)]
        return np.asarray(last[:, None, None] * np.exp(np.stack(changes, axis=1)), np.float32)

    def save(self, folder: Path) -> None:
        """Write the ranges."""
        write_arrays(folder / ARRAYS, low=self._ranges.low, high=self._ranges.high)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the ranges. Raises DamagedStore."""
        return cls(Corrections(*read_arrays(folder / ARRAYS, "low", "high")))
