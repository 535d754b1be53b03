"""The rules of flags: how a price compares with those of the weeks before it.

Each rule reads nothing but the price of a moment and what was paid, or offered, before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from indexer.types import Floats, Mask
from search.pricing.series.weekly_prices import WeeklyPrices

FlagCode = Literal["lower_than_usual", "lowest_13_weeks", "good_price", "often_cheaper"]
FLAG_CODES: tuple[FlagCode, ...] = get_args(FlagCode)
SHORT, LONG = 4, 13  # weeks before the moment
LOWER = 0.95  # a price at most this share of another is lower, as against a difference of pennies
NOT_FLAT = 0.99  # of the median: "lowest" is no news of a price that never moves
MIN_SHORT, MIN_LONG = 3, 7  # weeks with a known price, of SHORT and of LONG
OFTEN = 0.25  # of the known weeks: "often cheaper" must be true of the past, whatever a model expects
MOSTLY = 0.5  # the same where no model is fitted
_ROUNDING = 1e-5  # prices are float32: 9.50 is 0.95 of 10.00


@dataclass(frozen=True, slots=True, eq=False)
class PriceWindow:
    """The prices of n products at a moment, and in the LONG weeks before its week; NaN where none was known.

    `past` (n, LONG) are weekly prices, oldest first, `lowest` (n,) is the lowest price since the first of these weeks,
    and `complete` (n,) says whether a price was known in the first of these weeks or earlier.
    """

    current: Floats
    past: Floats
    lowest: Floats
    complete: Mask

    @classmethod
    def of_weekly(cls, weekly: WeeklyPrices, end: int) -> PriceWindow:
        """Return the window whose moment is the column before `end`; what lies from `end` on is not read."""
        prices, before = known_prices(weekly.prices[:, :end]), slice(max(end - 1 - LONG, 0), max(end - 1, 0))
        past = np.full((len(weekly), LONG), np.nan, np.float32)
        found = prices[:, before]
        past[:, LONG - found.shape[1] :] = found
        current = prices[:, end - 1] if end else np.full(len(weekly), np.nan, np.float32)
        complete = (~np.isnan(prices[:, : max(end - LONG, 0)])).any(axis=1)
        lows = known_prices(weekly.lowest_prices[:, before])
        lowest = np.fmin.reduce(lows, axis=1, initial=np.float32(np.nan))
        return cls(current, past, lowest, np.asarray(complete, bool))

    def usual(self, weeks: int) -> Floats:
        """Return the median of the newest `weeks` weeks (n,), NaN where too few of them are known."""
        return known_median(self.past[:, LONG - weeks :], MIN_SHORT if weeks <= SHORT else MIN_LONG)

    def cheaper_weeks(self) -> tuple[Floats, Floats]:
        """Return in how many of the past weeks the price was LOWER than now, and how many are known, (n,) each."""
        known = (~np.isnan(self.past)).sum(axis=1)
        cheaper = at_most(self.past, self.current[:, None] * np.float32(LOWER)).sum(axis=1)
        return cheaper.astype(np.float32), known.astype(np.float32)

    def flags(self) -> dict[FlagCode, Mask]:
        """Return which products (n,) each flag holds for. `often_cheaper` is what the past alone says."""
        short, long = self.usual(SHORT), self.usual(LONG)
        lowest = self.complete & at_most(self.current, self.lowest)
        below = at_most(self.current, long * np.float32(LOWER))
        return {
            # A product without 13 weeks is compared with its last 4 alone. With them, a price that came back from a
            # short rise is not lower than usual.
            "lower_than_usual": at_most(self.current, short * np.float32(LOWER)) & (below | np.isnan(long)),
            "lowest_13_weeks": lowest & at_most(self.current, long * np.float32(NOT_FLAT)),
            "good_price": lowest & below,
            "often_cheaper": self.was_cheaper(MOSTLY),
        }

    def was_cheaper(self, share: float = OFTEN) -> Mask:
        """Return which products (n,) were LOWER than now in at least a share of the known weeks, MIN_LONG or more.

        Their price was as high as now before: after a rise to a new price, the lower ones may not come back.
        """
        cheaper, known = self.cheaper_weeks()
        was_as_high = at_most(self.current * np.float32(NOT_FLAT), np.fmax.reduce(self.past, axis=1))
        return np.asarray((known >= MIN_LONG) & (cheaper >= share * known) & was_as_high, bool)


def known_prices(prices: Floats) -> Floats:
    """Return prices of any shape with NaN where there is no price: 0, less, or not finite."""
    return np.where(np.isfinite(prices) & (prices > 0), prices, np.float32(np.nan)).astype(np.float32)


def known_median(values: Floats, at_least: int = 1) -> Floats:
    """Return the median of each row (n, w) without its NaN, (n,); NaN where fewer than `at_least` are known."""
    known = (~np.isnan(values)).sum(axis=1)
    if not values.shape[1]:
        return np.full(len(values), np.nan, np.float32)
    ordered = np.sort(values, axis=1)  # NaN last
    rows, last = np.arange(len(values)), np.maximum(known - 1, 0)
    medians = (ordered[rows, last // 2] + ordered[rows, (last + 1) // 2]) / 2
    return np.where(known >= max(at_least, 1), medians, np.float32(np.nan)).astype(np.float32)


def at_most(values: Floats, limits: Floats) -> Mask:
    """Return where values are not above limits but for rounding; False where one of them is NaN."""
    return np.asarray(values <= limits * np.float32(1 + _ROUNDING), bool)
