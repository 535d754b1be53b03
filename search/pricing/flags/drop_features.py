"""What a product's past prices say of whether its price will fall soon, as numbers for a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats, Ids
from search.pricing.flags.outcomes import AHEAD, fell
from search.pricing.flags.rules import LOWER, at_most, known_median, known_prices
from search.pricing.series.past_weeks import filled_forward, weeks_since
from search.pricing.series.weekly_prices import WeeklyPrices

YEAR = 52  # weeks; what is older counts for nothing
WINDOWS = (4, 13, 26)
LAGS = tuple(range(1, 9))
NEVER = 60.0  # weeks since something that did not happen
_FALL = np.float32(np.log(LOWER) + 1e-5)  # of the logarithm of a price
# Weeks of the whole shop, of a department, and of a category that a smaller group's share is moved towards its
# larger group's by.
_PRIOR = 20.0
_OWN_PRIOR = 4.0
Numbers = NDArray[Any]


class DropFeatures:
    """Features of every product at any moment of a series; `at(end)` reads nothing from the column `end` on."""

    def __init__(self, weekly: WeeklyPrices, *, calendar: bool) -> None:
        prices = known_prices(weekly.prices)
        self.outcomes = fell(prices)  # (n, w)
        self._known = ~np.isnan(prices)
        self._log = np.log(filled_forward(prices))
        self._list = np.log(known_prices(weekly.list_prices))
        self._first = weekly.first
        self._calendar = weekly.calendar if calendar else None
        self._departments, self._categories, self._department_of = _groups(weekly)

    def at(self, end: int) -> Floats:
        """Return the features as of the column before `end`, float32 (n, features); NaN where one is not known."""
        start = max(end - YEAR, 0)
        log = self._log[:, start:end]
        changes = np.diff(log, axis=1)
        columns = [
            *_positions(log),
            *(log[:, -1] - log[:, -1 - lag] if lag < log.shape[1] else np.full(len(log), np.nan) for lag in LAGS),
            *_moves(changes),
            *self._shares_that_fell(end, changes),
            *self._level(log, end),
        ]
        if self._calendar is not None:
            week = self._first + end - 1  # that of the moment, and the weeks after it
            shares = self._calendar.between(week, week + 1 + AHEAD)
            columns += [*shares.reshape(len(shares), -1).T, *shares[:, 1:].max(axis=1).T]
        return np.stack(columns, axis=1).astype(np.float32)

    def _shares_that_fell(self, end: int, changes: Floats) -> list[Floats]:
        """Return how often prices fell before: those of the product, its category and its department, now and then."""
        over = max(end - AHEAD, 0)  # outcomes of the columns before it are known
        past = self.outcomes[:, max(end - YEAR, 0) : over]
        department, category = self._group_shares(np.nansum(past, axis=1), (~np.isnan(past)).sum(axis=1))
        falls, known = np.nansum(past, axis=1), (~np.isnan(past)).sum(axis=1)
        found = [department, category, (falls + _OWN_PRIOR * category) / (known + _OWN_PRIOR)]
        for weeks in (1, AHEAD):
            newest = changes[:, -weeks:]
            found += self._group_shares((newest <= _FALL).sum(axis=1), (~np.isnan(newest)).sum(axis=1))
        return [*found, self._a_year_before(end)]

    def _a_year_before(self, end: int) -> Floats:
        """Return which share of the category fell in these weeks a year ago: the season, where a year is known."""
        column = end - 1 - YEAR
        if column < 0:
            return np.full(len(self._log), np.nan, np.float32)
        then = self.outcomes[:, column]
        return self._group_shares(np.nan_to_num(then), ~np.isnan(then))[1]

    def _group_shares(self, falls: Numbers, known: Numbers) -> list[Floats]:
        """Return of each product the share of falls in its department and in its category, (n,) each."""
        everywhere = float(falls.sum() / max(float(known.sum()), 1.0))
        departments = _shrunk(self._departments, falls, known, np.full(1, everywhere))
        categories = _shrunk(self._categories, falls, known, departments[self._department_of])
        return [departments[self._departments].astype(np.float32), categories[self._categories].astype(np.float32)]

    def _level(self, log: Floats, end: int) -> list[Floats]:
        """Return the price, what it is of the list price, its last digit, and how many weeks ago it was known."""
        now = log[:, -1]
        pennies = np.round(np.exp(np.nan_to_num(now)) * 100) % 10
        listed = np.fmin(now - self._list[:, end - 1], np.float32(0))
        known = self._known[:, max(end - YEAR, 0) : end]
        return [
            now,
            listed,
            (pennies == 9).astype(np.float32),
            (pennies == 0).astype(np.float32),
            weeks_since(known, NEVER),
        ]


def _positions(log: Floats) -> list[Floats]:
    """Return where the price lies among those of the last weeks, and in how many of them it was LOWER."""
    now, found = log[:, -1], []
    for weeks in WINDOWS:
        window = log[:, -weeks:]
        high, low = np.fmax.reduce(window, axis=1), np.fmin.reduce(window, axis=1)
        span = high - low
        place = np.where(span > 1e-5, (now - low) / np.maximum(span, 1e-5), 0.5)
        found += [now - high, now - low, now - known_median(window), place, span]
    lower = at_most(np.exp(log), np.exp(now)[:, None] * np.float32(LOWER))
    return [*found, lower[:, -13:].mean(axis=1), lower.mean(axis=1)]


def _moves(changes: Floats) -> list[Floats]:
    """Return when prices last fell and rose, how often and how deeply they fell, and how much they move."""
    falls, rises = changes <= _FALL, changes >= -_FALL
    depth = np.where(falls, -changes, 0).sum(axis=1) / np.maximum(falls.sum(axis=1), 1)
    moves = np.nan_to_num(changes)
    return [
        weeks_since(falls, NEVER),
        weeks_since(rises, NEVER),
        *(_mean(falls[:, -weeks:]) for weeks in (13, 26, YEAR)),
        depth,
        *(np.sqrt(_mean(moves[:, -weeks:] ** 2)) for weeks in (13, 26)),
        _mean(np.abs(moves)),
    ]


def _mean(values: Numbers) -> Floats:
    return np.asarray(values.sum(axis=1) / max(values.shape[1], 1), np.float32)


def _shrunk(groups: Ids, falls: Numbers, known: Numbers, larger: Numbers) -> Numbers:
    """Return the share of falls in each group, moved towards that of the larger group, float64 (groups,)."""
    count = int(groups.max(initial=-1)) + 1
    return np.asarray(
        (np.bincount(groups, falls, count) + _PRIOR * larger) / (np.bincount(groups, known, count) + _PRIOR)
    )


def _groups(weekly: WeeklyPrices) -> tuple[Ids, Ids, Ids]:
    """Number departments, the first two levels of a category, and categories; and the department of each category."""
    paths, categories = np.unique(np.asarray(weekly.categories, dtype=str), return_inverse=True)
    tops = [" > ".join(path.split(" > ")[:2]) for path in paths.tolist()]
    department_of = np.unique(np.asarray(tops, dtype=str), return_inverse=True)[1]
    return department_of[categories], categories, department_of
