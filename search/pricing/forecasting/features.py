"""What a forecast of a price is computed from: the product's past, its category's, and planned promotions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from catalog.product import categories_down, levels_of
from indexer.types import Floats, Ids
from search.pricing.forecasting.base import HORIZON
from search.pricing.series.past_weeks import filled_forward, weeks_since
from search.pricing.series.weekly_prices import WeeklyPrices

LAGS = (*range(1, 9), 12, 25)  # weeks before the last one
WINDOWS = (4, 8, 13, 26)  # weeks
LONGEST = max(WINDOWS)
CHANGE = 0.01  # of the logarithm: smaller differences are cents of one store
DISCOUNT = 0.05  # of the logarithm below the usual price
USUAL_QUANTILE = 0.8  # of the prices of half a year: what a product costs when it is not reduced
PROMOTED = 0.3  # share of the stores from which on a week counts as promoted
LEVELS = 3  # of a category
KERNEL, FADING_WEEKS = 0.05, 13.0  # how alike, and how recent, weeks are that tell of a planned promotion
SHRINKAGE = 0.3  # of the slope of a price over the share of stores that promote it
NEVER = 99.0  # weeks since something that has not happened


class PriceFeatures:
    """The features of series; each column of them is relative to the last known price, in logarithms.

    `weekly` may have columns after the moment of a forecast: they are not looked at, except in the calendar.
    """

    def __init__(self, weekly: WeeklyPrices, calendar: bool) -> None:
        self._weekly = weekly
        self._calendar = weekly.calendar if calendar else None
        self.filled = filled_forward(weekly.prices)  # (n, w)

    def rows(self, places: Ids, end: int) -> Floats:
        """Return the features (HORIZON, m, f) of products for the weeks from the column `end` on.

        `places` (m,) are products with a known price before that column.
        """
        own = self._at(places, end)
        return np.stack([np.concatenate([own, self._ahead(places, end, ahead)], axis=1) for ahead in range(HORIZON)])

    def _at(self, places: Ids, end: int) -> Floats:
        """Return the features (m, f) that are the same for every week ahead."""
        start = max(end - LONGEST, 0)
        window = self.filled[places, start:end]
        last = window[:, -1]
        relative = np.log(window / last[:, None])
        columns = [_lag(relative, lag) for lag in LAGS]
        for weeks in WINDOWS:
            part = relative[:, -weeks:]
            columns += [np.fmin.reduce(part, axis=1), np.fmax.reduce(part, axis=1)]
            columns += [*quantiles(part, (0.5,)), np.nanstd(part, 1)]
        columns += _changes(relative[:, -max(WINDOWS[:3]) - 1 :])
        columns += _discounts(relative)
        observed = ~np.isnan(self._weekly.prices[places, start:end])
        columns += [observed[:, ::-1].argmax(1), observed[:, -8:].mean(1), np.log(last)]
        columns.append(np.log(self._weekly.list_prices[places, end - 1] / last))
        columns += self._sales(places, end)
        columns += self._category(places, end)
        return np.stack(columns, axis=1).astype(np.float32)

    def _ahead(self, places: Ids, end: int, ahead: int) -> Floats:
        """Return the features (m, f) of one week ahead: how far it is, and what is planned for it."""
        week = np.full((len(places), 1), ahead, np.float32)
        if self._calendar is None:
            return week
        start = max(end - LONGEST, 0)
        first = self._weekly.first
        shares = self._calendar.between(first + start, first + end + HORIZON + 1)[places]
        window = self.filled[places, start:end]
        return np.concatenate([week, _promotions(np.log(window / window[:, -1:]), shares, end - start, ahead)], axis=1)

    def _sales(self, places: Ids, end: int) -> list[Floats]:
        """Return the units of a usual week, and those of the last four and of the last one by them.

        Weeks whose units are not known, as of a week that is not over, count in none.
        """
        units = self._weekly.units[places, max(end - 13, 0) : end]
        known = ~np.isnan(units)
        filled = np.where(known, units, 0)
        usual = filled.sum(1) / np.maximum(known.sum(1), 1)
        four = known[:, -4:].sum(1)
        lately = np.where(four > 0, filled[:, -4:].sum(1) / np.maximum(four, 1), usual)
        last = filled_forward(units)[:, -1]
        half = np.float32(0.5)
        columns = np.stack(
            [np.log1p(usual), np.log((lately + half) / (usual + half)), np.log((last + half) / (usual + half))]
        ).astype(np.float32)
        columns[:, ~known.any(1)] = np.nan
        return list(columns)

    def _category(self, places: Ids, end: int) -> list[Floats]:
        """Return the mean of the last change, and the share that is reduced, at each level of the category."""
        last, before = self.filled[:, end - 1], self.filled[:, max(end - 2, 0)]
        change = np.nan_to_num(np.log(last / before))
        high = np.fmax.reduce(self.filled[:, max(end - 8, 0) : end], axis=1)
        reduced = last < high * (1 - DISCOUNT)
        columns = []
        for codes in self._codes:
            counts = np.maximum(np.bincount(codes), 1)
            columns += [
                (np.bincount(codes, values) / counts).astype(np.float32)[codes[places]] for values in (change, reduced)
            ]
        return columns

    @cached_property
    def _codes(self) -> tuple[Ids, ...]:
        """The codes (n,) of the products' categories at each level."""
        return category_codes(self._weekly.categories)


