"""The gate: whether newly fitted models may take the place of those that are served.

The new model has to beat the rules that need no fitting, a visitor's own history and recent popularity, and must not
be worse than what is served. Each comparison is of the same visitors of the same holdout weeks; it counts only where
the 95 % interval of the mean difference, by bootstrap over visitors, lies on one side of 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.recommend.evaluation.metrics import bootstrap_interval
from search.recommend.evaluation.protocol import RankedCase

EVERYTHING, NEW = "everything", "new"
# What the recall at 20 is measured of -> the rule without fitting that is hard to beat there.
RULES = {EVERYTHING: "own_history", NEW: "popularity"}
SERVED = "served"
BETTER, EQUAL, WORSE = "better", "equal", "worse"
# Why a new version is taken.
FIRST, IMPROVED, FRESHER, REFITTED = "first", "improved", "fresher", "refitted"
WORSE_THAN_RULE, NO_BETTER_THAN_RULES, WORSE_THAN_SERVED, NOTHING_NEW = (
    *("worse_than_rule", "no_better_than_rules"),
    *("worse_than_served", "nothing_new"),
)

Values = NDArray[np.float64]
Recalls = Mapping[str, Values]  # EVERYTHING and NEW -> by visitor (n,), NaN for one who bought nothing of it


@dataclass(frozen=True, slots=True)
class Comparison:
    """Recall at 20 of the new model and of another, over the same visitors, and the interval of their difference."""

    figure: str
    against: str
    visitors: int
    new: float
    other: float
    low: float
    high: float

    @property
    def outcome(self) -> str:
        """BETTER or WORSE where the interval leaves no doubt, else EQUAL."""
        return BETTER if self.low > 0 else WORSE if self.high < 0 else EQUAL

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {"outcome": self.outcome}


@dataclass(frozen=True, slots=True)
class SwapDecision:
    """Whether the new models are taken, why, and the comparison that decided, if one did."""

    taken: bool
    reason: str
    decisive: Comparison | None = None


def recalls(ranked: Sequence[RankedCase]) -> Recalls:
    """Return the recall at 20 of each visitor of a holdout: of everything bought, and of what is new to the visitor."""
    everything = [np.isin(case.targets, case.everything).mean() for case in ranked]
    new = [np.isin(case.new_targets, case.new).mean() if len(case.new_targets) else np.nan for case in ranked]
    return {EVERYTHING: np.array(everything, np.float64), NEW: np.array(new, np.float64)}


def compare(new: Recalls, others: Mapping[str, Recalls]) -> tuple[Comparison, ...]:
    """Return the comparisons with the rules, each by its own figure, and with the served model by all figures."""
    pairs = list(RULES.items())
    pairs += [(figure, SERVED) for figure in RULES if SERVED in others]
    return tuple(_comparison(figure, name, new[figure], others[name][figure]) for figure, name in pairs)


def decide(comparisons: Sequence[Comparison], *, newer: bool, first: bool = True) -> SwapDecision:
    """Decide by the comparisons. `newer` says whether the new models know later events than the served ones.

    A new version is taken when it is worse than none and better than a rule, and if one is served, when it is better
    than that or as good and newer: what is as good today and knows this week's purchases and products is better
    tomorrow. Where the served one is not among the others, the rules decide; `first` says whether there is none.
    """
    rules = [compared for compared in comparisons if compared.against != SERVED]
    served = [compared for compared in comparisons if compared.against == SERVED]
    for compared in rules:
        if compared.outcome == WORSE:
            return SwapDecision(False, WORSE_THAN_RULE, compared)
    best = max(rules, key=lambda compared: compared.low)
    if best.outcome != BETTER:
        return SwapDecision(False, NO_BETTER_THAN_RULES, best)
    for compared in served:
        if compared.outcome == WORSE:
            return SwapDecision(False, WORSE_THAN_SERVED, compared)
    if not served:
        return SwapDecision(True, FIRST if first else REFITTED, best)
    best = max(served, key=lambda compared: compared.low)
    if best.outcome == BETTER:
        return SwapDecision(True, IMPROVED, best)
    return SwapDecision(True, FRESHER, best) if newer else SwapDecision(False, NOTHING_NEW, best)


def _comparison(figure: str, name: str, new: Values, other: Values) -> Comparison:
    counted = ~np.isnan(new)
    new, other = new[counted], other[counted]
    low, high = bootstrap_interval(new - other)
    means = (float(new.mean()), float(other.mean())) if len(new) else (0.0, 0.0)
    return Comparison(figure, name, len(new), *means, low, high)
