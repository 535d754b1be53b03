"""Forecasts by gradient-boosted trees, an ensemble for each quantile, with conformal ranges."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from catalog.extras import import_extra
from indexer.types import Floats, Ids
from search.pricing.forecasting.arrays import read_arrays, write_arrays
from search.pricing.forecasting.base import QUANTILES
from search.pricing.forecasting.conformal import NONE, Corrections, fit_ranges
from search.pricing.forecasting.features import PriceFeatures
from search.pricing.forecasting.price_examples import PriceExamples, price_examples
from search.pricing.forecasting.relative_forecast import relative_forecast
from search.pricing.series.weekly_prices import WeeklyPrices
from search.trees.tree_ensemble import TreeEnsemble

SETTINGS = {
    "loss": "quantile",
    "max_iter": 300,
    "learning_rate": 0.06,
    "max_leaf_nodes": 31,
    "max_features": 0.3,
    "early_stopping": False,
    "random_state": 0,
}
MIN_LEAF = 60  # rows
MIN_LEAF_SHARE = 0.002  # of the rows, that a leaf has at most: small shops have few
CALIBRATION_WEEKS = 6  # the last ones, which correct the ranges
FLAT = 0.004  # of the logarithm: a change that small is none
ARRAYS = "ranges.npz"


class Boosted:
    """Trees on the features. Fitting needs the extra `recs`; forecasts need ONNX Runtime alone."""

    name: ClassVar[str] = "boosted"
    uses_calendar: ClassVar[bool] = False

    def __init__(self, trees: tuple[TreeEnsemble, ...] = (), ranges: Corrections = NONE) -> None:
        self._trees = trees
        self._ranges = ranges

    def fit(self, weekly: WeeklyPrices, end: int) -> Self:
        """Fit the ranges' corrections with trees of the weeks before the last few, then trees of all weeks.

        In a history too short for both, ranges stay as the trees give them. Raises MissingExtra.
        """
        features = PriceFeatures(weekly, self.uses_calendar)
        rows = price_examples(features, weekly, end)
        first = end - CALIBRATION_WEEKS
        early, later = rows.where(rows.weeks < first), rows.where(rows.ends >= first)
        ranges = NONE
        if len(early) and len(later):
            ranges = fit_ranges(later, type(self)(_fit(early))._changes(later.features))
        return type(self)(_fit(rows), ranges)

    def forecast(self, weekly: WeeklyPrices, end: int) -> Floats:
        """Return the quantiles (n, HORIZON, 3)."""
        features = PriceFeatures(weekly, self.uses_calendar)
        calendar = weekly.calendar if self.uses_calendar else None
        return relative_forecast(features, weekly, end, self._corrected, calendar)

    def save(self, folder: Path) -> None:
        """Write the trees and ranges."""
        for quantile, trees in zip(QUANTILES, self._trees, strict=True):
            trees.save(folder / _tree_file(quantile))
        write_arrays(folder / ARRAYS, low=self._ranges.low, high=self._ranges.high)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises DamagedStore."""
        trees = tuple(TreeEnsemble.load(folder / _tree_file(quantile)) for quantile in QUANTILES)
        return cls(trees, Corrections(*read_arrays(folder / ARRAYS, "low", "high")))

    def _corrected(self, rows: Floats, ahead: int, groups: Ids) -> Floats:
        return self._ranges.apply(self._changes(rows), ahead, groups)

    def _changes(self, rows: Floats) -> Floats:
        """Return the quantiles (m, 3) of the change of log prices, ascending; small ones are 0."""
        changes = np.sort(np.stack([trees.predict(rows) for trees in self._trees], axis=1), axis=1)
        return np.where(np.abs(changes) < FLAT, np.float32(0), changes)


class BoostedWithCalendar(Boosted):
    """The same, with planned promotions."""

    name: ClassVar[str] = "boosted_calendar"
    uses_calendar: ClassVar[bool] = True


def _tree_file(quantile: float) -> str:
    return f"quantile-{round(quantile * 100):02d}.onnx"


def _fit(rows: PriceExamples) -> tuple[TreeEnsemble, ...]:
    """Fit an ensemble of trees for each quantile; without rows, one that says that prices stay."""
    ensemble = import_extra("recs", "sklearn.ensemble", "Fitting forecasts of prices")
    features, changes = rows.features, rows.changes
    if not len(rows):
        features, changes = np.zeros((1, features.shape[1]), np.float32), np.zeros(1, np.float32)
    unknown = np.isnan(features).all(axis=0)  # such as a lag of half a year in a young shop: cannot be binned
    if unknown.any():
        features = np.where(unknown, np.float32(0), features)
    leaf = max(1, min(MIN_LEAF, int(MIN_LEAF_SHARE * len(features))))
    return tuple(
        TreeEnsemble.from_sklearn(
            ensemble.HistGradientBoostingRegressor(**SETTINGS, min_samples_leaf=leaf, quantile=level).fit(
                features, changes
            )
        )
        for level in QUANTILES
    )
