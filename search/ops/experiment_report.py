"""Report an experiment: what the visitors of each arm did after they saw it, with intervals, and what may be said.

Shares have Wilson's interval (1927), differences of shares Newcombe's hybrid score interval (1998, method 10), revenue
a visitor the percentiles of a bootstrap over visitors (Efron 1979). Intervals cover 95 %; those of differences are
widened by Bonferroni for several arms. A conclusion is drawn once, after the days that were planned: who looks every
day and stops at the first difference finds one by chance.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.ops.anonymity import withheld
from search.ops.comparison import wilson_interval
from search.recommend.events.event_log import CART, CLICK, PURCHASE, StoredEvent
from search.recommend.experiments.experiment import RUNNING, Experiment
from search.recommend.experiments.experiment_store import Exposure

CONFIDENCE = 0.95
MIN_GOALS = 10  # visitors of both arms together who reached the goal, to say anything
RESAMPLES = 1_000
SEED = 20
COUNTED = (CLICK, CART, PURCHASE)
# Conclusions.
TOO_EARLY, STOPPED_EARLY, TOO_FEW = "too_early", "stopped_early", "too_few"
NO_DIFFERENCE, MORE, FEWER = "no_difference", "more", "fewer"

Means = NDArray[np.float64]
Price = Callable[[Sequence[str]], Mapping[str, float]]


@dataclass(slots=True)
class ArmOutcome:
    """What the visitors of an arm did: how many did each kind of thing, and what each of them paid in all."""

    visitors: int = 0
    did: dict[str, set[bytes]] = field(default_factory=lambda: {kind: set() for kind in COUNTED})
    revenue: dict[bytes, float] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        """Return how many visitors did a kind of thing."""
        return len(self.did[kind])


def report_experiment(
    experiment: Experiment,
    exposures: Mapping[bytes, Exposure],
    events: Iterable[StoredEvent],
    prices: Price,
    least: int,
    now: float | None = None,
) -> dict[str, Any]:
    """Return an experiment's figures as JSON values; None stands for what fewer than `least` visitors make up.

    `events` are those since it began; only what a visitor did after the exposure counts. `prices` are those of
    products, for purchases that name none.
    """
    at = time.time() if now is None else now
    outcomes = _outcomes(experiment, exposures, events, prices)
    control = outcomes[experiment.arms[0].name]
    z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2 / (len(experiment.arms) - 1))
    rows = []
    for arm in experiment.arms:
        outcome = outcomes[arm.name]
        row = {"name": arm.name, "share": arm.share, **_figures(outcome, least)}
        if outcome is not control:
            row["difference"] = _difference(control, outcome, experiment.goal, z, least)
            row["conclusion"] = _conclusion(experiment, control, outcome, z, at)
        rows.append(row)
    several = sum(not exposure.arm for exposure in exposures.values())
    return {
        "goal": experiment.goal,
        "due": experiment.due,
        "complete": experiment.due is not None and min(at, experiment.stopped or at) >= experiment.due,
        "arms": rows,
        "saw_several_arms": withheld(several, several, least),
        "least_visitors": least,
    }


def newcombe_interval(control: tuple[int, int], other: tuple[int, int], z: float) -> tuple[float, float]:
    """Return the interval of the difference of two shares, other - control, each a count and a sample."""
    (low, high), (low_other, high_other) = wilson_interval(*control, z), wilson_interval(*other, z)
    share, share_other = control[0] / max(control[1], 1), other[0] / max(other[1], 1)
    difference = share_other - share
    return (
        difference - math.hypot(share_other - low_other, high - share),
        difference + math.hypot(high_other - share_other, share - low),
    )


def bootstrap_means(revenue: Sequence[float], visitors: int, generator: np.random.Generator) -> Means:
    """Return the mean revenue a visitor of RESAMPLES samples with replacement; visitors without revenue have 0.

    The number of payers in a sample is binomial, so only what they paid is drawn.
    """
    if not revenue or not visitors:
        return np.zeros(RESAMPLES)
    paid = np.asarray(revenue, float)
    payers = generator.binomial(visitors, len(paid) / visitors, RESAMPLES)
    return np.array([paid[generator.integers(0, len(paid), count)].sum() for count in payers]) / visitors


def _outcomes(
    experiment: Experiment, exposures: Mapping[bytes, Exposure], events: Iterable[StoredEvent], prices: Price
) -> dict[str, ArmOutcome]:
    outcomes = {arm.name: ArmOutcome() for arm in experiment.arms}
    for exposure in exposures.values():
        if exposure.arm in outcomes:
            outcomes[exposure.arm].visitors += 1
    end = min(experiment.stopped or 2**62, experiment.due or 2**62)
    bought: list[tuple[ArmOutcome, StoredEvent]] = []
    for event in events:
        seen = exposures.get(event.visitor)
        if seen is None or seen.arm not in outcomes or not seen.at <= event.at < end:
            continue
        outcome = outcomes[seen.arm]
        if event.kind in outcome.did:
            outcome.did[event.kind].add(event.visitor)
        if event.kind == PURCHASE:
            bought.append((outcome, event))
    known = prices(list({event.product_id for _, event in bought}))
    for outcome, event in bought:
        price = known.get(event.product_id, 0.0) if event.price is None else event.price
        paid = price * (1.0 if event.quantity is None else event.quantity)
        outcome.revenue[event.visitor] = outcome.revenue.get(event.visitor, 0.0) + paid
    return outcomes


def _figures(outcome: ArmOutcome, least: int) -> dict[str, Any]:
    """Return the figures of an arm: visitors, and for each kind of thing how many did it and their share."""
    shares = {}
    for kind in COUNTED:
        count = withheld(outcome.count(kind), outcome.count(kind), least)
        known = count is not None and outcome.visitors >= least
        low, high = wilson_interval(outcome.count(kind), outcome.visitors)
        shares[kind] = {
            "visitors": count if known or not outcome.visitors else None,
            "share": round(outcome.count(kind) / outcome.visitors, 5) if known else None,
            "interval": [round(low, 5), round(high, 5)] if known else None,
        }
    return {
        "visitors": withheld(outcome.visitors, outcome.visitors, least),
        "shares": shares,
        "revenue": _revenue(outcome, least),
    }


def _revenue(outcome: ArmOutcome, least: int) -> dict[str, Any]:
    """Return the revenue a visitor with its interval, in the shop's currency."""
    if len(outcome.revenue) < least:
        return {"per_visitor": None, "interval": None}
    means = bootstrap_means([*outcome.revenue.values()], outcome.visitors, np.random.default_rng(SEED))
    mean = sum(outcome.revenue.values()) / outcome.visitors
    return {"per_visitor": round(mean, 4), "interval": _percentiles(means, CONFIDENCE)}


