"""What promotions do to sales, from a model of demand: for the shop and for its first-level categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from search.pricing.demand.demand_model import DemandModel
from search.pricing.demand.regression.count_quantiles import Z_80
from search.pricing.demand.regression.demand_weeks import PRICE

DISCOUNT = "discount"
DISCOUNT_SHARE = 0.1  # the discount whose effect is given


@dataclass(frozen=True, slots=True)
class PromotionEffect:
    """By what share units rise with a promotion: 0.5 is half as many again, with its 80 % interval.

    `kind` is mailer, display (of every store, or of the one) or discount (a price lower by DISCOUNT_SHARE). `category`
    is "" for the shop. `weeks` counts the weeks of products that had it.
    """

    kind: str
    category: str
    lift: float
    low: float
    high: float
    weeks: int


def promotion_effects(model: DemandModel) -> tuple[PromotionEffect, ...]:
    """Return the effect of each kind of promotion that some product had, of the shop first.

    It is what all products of the category have in common; where promotions are not known, a discount's has theirs too.
    """
    tree = model.tree
    tops = _tops(model)
    found = []
    for place, name in enumerate(model.names):
        weeks = model.facts.reduced if name == PRICE else model.facts.promoted[:, place - 1]
        factor = np.log1p(-DISCOUNT_SHARE) if name == PRICE else 1.0
        for node in np.flatnonzero(tree.depths <= 1):
            count = int(weeks.sum() if node == 0 else weeks[tops == node].sum())
            if not count:
                continue
            middle = factor * model.node_effects[node, place]
            reach = Z_80 * abs(factor) * np.sqrt(model.node_covariance[node, place, place])
            lift, low, high = (float(np.expm1(value)) for value in (middle, middle - reach, middle + reach))
            kind = DISCOUNT if name == PRICE else name
            found.append(PromotionEffect(kind, tree.paths[node], lift, low, high, count))
    return tuple(found)


def _tops(model: DemandModel) -> np.ndarray:
    """Return the first-level node of each product, 0 for one without a category."""
    top = np.arange(len(model.tree))
    for node in range(1, len(top)):
        top[node] = node if model.tree.depths[node] == 1 else top[model.tree.parents[node]]
    return top[model.tree.leaves]
