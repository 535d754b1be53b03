"""The series that a shop's demand is fitted on: its history of prices, and before that what customers paid."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.types import Floats
from search.pricing.series.purchase_series import PurchaseSeries, purchase_series
from search.pricing.series.shop_series import MAX_WEEKS, shop_series
from search.pricing.series.weekly_prices import WeeklyPrices, week_of, week_start
from search.recommend.events.event_columns import read_interactions
from search.recommend.events.event_log import EventLog
from search.recommend.events.product_table import ProductTable

SeriesReader = Callable[[Path], WeeklyPrices]


def demand_series(home: Path, read_series: SeriesReader = shop_series, now: int | None = None) -> WeeklyPrices:
    """Return a shop's series, as `read_series` reads it, without the week of `now`, which is not over.

    Where the history of prices has none, as before Windowshop recorded it, the price is the median of what customers
    paid in the week. Raises NoGeneration, StoreError, and BadFeed where the calendar of promotions cannot be read.
    """
    now = int(time.time()) if now is None else now
    found = read_series(home)
    weekly = columns(found, found.first, min(found.first + found.weeks, week_of(now)))
    if not ShopHome(home).events.is_file():
        return weekly
    with closing(Catalogue.open(ShopHome(home).require_catalogue())) as catalogue:
        table = ProductTable.of(product for _, product in catalogue.iterate())
    end = week_start(week_of(now))
    with closing(EventLog.open(home)) as log:
        bought = read_interactions(log, table, end - MAX_WEEKS * (week_start(1) - week_start(0)), end).columns.of_kind()
    paid = purchase_series(bought, table)
    return weekly if paid is None else with_paid_prices(weekly, paid)


def with_paid_prices(weekly: WeeklyPrices, paid: PurchaseSeries) -> WeeklyPrices:
    """Return the series from the first week of either on, with the prices paid where it has none.

    Goods sold by weight get none of them: what was paid for a piece is no price of a unit.
    """
    log = paid.weekly
    first, end = min(weekly.first, log.first), weekly.first + weekly.weeks
    own, bought = columns(weekly, first, end), columns(log, first, end)
    places = {product_id: place for place, product_id in enumerate(log.product_ids)}
    rows = np.array([places.get(product_id, -1) for product_id in weekly.product_ids], np.int64)
    prices = np.where((rows < 0) | paid.by_weight[rows], np.float32(np.nan), bought.prices[rows].T).T
    units = np.where(rows < 0, np.float32(np.nan), bought.units[rows].T).T
    return replace(
        own,
        prices=np.where(np.isnan(own.prices), prices, own.prices),
        # The shop's own units count from the first sale on that they know; the log may know an earlier one.
        units=np.where(np.isnan(own.units), units, own.units),
    )


def columns(weekly: WeeklyPrices, first: int, end: int) -> WeeklyPrices:
    """Return the weeks from `first` to before `end`; NaN in those that the series has not."""
    return replace(
        weekly,
        first=first,
        prices=_columns(weekly.prices, weekly.first, first, end),
        list_prices=_columns(weekly.list_prices, weekly.first, first, end),
        units=_columns(weekly.units, weekly.first, first, end),
    )


def _columns(values: Floats, begun: int, first: int, end: int) -> Floats:
    found = np.full((len(values), max(end - first, 0)), np.nan, np.float32)
    low, high = max(first, begun), min(end, begun + values.shape[1])
    if low < high:
        found[:, low - first : high - first] = values[:, low - begun : high - begun]
    return found
