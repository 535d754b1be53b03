"""The gate: which forecaster a shop's forecasts are made by.

What is compared is the pinball loss of each product over the same origins of the shop's past. A forecaster takes the
place of "as last week", and of the one that is served, only where the 95 % interval of the mean difference, by
bootstrap over products, lies below 0. With fewer products than MIN_MEASURED, it stays "as last week".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from search.pricing.learning.rolling_origins import ForecastLosses
from search.recommend.evaluation.metrics import bootstrap_interval

MIN_MEASURED = 20  # measured: the interval of fewer is that of their own noise
MIN_COVERAGE = 0.70  # of a range that is said to hold 80 of 100 prices
# Why a forecaster was chosen.
BEST, NOT_BETTER_THAN_NAIVE, NOT_BETTER_THAN_SERVED = "best", "not_better_than_naive", "not_better_than_served"
TOO_FEW_PRODUCTS = "too_few_products"
RANGES_TOO_NARROW = "ranges_too_narrow"  # no forecaster can be served


@dataclass(frozen=True, slots=True)
class LossComparison:
    """Mean pinball losses, in shares of the price, of a forecaster and of another over the same products.

    `low` to `high` is the interval of the difference: below 0 where the forecaster is better.
    """

    name: str
    against: str
    products: int
    loss: float
    other: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ForecasterChoice:
    """The forecaster that was chosen, "" where none can be served, why, and the comparison that decided, if any."""

    name: str
    reason: str
    decisive: LossComparison | None = None


def choose(losses: Mapping[str, ForecastLosses], naive: str, served: str | None) -> ForecasterChoice:
    """Choose among forecasters by their losses on the same products; `served` is the one of the current version.

    Of those whose ranges hold enough prices, and that are the naive one or better than it, the one with the smallest
    loss is chosen; the served one stays where that is not better. With few products, only the naive one may be chosen.
    """
    usable = {name: found for name, found in losses.items() if found.coverage >= MIN_COVERAGE}
    few = max(int((found.weeks > 0).sum()) for found in losses.values()) < MIN_MEASURED
    if not usable or (few and naive not in usable):
        return ForecasterChoice("", RANGES_TOO_NARROW)
    if few:
        return ForecasterChoice(naive, TOO_FEW_PRODUCTS)
    ordered = sorted(usable, key=lambda name: (usable[name].pinball.sum(), name != naive))
    against = {name: compare_losses(losses, name, naive) for name in ordered if name != naive}
    earned = [name for name in ordered if name == naive or naive not in usable or against[name].high < 0]
    best = earned[0]
    if best == naive:
        return ForecasterChoice(naive, NOT_BETTER_THAN_NAIVE, against.get(ordered[0]))
    if served in earned and served not in (best, naive):
        compared = compare_losses(losses, best, served)
        if not compared.high < 0:
            return ForecasterChoice(served, NOT_BETTER_THAN_SERVED, compared)
    return ForecasterChoice(best, BEST, against[best])


def compare_losses(losses: Mapping[str, ForecastLosses], name: str, against: str) -> LossComparison:
    """Compare the mean losses by product of two forecasters, over the products that were measured."""
    measured = losses[name].weeks > 0
    first, second = (
        losses[forecaster].pinball[measured] / losses[forecaster].weeks[measured] for forecaster in (name, against)
    )
    low, high = bootstrap_interval(first - second)
    means = (float(first.mean()), float(second.mean())) if measured.any() else (0.0, 0.0)
    return LossComparison(name, against, int(measured.sum()), *means, low, high)


def figures_of_losses(losses: Mapping[str, ForecastLosses], naive: str) -> dict[str, Any]:
    """Return the figures of each forecaster as JSON values: ratios to the naive one's loss, and the range's coverage.

    Losses are in shares of the price, other than in `prices evaluate`, whose ratios without `_relative` are of money. A
    ratio is None where no price changed, because then the naive forecaster loses nothing.
    """
    figures: dict[str, Any] = {}
    for name, found in losses.items():
        figures[name] = {
            "coverage_80": round(found.coverage, 4),
            "forecasts": int(found.weeks.sum()),
            "mae_ratio_relative": _ratio(found.absolute.sum(), losses[naive].absolute.sum()),
            "pinball_ratio_relative": _ratio(found.pinball.sum(), losses[naive].pinball.sum()),
            "products": int((found.weeks > 0).sum()),
        }
    return figures


def _ratio(value: float, other: float) -> float | None:
    return round(float(value / other), 4) if other > 0 else None
