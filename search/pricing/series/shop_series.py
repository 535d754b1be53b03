"""Weekly series of a shop: from the price history of its catalogue, its purchases, and its calendar of promotions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from catalog.home import ShopHome
from catalog.price_history.price_change import PriceChange
from catalog.price_history.readings import is_offer
from catalog.product import Product
from catalog.storage.opening import open_catalogue
from indexer.types import Floats, Ids, Mask
from search.pricing.series.promotions_file import read_promotions
from search.pricing.series.weekly_prices import WEEK_S, WeeklyPrices, week_of, week_start
from search.recommend.events.event_columns import read_interactions
from search.recommend.events.event_log import EventLog
from search.recommend.events.product_table import ProductTable

MAX_WEEKS = 156  # three years: older prices say little
PAGE_SPANS = 100_000  # spans of prices that are laid over the weeks at once
OFFERED_S = 6 * 86_400  # of a week in which a product was for sale: in less, few sales are no low demand
NO_PRICE = np.float32(np.nan)


def shop_series(home: Path, now: int | None = None) -> WeeklyPrices:
    """Read the series of the products that a shop has, up to and with the week of `now`.

    The price of a week is the one at which the product was offered longest; that of this week is the one at which it
    is offered now. What stands before a change of currency is left out. Units are what visitors bought. They are NaN
    before the first sale, in weeks with less than OFFERED_S of an offer, and in the week of `now`, which is not over.
    Raises NoGeneration, StoreError, and BadFeed where the calendar cannot be read.
    """
    now = int(time.time()) if now is None else now
    last = week_of(now)
    first = last - MAX_WEEKS + 1
    shop = ShopHome(home)
    with closing(open_catalogue(home)) as catalogue:
        currencies: list[str] = []
        table = ProductTable.of(_with_currencies((product for _, product in catalogue.iterate()), currencies))
        prices = np.full((len(table), MAX_WEEKS), NO_PRICE, np.float32)
        list_prices, lows = prices.copy(), prices.copy()
        for_sale = np.zeros(prices.shape, bool)
        for page in _pages(catalogue.price_history.of_all(week_start(first)), table, currencies, now):
            _lay(page, first, prices, list_prices, lows)
            _mark_for_sale(page, first, for_sale)
    known = ~np.isnan(prices).all(axis=0)
    begin = int(known.argmax()) if known.any() else MAX_WEEKS - 1
    paths = table.category_paths
    weekly = WeeklyPrices(
        first + begin,
        list(table.ids),
        [paths[code] if code >= 0 else "" for code in table.categories[:, -1].tolist()],
        currencies,
        np.ascontiguousarray(prices[:, begin:]),
        np.ascontiguousarray(list_prices[:, begin:]),
        _units(home, table, first + begin, now, for_sale[:, begin:]),
        lows=np.ascontiguousarray(lows[:, begin:]),
        last_runs=True,
    )
    if shop.promotions.is_file():
        return replace(
            weekly, calendar=read_promotions(shop.promotions, weekly.product_ids, range(weekly.first, last + 1))
        )
    return weekly


@dataclass(slots=True)
class _Spans:
    """Times, from `begins` to before `ends` in unix seconds, in which products were offered at a price."""

    places: list[int] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    list_prices: list[float] = field(default_factory=list)

    def add(self, place: int, changes: tuple[PriceChange, ...], currency: str, now: int) -> None:
        """Add the spans of a product in the currency that it has now; a price that is in force now reaches beyond.

        A change after `now`, which a clock that was ahead has recorded, counts as one of now: the last one is in force.
        """
        end = week_start(week_of(now) + 1)
        for change in reversed(changes):
            if change.currency != currency and is_offer(change):
                break
            at = min(change.at, now)
            if is_offer(change) and change.price is not None and at < end:
                self.places.append(place)
                self.begins.append(at)
                self.ends.append(end)
                self.prices.append(float(change.price))
                self.list_prices.append(float("nan") if change.list_price is None else float(change.list_price))
            end = at


def _with_currencies(products: Iterable[Product], currencies: list[str]) -> Iterator[Product]:
    for product in products:
        currencies.append(product.currency)
        yield product


def _pages(
    histories: Iterable[tuple[str, tuple[PriceChange, ...]]], table: ProductTable, currencies: list[str], now: int
) -> Iterator[_Spans]:
    """Yield the spans of products that the shop has, some products at a time."""
    spans = _Spans()
    for product_id, changes in histories:
        if (place := table.code_of.get(product_id)) is not None:
            spans.add(place, changes, currencies[place], now)
        if len(spans.places) >= PAGE_SPANS:
            yield spans
            spans = _Spans()
    yield spans


def _lay(spans: _Spans, first: int, prices: Floats, list_prices: Floats, lows: Floats) -> None:
    """Write the price of each week that was in force longest, and the lowest one, from the week `first` on."""
    rows, week, seconds = _parts(spans, first)
    if not len(rows):
        return
    # The price of now, whose span ends with this week, stands for this week, however short it has been in force.
    ends = np.array(spans.ends, np.int64)[rows]
    of_now = (week - first == prices.shape[1] - 1) & (ends == week_start(0) + (week + 1) * WEEK_S)
    seconds = np.where(of_now, WEEK_S + 1, seconds)
    places = np.array(spans.places, np.int64)[rows]
    paid = np.array(spans.prices, np.float32)[rows]
    cells = places * prices.shape[1] + week - first
    chosen = _longest(cells, paid, seconds)
    prices.ravel()[cells[chosen]] = paid[chosen]
    list_prices.ravel()[cells[chosen]] = np.array(spans.list_prices, np.float32)[rows][chosen]
    np.fmin.at(lows.ravel(), cells, paid)


def _mark_for_sale(spans: _Spans, first: int, for_sale: Mask) -> None:
    """Set the weeks, from the week `first` on, in which a product was offered for OFFERED_S at whatever prices."""
    rows, week, seconds = _parts(spans, first)
    cells = np.array(spans.places, np.int64)[rows] * for_sale.shape[1] + week - first
    found, places = np.unique(cells, return_inverse=True)
    for_sale.ravel()[found] = np.bincount(places, seconds, len(found)) >= OFFERED_S


def _parts(spans: _Spans, first: int) -> tuple[Ids, Ids, Ids]:
    """Part spans by week, from the week `first` on: the span of each part, its week, and its seconds in it."""
    begins = np.maximum(np.array(spans.begins, np.int64), week_start(first))
    ends = np.array(spans.ends, np.int64)
    weeks = week_of(begins), week_of(ends - 1)
    counts = np.where(ends > begins, weeks[1] - weeks[0] + 1, 0)
    rows = np.repeat(np.arange(len(counts)), counts)
    week = weeks[0][rows] + np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    start = week_start(0) + week * WEEK_S
    return rows, week, np.minimum(ends[rows], start + WEEK_S) - np.maximum(begins[rows], start)


def _longest(cells: Ids, prices: Floats, seconds: Ids) -> Ids:
    """Return a row of each cell: one of the price that has the most seconds in it."""
    order = np.lexsort((prices, cells))
    new = np.append(True, (np.diff(cells[order]) != 0) | (np.diff(prices[order]) != 0))
    starts = np.flatnonzero(new)
    totals = np.add.reduceat(seconds[order], starts)
    groups = order[starts]
    best = np.lexsort((totals, cells[groups]))
    last = np.append(np.diff(cells[groups][best]) != 0, True)
    return np.asarray(groups[best][last], np.int64)


def _units(home: Path, table: ProductTable, first: int, now: int, for_sale: Mask) -> Floats:
    """Return the units sold (n, weeks) in weeks in which a product was `for_sale`, from its first sale on; else NaN.

    The last week is left out too. It is not over: part of its sales is no low demand, and each sale would change
    what a fit reads.
    """
    shape = for_sale.shape
    units = np.full(shape, np.nan, np.float32)
    if not ShopHome(home).events.is_file():
        return units
    with closing(EventLog.open(home)) as log:
        oldest = week_start(week_of(now) - MAX_WEEKS + 1)
        bought = read_interactions(log, table, oldest, now + 1).columns.of_kind()
    before = bought.times < week_start(first)
    sold_before = np.bincount(bought.products[before], minlength=len(table)) > 0
    bought = bought.where(~before)
    cells = bought.products.astype(np.int64) * shape[1] + week_of(bought.times) - first
    sold = np.bincount(cells, bought.quantities, shape[0] * shape[1]).reshape(shape).astype(np.float32)
    known = (np.maximum.accumulate(sold > 0, axis=1) | sold_before[:, None]) & for_sale
    known[:, -1] = False
    units[known] = sold[known]
    return units
