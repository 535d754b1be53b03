"""Quantiles of the units of a week: counts with more spread than Poisson's."""

from __future__ import annotations

import numpy as np

from search.pricing.demand.regression.shrinkage import Doubles

Z_80 = 1.2815515655446004  # a normal variable lies within this of its mean, in standard deviations, in 0.8 of cases
_COUNTED = 60.0  # up to this mean probabilities are added up; above it a gamma variable is as good
_MAX_COUNT = 400


def count_quantiles(mean: Doubles, variance: Doubles, levels: tuple[float, ...]) -> Doubles:
    """Return the quantiles (..., levels) of negative binomial counts with these means and variances (...).

    Means above 60 are taken for gamma variables, by the cube-root rule of Wilson and Hilferty (1931).
    """
    mean = np.maximum(np.asarray(mean, np.float64), 1e-9)
    variance = np.maximum(variance, mean * 1.001)
    found = np.stack([_gamma_quantile(mean, variance, level) for level in levels], axis=-1)
    few = mean <= _COUNTED
    if few.any():
        found[few] = _counted(mean[few], variance[few], levels)
    return found


def _counted(mean: Doubles, variance: Doubles, levels: tuple[float, ...]) -> Doubles:
    shape = mean**2 / (variance - mean)
    share = mean / (shape + mean)
    chance = np.exp(shape * np.log1p(-share))
    reached = chance.copy()
    found = np.full((len(mean), len(levels)), float(_MAX_COUNT))
    open_ = np.ones_like(found, bool)
    for count in range(_MAX_COUNT):
        done = open_ & (reached[:, None] >= levels)
        found[done] = count
        open_ &= ~done
        if not open_.any():
            break
        chance = chance * (count + shape) / (count + 1) * share
        reached = reached + chance
    return found


def _gamma_quantile(mean: Doubles, variance: Doubles, level: float) -> Doubles:
    spread = variance / (9 * mean**2)
    deviate = {0.1: -Z_80, 0.5: 0.0, 0.9: Z_80}[level]
    return np.asarray(mean * np.maximum(1 - spread + deviate * np.sqrt(spread), 0.0) ** 3, np.float64)
