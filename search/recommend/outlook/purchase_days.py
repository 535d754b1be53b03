"""The days on which a visitor bought an item, and the gaps between them.

All of it is as of a time `now`: an age is the number of whole days from an event to `now`, 0 on the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats
from search.recommend.events.interactions import Interactions
from search.recommend.models.base import DAY_S

Keys = NDArray[np.int64]
NEVER_DAYS = 9_999.0  # age of what never happened
UNKNOWN = -1.0  # a gap of which there is none
RECENT_DAYS = (14, 28, 91, 182)


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseDays:
    """PurchaseDays of pairs of a visitor and an item, ordered by pair, then time, the oldest first.

    `keys` (pairs,) are visitor * items + item, ascending; the purchase days of pair p are the rows starts[p] to
    starts[p + 1] of `ages` (days), `quantities` (units) and `prices` (mean of a unit, NaN where unknown).
    """

    keys: Keys
    starts: Keys
    ages: NDArray[np.int32]
    quantities: Floats
    prices: Floats

    @property
    def counts(self) -> Keys:
        """The number of purchase days of each pair (pairs,)."""
        return np.diff(self.starts)

    @property
    def pair_of(self) -> Keys:
        """The pair of each purchase day, by its position in `keys`."""
        return np.repeat(np.arange(len(self.keys)), self.counts)

    def sums(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the sum of values (days,) over each pair."""
        return np.bincount(self.pair_of, values, len(self.keys)).astype(np.float64)


def purchase_days(purchases: Interactions, items: NDArray[np.integer], size: int, now: int) -> PurchaseDays:
    """Return the purchase days before `now` of purchases whose items (n,) are given; those of item -1 are left out.

    Purchases of one visitor, item and day are one purchase day: orders of a day are often one order that was split.
    """
    rows = np.flatnonzero((items >= 0) & (purchases.times < now))
    keys = purchases.visitors[rows].astype(np.int64) * size + items[rows]
    order = np.argsort(keys, kind="stable")  # events of a visitor are in the order of their times
    rows, keys = rows[order], keys[order]
    ages = ((now - 1 - purchases.times[rows]) // DAY_S).astype(np.int32)
    begins = np.flatnonzero(_changes(keys) | _changes(ages))
    columns = purchases.columns.where(rows)
    quantities, prices = _sums(columns.quantities, begins), columns.prices * columns.quantities
    paid = np.divide(_sums(prices, begins), quantities, out=np.full(len(begins), np.nan), where=quantities > 0)
    keys, ages = keys[begins], ages[begins]
    starts = np.append(np.flatnonzero(_changes(keys)), len(keys))
    return PurchaseDays(keys[starts[:-1]], starts, ages, quantities.astype(np.float32), paid.astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Rhythm:
    """When the visitor of each pair (pairs,) bought the item: counts, ages and gaps in days, UNKNOWN without a gap.

    `recent` (pairs, RECENT_DAYS) are the purchase days in the newest days.
    """

    counts: Floats
    recent: Floats
    last: Floats
    first: Floats
    gap_mean: Floats
    gap_median: Floats
    gap_variation: Floats

    def at(self, known: PurchaseDays, keys: Keys) -> Rhythm:
        """Return the rhythm of other pairs, `keys` (m,), in their order; pairs without purchase days have none."""
        rows, found = positions(known.keys, keys)

        def spread(values: Floats, missing: float) -> Floats:
            spreaded = np.full((len(keys), *values.shape[1:]), missing, np.float32)
            spreaded[found] = values[rows[found]]
            return spreaded

        return Rhythm(
            spread(self.counts, 0),
            spread(self.recent, 0),
            spread(self.last, NEVER_DAYS),
            spread(self.first, NEVER_DAYS),
            spread(self.gap_mean, UNKNOWN),
            spread(self.gap_median, UNKNOWN),
            spread(self.gap_variation, UNKNOWN),
        )


def rhythm(known: PurchaseDays) -> Rhythm:
    """Return the rhythm of all pairs that have purchase days."""
    counts = known.counts
    first, last = known.ages[known.starts[:-1]], known.ages[known.starts[1:] - 1]
    pairs, gaps = gaps_of(known)
    number = np.maximum(counts - 1, 1)
    mean = (first - last) / number
    squares = np.bincount(pairs, weights=gaps.astype(np.float64) ** 2, minlength=len(counts)) / number
    deviation = np.sqrt(np.maximum(squares - mean**2, 0))
    without_gap = counts < 2
    recent = np.stack([known.sums(known.ages < days) for days in RECENT_DAYS], axis=1)
    return Rhythm(
        counts.astype(np.float32),
        recent.astype(np.float32),
        last.astype(np.float32),
        first.astype(np.float32),
        np.where(without_gap, UNKNOWN, mean).astype(np.float32),
        medians(pairs, gaps, len(counts)),
        np.where(without_gap, UNKNOWN, deviation / np.maximum(mean, 0.5)).astype(np.float32),
    )


def gaps_of(known: PurchaseDays) -> tuple[Keys, NDArray[np.int32]]:
    """Return the days between each two successive purchase days of a pair, and the pairs, by position."""
    pairs = known.pair_of
    inside = pairs[1:] == pairs[:-1]
    return pairs[1:][inside], (known.ages[:-1] - known.ages[1:])[inside]


def medians(groups: NDArray[np.integer], values: NDArray[np.integer], count: int) -> Floats:
    """Return the (lower) median of the values of each of `count` groups, UNKNOWN for a group without values."""
    ordered = values[np.lexsort((values, groups))]
    sizes = np.bincount(groups, minlength=count)
    ends = np.cumsum(sizes)
    medians = np.full(count, UNKNOWN, np.float32)
    filled = sizes > 0
    medians[filled] = ordered[(ends - sizes + (sizes - 1) // 2)[filled]]
    return medians


def positions(ordered: Keys, wanted: Keys) -> tuple[Keys, NDArray[np.bool_]]:
    """Return where each wanted key is in ascending keys, and whether it is there."""
    rows = np.minimum(np.searchsorted(ordered, wanted), max(len(ordered) - 1, 0))
    return rows, (ordered[rows] == wanted) if len(ordered) else np.zeros(len(wanted), bool)


def _changes(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return where a value differs from the one before; the first counts as different."""
    changes = np.ones(len(values), bool)
    changes[1:] = values[1:] != values[:-1]
    return changes


def _sums(values: Floats, begins: Keys) -> NDArray[np.float64]:
    return np.add.reduceat(values.astype(np.float64), begins) if len(begins) else np.empty(0)
