"""How often what a flag says was true, measured on a shop's own past or on a reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.pricing.flags.outcomes import AHEAD, discounted, fell, no_cheaper
from search.pricing.flags.rules import FLAG_CODES, FlagCode, PriceWindow
from search.pricing.series.weekly_prices import WeeklyPrices
from search.trees.grouped_predictions import drawn_groups

MIN_CASES = 100  # fewer support no statement
WAIT_PRECISION = 0.8  # wanted of "often cheaper"
MIN_PROBABILITY = 0.5  # to wait is no advice where a fall is improbable, whatever the precision
WEEKS = 26  # newest moments that a shop's precision is measured at
# The least precision with which a flag is worth showing. Of "lower than usual" it says that the price was below a known
# list price, of "lowest" and "good price" that nothing cheaper came within four weeks, of "often cheaper" that it did.
FLOORS: dict[FlagCode, float] = {
    "lower_than_usual": 0.9,
    "lowest_13_weeks": 0.85,
    "good_price": 0.85,
    "often_cheaper": 0.6,
}


@dataclass(frozen=True, slots=True)
class FlagPrecision:
    """In which share of `n` cases a flag was right, with its 95 % interval over products.

    `fired` is the share of all cases in which the flag was shown, `base` the share of all in which what it says was
    true.
    """

    precision: float
    low: float
    high: float
    n: int
    fired: float
    base: float

    def holds(self, code: FlagCode) -> bool:
        """Return whether the flag may be shown with this precision: it is measured, high enough, and beats chance."""
        return self.n >= MIN_CASES and self.precision >= FLOORS[code] and self.low > self.base


# Measured on a public log of a grocer's purchases, weeks 14 to 48 of a year: what a shop without a past states.
REFERENCE: dict[FlagCode, FlagPrecision] = {
    "lower_than_usual": FlagPrecision(0.983, 0.976, 0.988, 4_902, 0.153, 0.553),
    "lowest_13_weeks": FlagPrecision(0.919, 0.907, 0.930, 4_944, 0.155, 0.648),
    "good_price": FlagPrecision(0.925, 0.913, 0.935, 4_716, 0.147, 0.648),
    "often_cheaper": FlagPrecision(0.653, 0.630, 0.681, 4_581, 0.132, 0.338),
}


def precision_of(fired: Mask, outcomes: Floats, products: Ids) -> FlagPrecision | None:
    """Return the precision of a flag from where it fired and what came true, (m,) each, and the product of each case.

    An outcome is 1, 0, or NaN where it is not known. Cases of one product depend on each other, so products are drawn
    for the interval. None where it never fired.
    """
    known = ~np.isnan(outcomes)
    shown, right = fired & known, fired & (outcomes == 1)
    cases, total = int(shown.sum()), int(known.sum())
    if not cases:
        return None
    numbers, counts = np.unique(products[shown], return_counts=True)
    hits = np.bincount(products[right], minlength=int(numbers[-1]) + 1)[numbers]
    drawn = [float(weights @ hits / (weights @ counts)) for weights in drawn_groups(len(numbers))]
    low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
    return FlagPrecision(
        int(right.sum()) / cases, low, high, cases, cases / total, float((outcomes == 1).sum() / total)
    )


def measure_rules(weekly: WeeklyPrices, end: int, weeks: int = WEEKS) -> dict[FlagCode, FlagPrecision]:
    """Return the precision of the rules at the newest `weeks` moments whose outcomes are known before the column `end`.

    A week that is not over has no outcome: in its other days something cheaper may come.
    A flag that never fired is absent. "Often cheaper" is what the past alone says; a `DropModel` has its own precision.
    """
    end = weekly.whole_before(end)
    ends = range(max(end - AHEAD - weeks, 0) + 1, end - AHEAD + 1)
    return precisions_at(weekly, ends, end)


def precisions_at(weekly: WeeklyPrices, ends: range, end: int) -> dict[FlagCode, FlagPrecision]:
    """Return the precision of the rules at the columns before each of `ends`, from what is before the column `end`."""
    if not ends:
        return {}
    fired: dict[FlagCode, list[Mask]] = {code: [] for code in FLAG_CODES}
    for moment in ends:
        for code, mask in PriceWindow.of_weekly(weekly, moment).flags().items():
            fired[code].append(mask)
    prices, list_prices = weekly.prices[:, :end], weekly.list_prices[:, :end]
    stays = no_cheaper(prices, weekly.lowest_prices[:, :end])
    outcomes: dict[FlagCode, Floats] = {
        "lower_than_usual": discounted(prices, list_prices),
        "lowest_13_weeks": stays,
        "good_price": stays,
        "often_cheaper": fell(prices),
    }
    columns = np.asarray(ends) - 1
    products = np.repeat(np.arange(len(weekly)), len(columns))
    found = {}
    for code, masks in fired.items():
        precision = precision_of(np.stack(masks, axis=1).ravel(), outcomes[code][:, columns].ravel(), products)
        if precision is not None:
            found[code] = precision
    return found


def choose_threshold(
    probabilities: Floats, labels: Mask, products: Ids, eligible: Mask
) -> tuple[float | None, FlagPrecision | None]:
    """Return the least probability with which WAIT_PRECISION of the eligible cases (m,) come true, and its precision.

    It is at least MIN_PROBABILITY, chosen on every second product and measured on the others. None where nothing, or
    too little, is so precise.
    """
    choosing = products % 2 == 0
    rows = np.flatnonzero(choosing & eligible)
    rows = rows[np.argsort(-probabilities[rows], kind="stable")]
    precise = np.cumsum(labels[rows]) >= WAIT_PRECISION * np.arange(1, len(rows) + 1)
    places = np.flatnonzero(precise)
    if not len(places) or places[-1] + 1 < MIN_CASES // 2:
        return None, None
    threshold = max(float(probabilities[rows[places[-1]]]), MIN_PROBABILITY)
    fired = (eligible & (probabilities >= threshold))[~choosing]
    return threshold, precision_of(fired, labels[~choosing].astype(np.float32), products[~choosing])
