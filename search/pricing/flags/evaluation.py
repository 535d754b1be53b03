"""Measure flags and the model of falling prices on weeks that come after everything that was fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.pricing.flags.drop_model import DropModel
from search.pricing.flags.outcomes import AHEAD, fell
from search.pricing.flags.precision import FlagPrecision, precision_of, precisions_at
from search.pricing.flags.rules import PriceWindow
from search.pricing.series.weekly_prices import WeeklyPrices
from search.trees.grouped_predictions import GroupedPredictions, drawn_groups

DIGITS = 4


def evaluate_flags(weekly: WeeklyPrices, origins: Sequence[int]) -> Mapping[str, Any]:
    """Return the figures of flags at every week from the first origin on, with 95 % intervals over products.

    An origin is a number of columns: the model of falling prices is fitted on these, and predicts at each week until
    the next origin. The rules learn nothing. `X_precision` says how often flag X was right, `X_fired` how often it
    was shown, `X_base` how often what it says is true of any price. Raises MissingExtra, TooFewEvents.
    """
    end = weekly.weeks
    ends = range(min(origins), end - AHEAD + 1)
    figures: dict[str, Any] = {}
    for code, precision in precisions_at(weekly, ends, end).items():
        figures |= _named(f"{code}_of_the_past" if code == "often_cheaper" else code, precision)
    figures |= _drop_figures(weekly, origins, "", calendar=False)
    if weekly.calendar is not None:
        figures |= _drop_figures(weekly, origins, "_with_calendar", calendar=True)
    return figures


def _named(name: str, precision: FlagPrecision) -> dict[str, Any]:
    return {
        f"{name}_precision": round(precision.precision, DIGITS),
        f"{name}_interval": [round(precision.low, DIGITS), round(precision.high, DIGITS)],
        f"{name}_fired": round(precision.fired, DIGITS),
        f"{name}_base": round(precision.base, DIGITS),
        f"{name}_n": precision.n,
    }


def _drop_figures(weekly: WeeklyPrices, origins: Sequence[int], suffix: str, *, calendar: bool) -> dict[str, Any]:
    """Return the figures of the model, and of the flag that its threshold gives."""
    outcomes = fell(weekly.prices)
    every: list[tuple[Floats, Mask, Ids, Mask]] = []
    for origin, following in zip(origins, [*origins[1:], weekly.weeks - AHEAD + 1], strict=True):
        model = DropModel.fit(weekly, origin, calendar=calendar)
        for end in range(origin, min(following, weekly.weeks - AHEAD + 1)):
            found, labels = model.predict(weekly, end), outcomes[:, end - 1]
            rows = np.flatnonzero(~np.isnan(found) & ~np.isnan(labels))
            waits = model.waits(found) & PriceWindow.of_weekly(weekly, end).was_cheaper()
            every.append((found[rows], labels[rows] == 1, rows, waits[rows]))
    probabilities, true, products, fired = (np.concatenate(column) for column in zip(*every, strict=True))
    predictions = GroupedPredictions(probabilities, true, products, len(weekly))
    own, drawn = predictions.figures(), [predictions.figures(weights) for weights in drawn_groups(len(weekly))]
    figures = {f"drop_base{suffix}": round(float(true.mean()), DIGITS), f"drop_n{suffix}": len(true)}
    for name, key in (("auroc", "drop_auroc"), ("ece", "drop_calibration_error")):
        ends = np.quantile([figure[name] for figure in drawn], (0.025, 0.975))
        figures |= {
            f"{key}{suffix}": round(own[name], DIGITS),
            f"{key}{suffix}_interval": np.round(ends, DIGITS).tolist(),
        }
    precision = precision_of(fired, true.astype(np.float32), products)
    return figures if precision is None else figures | _named(f"often_cheaper{suffix}", precision)
