"""Units and prices by product and week as demand models read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Mask
from search.pricing.series.weekly_prices import WeeklyPrices

PRICE, MAILER, DISPLAY = "price", "mailer", "display"
USUAL, DROPPED = "usual", "dropped"  # what becomes of weeks without a sale
_LIMIT = np.log(5.0)  # prices further from the usual one are slips of the pen or other goods
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class DemandWeeks:
    """Weeks of n products: `units` (n, w), 0 where `valid` (n, w) is False; `effects` (n, w, k), of which the first is
    log(price / usual price) and the others are shares of promotions, by `names`.

    `usual` (n,) is the median price, NaN where no price is known; `lowest` and `highest` (n,) are the extremes of
    prices.
    """

    names: tuple[str, ...]
    units: Doubles
    valid: Mask
    effects: Doubles
    usual: Doubles
    lowest: Doubles
    highest: Doubles

    @classmethod
    def of(cls, weekly: WeeklyPrices, end: int | None = None, unsold: str = USUAL) -> DemandWeeks:
        """Read the columns before `end`.

        A week with no units and no known price is a week without a sale in a log of purchases. Its price is then taken
        for the `usual` one, or the week is left out (`dropped`). Weeks before the first known price and after the last
        one are left out, because the product may not have been for sale.
        """
        end = weekly.weeks if end is None else end
        prices = np.array(weekly.prices[:, :end], np.float64)
        prices[~(prices > 0)] = np.nan
        with np.errstate(all="ignore"):
            usual = lower_medians(prices)
        known = ~np.isnan(prices)
        filled = prices if unsold == DROPPED else np.where(known, prices, usual[:, None])
        units = np.array(weekly.units[:, :end], np.float64)
        valid = ~np.isnan(units) & ~np.isnan(filled) & between_first_and_last(known)
        effects = effects_of(weekly, filled, usual, 0)
        low = np.where(known, prices, np.inf).min(axis=1, initial=np.inf)
        high = np.where(known, prices, -np.inf).max(axis=1, initial=-np.inf)
        names = (PRICE,) if weekly.calendar is None else (PRICE, MAILER, DISPLAY)
        return cls(
            names,
            np.where(valid, units, 0.0),
            valid,
            effects,
            usual,
            np.where(known.any(axis=1), low, np.nan),
            np.where(known.any(axis=1), high, np.nan),
        )


def effects_of(weekly: WeeklyPrices, prices: Doubles, usual: Doubles, start: int) -> Doubles:
    """Return the effects (n, weeks, k) of prices (n, weeks) and of the calendar in the weeks from column `start` on; 0
    where a price is not known.
    """
    with np.errstate(all="ignore"):
        logs = np.nan_to_num(np.log(prices / usual[:, None]))
    relative: Doubles = np.clip(logs, -_LIMIT, _LIMIT)[:, :, None]
    if weekly.calendar is None:
        return relative
    first = weekly.first + start
    shares = weekly.calendar.between(first, first + prices.shape[1]).astype(np.float64)
    return np.concatenate([relative, shares], axis=2)


def lower_medians(prices: Doubles) -> Doubles:
    """Return the lower median of each row without NaN; NaN for a row without any."""
    ordered = np.sort(prices, axis=1)
    counts = (~np.isnan(prices)).sum(axis=1)
    middle = np.maximum(counts - 1, 0) // 2
    return (
        np.take_along_axis(ordered, middle[:, None], axis=1)[:, 0] if prices.shape[1] else np.full(len(prices), np.nan)
    )


def between_first_and_last(known: Mask) -> Mask:
    """Return True from the first to the last True of each row (n, w)."""
    begun = np.maximum.accumulate(known, axis=1)
    ended = np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    return begun & ended
