"""Demand of a shop's products by price, fitted on weekly series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from indexer.types import Ids, Mask
from search.pricing.demand.regression.category_tree import DEPTH, CategoryTree
from search.pricing.demand.regression.count_quantiles import Z_80
from search.pricing.demand.regression.demand_weeks import USUAL, DemandWeeks
from search.pricing.demand.regression.poisson_fit import FittedEffects, fit_effects
from search.pricing.demand.regression.shrinkage import Doubles
from search.pricing.series.weekly_prices import WeeklyPrices

SOURCES = ("prior", "shop", "category", "product")  # what most of an elasticity stems from
HALF_LIFE = 8.0  # weeks after which a week counts half for the present level of demand
LASTING_WEEKS = 8  # a change of the price that lasted so long shows what a lasting one does
_LEVEL_UNITS = 4.0  # units that an unchanged level counts as
_SEASON_WEEKS = 4  # the coming season is the mean of the last weeks
# Where promotions are not known, their effect counts as the price's: on the reference log the calendar halves
# elasticities.
PROMOTION_SHARE = 0.5
_MOVED = 0.02  # a price further from the usual one has moved, as a logarithm


@dataclass(frozen=True, slots=True, eq=False)
class DemandFacts:
    """What was seen of n products: `weeks` for sale, `units` sold, `moved` weeks at another than the usual price,
    `reduced` weeks at a lower one, `promoted` (n, k - 1) weeks with each promotion, the `usual`, `lowest` and `highest`
    price.

    Prices are NaN where none is known.
    """

    weeks: Ids
    units: Doubles
    moved: Ids
    reduced: Ids
    lasting: Ids
    promoted: Ids
    usual: Doubles
    lowest: Doubles
    highest: Doubles

    @classmethod
    def of(cls, weeks: DemandWeeks) -> DemandFacts:
        """Count what is in the weeks."""
        relative, valid = weeks.effects[:, :, 0], weeks.valid
        return cls(
            valid.sum(axis=1),
            weeks.units.sum(axis=1),
            ((np.abs(relative) > _MOVED) & valid).sum(axis=1),
            ((relative < -_MOVED) & valid).sum(axis=1),
            _longest_runs((np.abs(relative) > _MOVED) & valid),
            ((weeks.effects[:, :, 1:] > 0) & valid[:, :, None]).sum(axis=1),
            weeks.usual,
            weeks.lowest,
            weeks.highest,
        )


@dataclass(frozen=True, eq=False)
class DemandModel:
    """The demand of n products.

    The mean units of the coming weeks are exp(level + effects . x), with x as in `DemandWeeks`. `effects` (n, k) have
    the `covariance` (n, k, k); the level is known with `level_variance` (n,) at `centre` (n, k) and independently of
    them. `sources` (n,) are positions in SOURCES. `node_effects` (m, k) and `node_covariance` (m, k, k) are those of
    the nodes of `tree`, whose `leaves` are the products', with their `node_sources`; elasticities of products have the
    variance `product_variance` about that of their node. Units have the variance dispersion * (mean + aggregation *
    mean^2). `fitted_week` is the week after the last one that was read.
    """

    names: tuple[str, ...]
    product_ids: Sequence[str]
    currencies: Sequence[str]
    tree: CategoryTree
    facts: DemandFacts
    level: Doubles
    level_variance: Doubles
    centre: Doubles
    effects: Doubles
    covariance: Doubles
    sources: Ids
    dispersion: Doubles
    aggregation: float
    node_effects: Doubles
    node_covariance: Doubles
    node_sources: Ids
    product_variance: float
    fitted_week: int

    @classmethod
    def fit(
        cls, weekly: WeeklyPrices, end: int | None = None, unsold: str = USUAL, pooled: bool = False
    ) -> DemandModel:
        """Fit on the columns before `end`; `unsold` is USUAL or DROPPED, `pooled` gives one elasticity to all."""
        end = weekly.weeks if end is None else end
        weeks = DemandWeeks.of(weekly, end, unsold)
        tree = CategoryTree.of(weekly.categories)
        fitted = fit_effects(weeks, tree, pooled)
        belief = fitted.evidence.plus(fitted.spread.prior)
        level, variance, centre = _present_level(weeks, fitted)
        node_sources, sources = _sources(tree, fitted)
        return cls(
            weeks.names, tuple(weekly.product_ids), tuple(weekly.currencies), tree, DemandFacts.of(weeks), level,
            variance, centre, fitted.effects, belief.covariance(), sources, fitted.dispersion, fitted.aggregation,
            fitted.spread.belief.mean(), fitted.spread.belief.covariance(), node_sources,
            float(fitted.shrinkage.variances[DEPTH, 0]), weekly.first + end,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.product_ids)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The position of each product by its id."""
        return {product_id: place for place, product_id in enumerate(self.product_ids)}

    @property
    def knows_promotions(self) -> bool:
        """Whether promotions were known, so that their effects are not the price's."""
        return len(self.names) > 1

    def interval(self, value: Doubles, variance: Doubles) -> tuple[Doubles, Doubles]:
        """Return the 80 % interval of elasticities (...) with these variances.

        Where promotions are not known, PROMOTION_SHARE of the effect may be theirs, and the interval reaches so far up.
        """
        reach = Z_80 * np.sqrt(variance)
        low, high = value - reach, value + reach
        return low, high if self.knows_promotions else np.maximum(high, high * (1 - PROMOTION_SHARE))

    def expected(self, places: Ids, x: Doubles) -> tuple[Doubles, Doubles]:
        """Return the mean units a week of products (n,) under x (n, ..., k), and the variance of its logarithm."""
        shape = (len(places),) + (1,) * (x.ndim - 2)
        distance = x - self.centre[places].reshape(*shape, -1)
        effects = self.effects[places].reshape(*shape, -1)
        covariance = self.covariance[places].reshape(*shape, x.shape[-1], x.shape[-1])
        mean = np.exp(np.clip(self.level[places].reshape(shape) + (x * effects).sum(axis=-1), -20.0, 15.0))
        spread = np.matmul(np.matmul(distance[..., None, :], covariance), distance[..., :, None])[..., 0, 0]
        return mean, spread + self.level_variance[places].reshape(shape)

    def variance(self, places: Ids, mean: Doubles, log_variance: Doubles) -> Doubles:
        """Return the variance of the units of one week (n, ...), from what `expected` returned."""
        dispersion = self.dispersion[places].reshape((len(places),) + (1,) * (mean.ndim - 1))
        return dispersion * (mean + self.aggregation * mean**2) + mean**2 * np.expm1(np.minimum(log_variance, 3.0))


