"""Ranges that hold: quantiles are moved by how far prices of the past lay outside of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.pricing.forecasting.base import HORIZON, QUANTILES
from search.pricing.forecasting.price_examples import PriceExamples
from search.pricing.forecasting.volatility import GROUPS

MIN_ROWS = 100  # of a group, before it has its own correction
HALF_CENT = 0.005  # of the main unit of money
# Share of earlier forecasts in the range, for LEVEL of later ones: trees of all weeks are nearer than trees of fewer.
FITTED_LEVEL = 0.78
SHAPE = (HORIZON, len(GROUPS))


@dataclass(frozen=True, slots=True, eq=False)
class Corrections:
    """What is added to the lowest and to the highest quantile, in logarithms: (HORIZON, groups) each.

    Conformalised quantile regression (Romano, Patterson and Candès 2019, arXiv:1905.03222), by week ahead and
    volatility group.
    """

    low: Floats
    high: Floats

    def apply(self, quantiles: Floats, ahead: int, groups: Ids) -> Floats:
        """Return corrected quantiles (n, 3), ascending, of products of these groups (n,)."""
        moved = quantiles.copy()
        moved[:, 0] += self.low[ahead, groups]
        moved[:, -1] += self.high[ahead, groups]
        moved[:, 0] = np.minimum(moved[:, 0], moved[:, 1])
        moved[:, -1] = np.maximum(moved[:, -1], moved[:, 1])
        return moved


NONE = Corrections(np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32))


def fit_sides(changes: Floats, quantiles: Floats, ahead: Ids, groups: Ids) -> Corrections:
    """Fit a correction of each side on changes (m,) and their quantiles (m, 3); either side then has its own share.

    A group with fewer rows than MIN_ROWS for a week ahead has the correction of all groups.
    """
    low, high = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    for cell, rows in _cells(ahead, groups):
        low[cell] = -_rank(quantiles[rows, 0] - changes[rows], 1 - QUANTILES[0])
        high[cell] = _rank(changes[rows] - quantiles[rows, -1], QUANTILES[-1])
    return Corrections(low, high)


def fit_ranges(examples: PriceExamples, quantiles: Floats) -> Corrections:
    """Fit one correction of both sides, so that the range has FITTED_LEVEL of the rows, whatever lies on each side.

    Prices often stay what they are: one side alone then has more than its share, and both together far more. The rows
    (m,) must be others than those that the quantiles (m, 3) were fitted on. A price half a cent off a bound is within
    the range: bounds are shown as whole cents.
    """
    changes, cent = examples.changes, np.log1p(HALF_CENT / examples.last)
    low, high = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    for cell, rows in _cells(examples.ahead, examples.groups):
        outside = np.maximum(quantiles[rows, 0] - changes[rows], changes[rows] - quantiles[rows, -1]) - cent[rows]
        high[cell] = _rank(outside, FITTED_LEVEL)
        low[cell] = -high[cell]
    return Corrections(low, high)


def _cells(ahead: Ids, groups: Ids) -> Iterator[tuple[tuple[int, ...], Mask]]:
    """Yield each week ahead and group, and the rows to fit its correction on."""
    for cell in np.ndindex(*SHAPE):
        week = ahead == cell[0]
        rows = week & (groups == cell[1])
        yield cell, rows if rows.sum() >= MIN_ROWS else week


def _rank(scores: Floats, level: float) -> float:
    """Return the conformal quantile of scores (m,): the one of rank ceil(level * (m + 1)); 0 without any."""
    if not len(scores):
        return 0.0
    rank = min(len(scores), int(np.ceil(level * (len(scores) + 1))))
    return float(np.partition(scores, rank - 1)[rank - 1])
