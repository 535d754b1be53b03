"""Fit levels, season and effects of many products to weekly units.

The units of product i in week t have the mean mu = exp(level_i + season_t + effects_it . e_i). Their variance is
phi_i * (mu + a * mu^2): that of a negative binomial variable, times a factor of the product (quasi-likelihood;
McCullagh and Nelder, Generalized Linear Models, 1989). Effects have a normal prior for each product (`shrinkage.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.pricing.demand.regression.category_tree import CategoryTree
from search.pricing.demand.regression.demand_weeks import DemandWeeks
from search.pricing.demand.regression.shrinkage import EffectEvidence, Shrinkage, Spread

Doubles = NDArray[np.float64]
_BLOCK = 4096  # products that are computed at once
_ROUNDS = 12
_START_AGGREGATION = 0.2
_MAX_AGGREGATION = 5.0
_MAX_STEP = 0.5
_SEASON_UNITS = 20.0  # units that the season's 1 counts as
_DISPERSION_WEEKS = 10.0  # weeks that the shop's dispersion counts as
# Elasticities of 1,851 models of sales have the mean -2.6 (Bijmolt, van Heerde and Pieters, 2005); nothing is assumed
# of promotions but that they help.
CENTRES = {"price": (-2.0, 2.0), "mailer": (0.5, 1.0), "display": (0.5, 1.0)}


@dataclass(slots=True, eq=False)
class FittedEffects:
    """Levels (n,), effects (n, k), dispersions (n,) and what the data alone say of the effects; season (w,), the
    variance factor `aggregation`, the shrinkage and what the tree knows.
    """

    level: Doubles
    effects: Doubles
    dispersion: Doubles
    evidence: EffectEvidence
    season: Doubles
    aggregation: float
    shrinkage: Shrinkage
    spread: Spread

    def mean(self, weeks: DemandWeeks) -> Doubles:
        """Return the mean units (n, w) of the weeks that were fitted; 0 where a week is not valid."""
        linear = self.level[:, None] + self.season + np.matmul(weeks.effects, self.effects[:, :, None])[:, :, 0]
        return np.asarray(np.exp(np.clip(linear, -20.0, 15.0)) * weeks.valid, np.float64)


def fit_effects(weeks: DemandWeeks, tree: CategoryTree, pooled: bool = False) -> FittedEffects:
    """Fit the model; `pooled` gives all products the same effects."""
    n, k = len(weeks.units), len(weeks.names)
    centre, spread = np.array([CENTRES[name] for name in weeks.names]).T
    shrinkage = (Shrinkage.pooled if pooled else Shrinkage.start)(centre, spread**2)
    nothing = EffectEvidence(np.zeros((n, k, k)), np.zeros((n, k)))
    known = shrinkage.spread(tree, nothing)
    effects = known.prior.mean()
    means = weeks.units.sum(axis=1) / np.maximum(weeks.valid.sum(axis=1), 1)
    state = FittedEffects(
        np.log(np.maximum(means, 1e-6)), effects, np.ones(n), nothing, np.zeros(weeks.units.shape[1]),
        _START_AGGREGATION, shrinkage, known,
    )  # fmt: skip
    for turn in range(_ROUNDS):
        _round(weeks, tree, state, turn > 1 and not pooled)
    return state


def _round(weeks: DemandWeeks, tree: CategoryTree, state: FittedEffects, refit: bool) -> None:
    observed, expected = np.zeros(len(state.season)), np.zeros(len(state.season))
    moments = np.zeros(2)
    chi = np.zeros(len(weeks.units))
    prior = state.spread.prior
    for part in _blocks(len(weeks.units)):
        step = _Block.of(weeks, state, part)
        step.advance(prior.at(part))
        step.advance(prior.at(part))
        state.level[part], state.effects[part] = step.level, step.effects
        mu = step.mean()
        chi[part], moment = step.residuals(mu)
        moments += moment
        precision, score = step.information(mu)
        state.evidence.precision[part] = precision / state.dispersion[part, None, None]
        pull = np.einsum("nij,nj->ni", precision, step.effects) + score
        state.evidence.weighted[part] = pull / state.dispersion[part, None]
        observed += step.units.sum(axis=0)
        expected += (mu / np.exp(state.season)).sum(axis=0)
    _update_dispersion(weeks, state, chi)
    state.aggregation = float(np.clip(moments[0] / max(moments[1], 1e-9), 0.0, _MAX_AGGREGATION))
    season = np.log((observed + _SEASON_UNITS) / (expected + _SEASON_UNITS))
    state.season = season - season.mean()
    if refit:
        state.shrinkage = state.shrinkage.refitted(tree, state.evidence, state.spread)
    state.spread = state.shrinkage.spread(tree, state.evidence)


def _update_dispersion(weeks: DemandWeeks, state: FittedEffects, chi: Doubles) -> None:
    """Estimate the dispersion of each product by Pearson's statistic, shrunk to the shop's; never below 1."""
    free = np.maximum(weeks.valid.sum(axis=1) - 1 - len(weeks.names) / 2, 0)
    shop = max(1.0, chi[free > 0].sum() / max(free.sum(), 1.0))
    state.dispersion = np.maximum((chi + shop * _DISPERSION_WEEKS) / (free + _DISPERSION_WEEKS), 1.0)


def _blocks(n: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, n, _BLOCK):
        yield np.arange(start, min(start + _BLOCK, n))


@dataclass(slots=True, eq=False)
class _Block:
    """Some products while their levels and effects are improved."""

    units: Doubles
    valid: Doubles
    x: Doubles
    season: Doubles
    aggregation: float
    dispersion: Doubles
    level: Doubles
    effects: Doubles

    @classmethod
    def of(cls, weeks: DemandWeeks, state: FittedEffects, part: NDArray[np.int64]) -> _Block:
        return cls(
            weeks.units[part], weeks.valid[part].astype(np.float64), weeks.effects[part], state.season,
            state.aggregation, state.dispersion[part], state.level[part], state.effects[part],
        )  # fmt: skip

    def mean(self) -> Doubles:
        linear = self.level[:, None] + self.season + np.matmul(self.x, self.effects[:, :, None])[:, :, 0]
        return np.asarray(np.exp(np.clip(linear, -20.0, 15.0)) * self.valid, np.float64)

    def information(self, mu: Doubles) -> tuple[Doubles, Doubles]:
        """Return the precision (n, k, k) and the score (n, k) of the effects, the level being profiled out."""
        shrunk = 1 + self.aggregation * mu
        weight, residual = mu / shrunk, (self.units - mu) / shrunk
        centred = self.x - self.centre(weight)[:, None, :]
        weighted = centred * weight[:, :, None]
        return np.matmul(weighted.transpose(0, 2, 1), centred), np.matmul(residual[:, None, :], centred)[:, 0]

    def advance(self, prior: EffectEvidence) -> None:
        """Make a step of Newton's method in levels and effects."""
        mu = self.mean()
        precision, score = self.information(mu)
        scale = self.dispersion[:, None]
        slope = score / scale + prior.weighted - np.einsum("nij,nj->ni", prior.precision, self.effects)
        matrix = precision / scale[:, :, None] + prior.precision
        step = np.clip(np.linalg.solve(matrix, slope[..., None])[..., 0], -_MAX_STEP, _MAX_STEP)
        self.effects = self.effects + step
        # The level follows exactly for a = 0; otherwise it is one step of the weighted equation.
        mu = self.mean()
        shrunk = 1 + self.aggregation * mu
        top, bottom = (self.units / shrunk).sum(axis=1), (mu / shrunk).sum(axis=1)
        ratio = np.log(np.maximum(top, 1e-3) / np.maximum(bottom, 1e-9))
        self.level = self.level + np.clip(np.where(bottom > 0, ratio, 0.0), -3.0, 3.0)

    def residuals(self, mu: Doubles) -> tuple[Doubles, Doubles]:
        """Return Pearson's statistic of each product, and the two moments whose ratio estimates the aggregation."""
        square = (self.units - mu) ** 2 * self.valid
        variance = np.maximum(mu + self.aggregation * mu**2, 1e-9)
        weight = 1 / (1 + self.aggregation * mu) ** 2 * (mu > 1)
        excess = ((square - mu) * weight).sum()
        return (square / variance).sum(axis=1), np.array([excess, (mu**2 * weight).sum()])

    def centre(self, weight: Doubles) -> Doubles:
        total = np.maximum(weight.sum(axis=1), 1e-12)
        return np.asarray(np.matmul(weight[:, None, :], self.x)[:, 0] / total[:, None], np.float64)
