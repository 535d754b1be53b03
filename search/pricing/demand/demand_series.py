"""The series that a shop's demand is fitted on: its history of prices, and before that what customers paid."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.home import ShopHome
from catalog.price_history.readings import has_price
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import open_catalogue
from indexer.types import Floats, Ids
from search.pricing.demand.regression.demand_weeks import between_first_and_last, lower_medians
from search.pricing.series.purchase_series import PurchaseSeries, purchase_series
from search.pricing.series.shop_series import MAX_WEEKS, shop_series
from search.pricing.series.weekly_prices import WeeklyPrices, week_of, week_start
from search.recommend.events.event_columns import read_interactions
from search.recommend.events.event_log import EventLog
from search.recommend.events.product_table import ProductTable

SeriesReader = Callable[[Path], WeeklyPrices]
_NEVER, _ALWAYS = np.iinfo(np.int64).max, np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class PriceRecord:
    """What a shop's history of prices says of n products: the week in which it begins (`begun`), and the first week in
    which nothing but today's currency was charged (`current`).
    """

    begun: Ids
    current: Ids

    @classmethod
    def none(cls, count: int) -> PriceRecord:
        """Return that of a shop without a history."""
        return cls(np.full(count, _NEVER, np.int64), np.full(count, _ALWAYS, np.int64))

    @classmethod
    def of(cls, catalogue: Catalogue, weekly: WeeklyPrices, now: int) -> PriceRecord:
        """Read the history of the series' products."""
        places = {product_id: place for place, product_id in enumerate(weekly.product_ids)}
        found = cls.none(len(places))
        for product_id, changes in catalogue.price_history.of_all():
            place = places.get(product_id)
            if place is None or not changes:
                continue
            found.begun[place] = week_of(changes[0].at)
            end = now
            for change in reversed(changes):
                if has_price(change) and change.currency != weekly.currencies[place]:
                    found.current[place] = week_of(min(end, now) - 1) + 1
                    break
                end = change.at
        return found


def demand_series(home: Path, read_series: SeriesReader = shop_series, now: int | None = None) -> WeeklyPrices:
    """Return a shop's series, as `read_series` reads it, without the week of `now`, which is not over.

    Where the history of prices has none, as before Windowshop recorded it, the price is the median of what customers
    paid in the week, as `with_paid_prices` says. Raises NoGeneration, StoreError, and BadFeed where the calendar of
    promotions cannot be read.
    """
    now = int(time.time()) if now is None else now
    found = read_series(home)
    weekly = columns(found, found.first, min(found.first + found.weeks, week_of(now)))
    if not ShopHome(home).events.is_file():
        return weekly
    with closing(open_catalogue(home)) as catalogue:
        table = ProductTable.of(product for _, product in catalogue.iterate())
        record = PriceRecord.of(catalogue, weekly, now)
    end = week_start(week_of(now))
    with closing(EventLog.open(home)) as log:
        bought = read_interactions(log, table, end - MAX_WEEKS * (week_start(1) - week_start(0)), end).columns.of_kind()
    paid = purchase_series(bought, table)
    return weekly if paid is None else with_paid_prices(weekly, paid, record)


def with_paid_prices(weekly: WeeklyPrices, paid: PurchaseSeries, record: PriceRecord) -> WeeklyPrices:
    """Return the series from the first week of either on, with the prices paid where it has none.

    Goods sold by weight get none of them: what was paid for a piece is no price of a unit. Nor do weeks in which
    another currency was charged: a log of purchases does not name it. A week without a sale before the history of
    prices begins has the usual price paid; one since then has none, because the product was not on offer.
    """
    log = paid.weekly
    first, end = min(weekly.first, log.first), weekly.first + weekly.weeks
    own, bought = columns(weekly, first, end), columns(log, first, end)
    places = {product_id: place for place, product_id in enumerate(log.product_ids)}
    rows = np.array([places.get(product_id, -1) for product_id in weekly.product_ids], np.int64)
    weeks = np.arange(first, end)
    unknown = (rows < 0)[:, None] | paid.by_weight[rows][:, None] | (weeks < record.current[:, None])
    prices = np.where(unknown, np.float32(np.nan), bought.prices[rows])
    units = np.where((rows < 0)[:, None], np.float32(np.nan), bought.units[rows])
    # Where the shop has a price its own units count: those of a week with little of an offer are not known.
    units = np.where(np.isnan(own.units) & np.isnan(own.prices), units, own.units)
    before = weeks < record.begun[:, None]
    usual = lower_medians(np.where(before, prices, np.nan)).astype(np.float32)
    prices = np.where(np.isnan(own.prices), prices, own.prices)
    unsold = before & (units == 0) & np.isnan(prices) & between_first_and_last(~np.isnan(prices))
    return replace(own, prices=np.where(unsold, usual[:, None], prices), units=units)


def columns(weekly: WeeklyPrices, first: int, end: int) -> WeeklyPrices:
    """Return the weeks from `first` to before `end`; NaN in those that the series has not."""
    return replace(
        weekly,
        first=first,
        prices=_columns(weekly.prices, weekly.first, first, end),
        list_prices=_columns(weekly.list_prices, weekly.first, first, end),
        units=_columns(weekly.units, weekly.first, first, end),
        lows=None if weekly.lows is None else _columns(weekly.lows, weekly.first, first, end),
        last_runs=weekly.last_runs and end == weekly.first + weekly.weeks,
    )


def _columns(values: Floats, begun: int, first: int, end: int) -> Floats:
    found = np.full((len(values), max(end - first, 0)), np.nan, np.float32)
    low, high = max(first, begun), min(end, begun + values.shape[1])
    if low < high:
        found[:, low - first : high - first] = values[:, low - begun : high - begun]
    return found