def _difference(control: ArmOutcome, other: ArmOutcome, goal: str, z: float, least: int) -> dict[str, Any]:
    """Return the differences to the control, each with its interval: of the goal's share, and of revenue a visitor."""
    counts = (control.count(goal), other.count(goal))
    known = min(control.visitors, other.visitors) >= least and not any(0 < count < least for count in counts)
    share: dict[str, Any] = {"share": None, "interval": None, "revenue": None, "revenue_interval": None}
    if known:
        low, high = newcombe_interval((counts[0], control.visitors), (counts[1], other.visitors), z)
        share["share"] = round(counts[1] / other.visitors - counts[0] / control.visitors, 5)
        share["interval"] = [round(low, 5), round(high, 5)]
    if min(len(control.revenue), len(other.revenue)) >= least:
        generator = np.random.default_rng(SEED)
        means = [bootstrap_means([*arm.revenue.values()], arm.visitors, generator) for arm in (control, other)]
        observed = [sum(arm.revenue.values()) / arm.visitors for arm in (control, other)]
        share["revenue"] = round(observed[1] - observed[0], 4)
        share["revenue_interval"] = _percentiles(means[1] - means[0], 2 * NormalDist().cdf(z) - 1)
    return share


def _conclusion(experiment: Experiment, control: ArmOutcome, other: ArmOutcome, z: float, now: float) -> str:
    """Return what may be said of an arm against the control: nothing before the time that was planned."""
    if experiment.due is None or (experiment.state == RUNNING and now < experiment.due):
        return TOO_EARLY
    if experiment.stopped is not None and experiment.stopped < experiment.due:
        return STOPPED_EARLY
    goal = experiment.goal
    if control.count(goal) + other.count(goal) < MIN_GOALS:
        return TOO_FEW
    low, high = newcombe_interval((control.count(goal), control.visitors), (other.count(goal), other.visitors), z)
    if low <= 0.0 <= high:
        return NO_DIFFERENCE
    return MORE if low > 0 else FEWER


def _percentiles(means: Means, confidence: float) -> list[float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return [round(float(low), 4), round(float(high), 4)]
