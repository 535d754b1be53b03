"""What the convolutional network reads of a series, and the windows that it learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.pricing.classical.filled_series import MIN_WEEKS, filled_prices
from search.pricing.forecasting.base import HORIZON
from search.pricing.series.weekly_prices import PromotionCalendar, WeeklyPrices

WINDOW = 32  # weeks; the network halves it four times
CHANNELS = ("price", "known", "before_first", "list_price", "mailer", "display")
MAX_LOG = 1.5  # of a ratio of prices, either way
SHARES = 2  # of a week in the calendar


@dataclass(frozen=True, slots=True, eq=False)
class SeriesTable:
    """The series as the network reads them: n products, w weeks; `shares` (n, w + HORIZON, 2) of promotions."""

    prices: Floats
    filled: Floats
    list_prices: Floats
    shares: Floats

    @classmethod
    def of(cls, weekly: WeeklyPrices, end: int, uses_calendar: bool) -> SeriesTable:
        """Read the columns before `end`, and the calendar of the HORIZON weeks after them if it is used."""
        prices = np.where(weekly.prices[:, :end] > 0, weekly.prices[:, :end], np.float32(np.nan))
        first = weekly.first
        calendar = weekly.calendar if uses_calendar else None
        if calendar is None:
            calendar = PromotionCalendar(first, np.zeros((len(weekly), 0, SHARES), np.float32))
        shares = calendar.between(first, first + end + HORIZON)
        return cls(prices, filled_prices(prices), filled_prices(weekly.list_prices[:, :end]), shares)

    def moments(self) -> tuple[Ids, Ids]:
        """Return rows and ends of the windows to learn from: MIN_WEEKS known weeks before, a known price after."""
        known = ~np.isnan(self.filled)
        rows, ends = [], []
        for end in range(MIN_WEEKS, self.prices.shape[1] - HORIZON + 1):
            later = ~np.isnan(self.prices[:, end : end + HORIZON])
            found = np.flatnonzero(known[:, end - MIN_WEEKS] & later.any(axis=1))
            rows.append(found)
            ends.append(np.full(len(found), end))
        if not rows:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate(rows).astype(np.int64), np.concatenate(ends).astype(np.int64)

    def windows(self, rows: Ids, ends: Ids) -> tuple[Floats, Floats]:
        """Return the WINDOW weeks before each end, (n, CHANNELS, WINDOW), and the calendar after it, (n, HORIZON * 2).

        Prices are logarithms of their ratios to the last known one.
        """
        columns = ends[:, None] + np.arange(-WINDOW, 0)
        exists = columns >= 0
        rows, columns = rows[:, None], np.maximum(columns, 0)
        filled = np.where(exists, self.filled[rows, columns], np.float32(np.nan))
        last = filled[:, -1:]
        started = ~np.isnan(filled)
        channels: Sequence[Floats | Mask] = (
            _log_ratio(filled, last),
            exists & ~np.isnan(self.prices[rows, columns]),
            ~started,
            _log_ratio(np.where(exists, self.list_prices[rows, columns], np.float32(np.nan)), last),
            *(np.where(exists, self.shares[rows, columns, share], 0) for share in range(SHARES)),
        )
        ahead = self.shares[rows, ends[:, None] + np.arange(HORIZON)]
        return np.stack(channels, axis=1).astype(np.float32), ahead.reshape(len(rows), -1)

    def targets(self, rows: Ids, ends: Ids) -> Floats:
        """Return the logarithms of the ratios of later prices to the last known one, (n, HORIZON); NaN if unknown."""
        later = self.prices[rows[:, None], ends[:, None] + np.arange(HORIZON)]
        ratios = np.log(later / self.filled[rows, ends - 1][:, None])
        return np.asarray(np.clip(ratios, -MAX_LOG, MAX_LOG), np.float32)


def _log_ratio(prices: Floats, last: Floats) -> Floats:
    """Return log(prices / last), within MAX_LOG either way; 0 where one is unknown."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nan_to_num(np.clip(np.log(prices / last), -MAX_LOG, MAX_LOG)), np.float32)