def quantiles(values: Floats, levels: Sequence[float]) -> list[Floats]:
    """Return quantiles (n,) of the known values of each row (n, w): the value at or below each level's rank.

    Each row has a known value.
    """
    ordered = np.sort(values, axis=1)  # NaN last
    most = (~np.isnan(values)).sum(1) - 1
    rows = np.arange(len(values))
    return [ordered[rows, np.floor(level * most).astype(np.int64)] for level in levels]


def category_codes(categories: Sequence[str]) -> tuple[Ids, ...]:
    """Return a code (n,) for the category of each product at every one of LEVELS levels, from the root down."""
    down = [list(categories_down(levels_of(category))) or [""] for category in categories]
    codes = []
    for level in range(LEVELS):
        names = [path[min(level, len(path) - 1)] for path in down]
        codes.append(np.unique(np.array(names, dtype=np.str_), return_inverse=True)[1].astype(np.int64))
    return tuple(codes)


def _lag(relative: Floats, lag: int) -> Floats:
    place = relative.shape[1] - 1 - lag
    return relative[:, place] if place >= 0 else np.full(len(relative), np.nan, np.float32)


def _changes(relative: Floats) -> list[Floats]:
    """Return how many changes there were lately, and for how many weeks there has been none."""
    changed = np.abs(np.diff(relative, axis=1)) > CHANGE
    return [changed.sum(1), changed[:, -4:].sum(1), weeks_since(changed, NEVER)]


def _discounts(relative: Floats) -> list[Floats]:
    """Return how often, how deep and how long ago a product was reduced within half a year."""
    low, quarter, three_quarters, usual = quantiles(relative, (0.1, 0.25, 0.75, USUAL_QUANTILE))
    reduced = relative < usual[:, None] - DISCOUNT
    depth = np.where(reduced, relative - usual[:, None], 0).sum(1) / np.maximum(reduced.sum(1), 1)
    began, ended = reduced[:, 1:] & ~reduced[:, :-1], ~reduced[:, 1:] & reduced[:, :-1]
    return [
        *(low, quarter, three_quarters, usual),
        reduced.mean(1),
        reduced[:, -4:].mean(1),
        np.where(reduced.any(1), depth, np.nan),
        weeks_since(began, NEVER),
        weeks_since(ended, NEVER),
        began.sum(1),
    ]


def _promotions(relative: Floats, shares: Floats, end: int, ahead: int) -> Floats:
    """Return what is planned for a week, and what the product cost in weeks with such plans.

    `relative` (m, end) are log prices; `shares` (m, end + HORIZON + 1, kinds) are of the same weeks and later ones.
    """
    past, planned, last = shares[:, :end], shares[:, end + ahead], shares[:, end - 1]
    known = ~np.isnan(relative)
    prices = np.where(known, relative, 0)
    columns = []
    for kind in range(shares.shape[2]):
        columns += [planned[:, kind], shares[:, end + ahead - 1, kind], shares[:, end + ahead + 1, kind], last[:, kind]]
        columns += [past[:, max(end - 2, 0), kind], past[:, -13:, kind].mean(1)]
        slope = _slope(past[:, :, kind], prices, known)
        columns += [slope, slope * (planned[:, kind] - last[:, kind])]
        columns += [shares[:, end : end + ahead + 1, kind].max(1), planned[:, kind] - last[:, kind]]
    promoted = past >= PROMOTED
    for weeks in (*(promoted[:, :, kind] for kind in range(shares.shape[2])), ~promoted.any(2)):
        columns.append(_mean(prices, (weeks & known).astype(np.float32), np.float32(np.nan)))
    unlike = ((past - planned[:, None]) ** 2).sum(2)
    fading = np.exp(-np.arange(end)[::-1] / FADING_WEEKS).astype(np.float32)
    weights = np.where(known, np.exp(-unlike / KERNEL) * fading, np.float32(0))
    columns += [_mean(prices, weights, np.float32(0)), weights.sum(1)]
    return np.stack(columns, axis=1).astype(np.float32)


def _slope(shares: Floats, prices: Floats, known: np.ndarray) -> Floats:
    """Return the slope of log prices over shares, row by row, drawn to 0 where promotions were few."""
    counts = np.maximum(known.sum(1, keepdims=True), 1)
    x = np.where(known, shares - np.where(known, shares, 0).sum(1, keepdims=True) / counts, 0)
    y = np.where(known, prices - prices.sum(1, keepdims=True) / counts, 0)
    return np.asarray((x * y).sum(1) / ((x * x).sum(1) + SHRINKAGE), np.float32)


def _mean(values: Floats, weights: Floats, without: np.float32) -> Floats:
    """Return the weighted mean of each row, `without` where no weight is above 0."""
    total = weights.sum(1)
    return np.where(total > 0, (values * weights).sum(1) / np.maximum(total, np.float32(1e-9)), without)
