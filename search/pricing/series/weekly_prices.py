"""Prices and units by product and week, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats, Ids

WEEK_S = 604_800
_FIRST_MONDAY_S = 4 * 86_400  # 1970-01-05


@overload
def week_of(at: int) -> int: ...


@overload
def week_of(at: Ids) -> Ids: ...


def week_of(at: int | Ids) -> int | Ids:
    """Return the number of the week (Monday to Sunday, UTC) of times in unix seconds; 0 is that of 1970-01-05."""
    return (at - _FIRST_MONDAY_S) // WEEK_S


def week_start(week: int) -> int:
    """Return the first second of a week."""
    return week * WEEK_S + _FIRST_MONDAY_S


@dataclass(frozen=True, slots=True, eq=False)
class PromotionCalendar:
    """Planned promotions, which are known ahead, of the products of the series.

    `shares` (n, weeks, 2) are 0 to 1: the share of the stores with the product in the mailer, and on display. A shop
    with one store has 0 and 1. The weeks begin with the week `first` and may reach beyond those of the prices.
    """

    first: int
    shares: Floats

    def between(self, start: int, end: int) -> Floats:
        """Return the shares of the weeks `start` to `end` - 1, (n, end - start, 2); 0 where nothing is planned."""
        found = np.zeros((len(self.shares), end - start, self.shares.shape[2]), np.float32)
        low, high = max(start, self.first), min(end, self.first + self.shares.shape[1])
        if low < high:
            found[:, low - start : high - start] = self.shares[:, low - self.first : high - self.first]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class WeeklyPrices:
    """Prices of n products in w weeks, the first of which is the week `first`.

    `prices` (n, w) are in the products' currency, NaN where none is known: nothing was sold, or the product was not in
    the catalogue. `list_prices` (n, w) are prices without a discount, NaN where there is none. `units` (n, w) are the
    units sold, NaN where sales are not known. `categories` are paths such as "Grocery > Bread".

    `lows` (n, w) are the lowest prices of which a product was offered in a week, if only for a day; None where nothing
    but `prices` is known, as in a log of purchases. `last_runs` says whether the last week is not over.
    """

    first: int
    product_ids: Sequence[str]
    categories: Sequence[str]
    currencies: Sequence[str]
    prices: Floats
    list_prices: Floats
    units: Floats
    calendar: PromotionCalendar | None = None
    lows: Floats | None = None
    last_runs: bool = False

    def __len__(self) -> int:
        return len(self.prices)

    @property
    def weeks(self) -> int:
        """The number of weeks."""
        return int(self.prices.shape[1])

    @property
    def lowest_prices(self) -> Floats:
        """The lowest known price of each week, (n, w)."""
        return self.prices if self.lows is None else self.lows

    def whole_before(self, end: int) -> int:
        """Return how many columns before the column `end` there are whose week is over: all, or all but the last."""
        return min(end, self.weeks - self.last_runs)

    def rows(self, chosen: Ids | NDArray[np.bool_]) -> WeeklyPrices:
        """Return the series of some products, by positions or a mask (n,)."""
        places = np.arange(len(self))[chosen].tolist()
        calendar = self.calendar
        if calendar is not None:
            calendar = PromotionCalendar(calendar.first, calendar.shares[chosen])
        return replace(
            self,
            product_ids=[self.product_ids[place] for place in places],
            categories=[self.categories[place] for place in places],
            currencies=[self.currencies[place] for place in places],
            prices=self.prices[chosen],
            list_prices=self.list_prices[chosen],
            units=self.units[chosen],
            calendar=calendar,
            lows=None if self.lows is None else self.lows[chosen],
        )

    def last_known(self, end: int | None = None) -> Floats:
        """Return the last known price of each product before the column `end`, (n,); NaN where there is none."""
        part = self.prices[:, : self.weeks if end is None else end]
        known = ~np.isnan(part)
        last = part.shape[1] - 1 - known[:, ::-1].argmax(axis=1) if part.shape[1] else np.zeros(len(part), np.int64)
        found = np.full(len(part), np.nan, np.float32)
        some = known.any(axis=1)
        found[some] = part[some, last[some]]
        return found