def _longest_runs(mask: Mask) -> Ids:
    """Return the length of the longest run of True in each row (n, w)."""
    places = np.arange(1, mask.shape[1] + 1)
    before = np.maximum.accumulate(np.where(mask, 0, places), axis=1)
    return np.asarray(np.where(mask, places - before, 0).max(axis=1, initial=0), np.int64)


def _present_level(weeks: DemandWeeks, fitted: FittedEffects) -> tuple[Doubles, Doubles, Doubles]:
    """Return the level with the coming season, its variance, and the effects at which it is independent of theirs."""
    end = weeks.units.shape[1]
    season = fitted.season[-_SEASON_WEEKS:].mean() if end else 0.0
    mean = fitted.mean(weeks)
    weight = 0.5 ** ((end - 1 - np.arange(end)) / HALF_LIFE) / (1 + fitted.aggregation * mean)
    sold, due = (weeks.units * weight).sum(axis=1), (mean * weight).sum(axis=1)
    information = mean / (1 + fitted.aggregation * mean)
    total = np.maximum(information.sum(axis=1), 1e-12)
    centre = np.matmul(information[:, None, :], weeks.effects)[:, 0] / total[:, None]
    recent = (information * 0.5 ** ((end - 1 - np.arange(end)) / HALF_LIFE)).sum(axis=1)
    level = fitted.level + season + np.log((sold + _LEVEL_UNITS) / (due + _LEVEL_UNITS))
    return level, fitted.dispersion / (recent + _LEVEL_UNITS), centre


def _sources(tree: CategoryTree, fitted: FittedEffects) -> tuple[Ids, Ids]:
    """Return what most of the information of each node's elasticity is from, and of each product's."""
    own, prior = fitted.evidence.precision[:, 0, 0], fitted.spread.prior.precision[:, 0, 0]
    below, belief = fitted.spread.below.precision[:, 0, 0], fitted.spread.belief.precision[:, 0, 0]
    node = np.where(below >= belief / 2, SOURCES.index("category"), -1)
    node[0] = SOURCES.index("shop") if below[0] >= belief[0] / 2 else SOURCES.index("prior")
    for place in range(1, len(tree)):  # parents come first
        if node[place] < 0:
            node[place] = node[tree.parents[place]]
    product = np.where(own >= prior, SOURCES.index("product"), node[tree.leaves])
    return node.astype(np.int64), product.astype(np.int64)
