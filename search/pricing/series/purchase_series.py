"""Weekly series from a log of purchases: what was paid, for how many units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.errors import BadFeed
from indexer.types import Floats, Ids, Mask
from search.pricing.series.promotions_file import read_promotions
from search.pricing.series.weekly_prices import WEEK_S, PromotionCalendar, WeeklyPrices, week_of, week_start
from search.pricing.series.weighed_goods import sold_by_weight
from search.recommend.events.interactions import History
from search.recommend.events.product_table import ProductTable
from search.recommend.events.purchase_log import read_events, read_products

LIST_PRICE_WEEKS = 8  # a product's price in a log is the median of what it cost undiscounted in its first weeks
DAY_S = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseSeries:
    """The series of every product of a log (n, w), and what else is known of the products.

    `purchases` (n,) are the rows of the log, `weeks_sold` (n,) the weeks with one, `by_weight` (n,) says which products
    have no price of a unit, because what is sold is weighed.
    """

    weekly: WeeklyPrices
    purchases: Ids
    weeks_sold: Ids
    by_weight: Mask

    def most_bought(self, count: int, min_weeks: int) -> WeeklyPrices:
        """Return the `count` most bought products that were sold in `min_weeks` weeks or more, and not by weight."""
        usable = np.flatnonzero((self.weeks_sold >= min_weeks) & ~self.by_weight)
        order = np.argsort(-self.purchases[usable], kind="stable")[:count]
        return self.weekly.rows(usable[order])


def read_purchase_series(events: Path, products: Path, promotions: Path | None = None) -> PurchaseSeries:
    """Read the series from a log's files, as `read_events`, `read_products` and `read_promotions` have them.

    Raises BadFeed, which names the line, and where the log spans no whole week.
    """
    table = read_products(products)
    bought = read_events(events, table).columns.of_kind()
    series = purchase_series(bought, table)
    if series is None:
        raise BadFeed(f"{events} spans no whole week of purchases with a price.", "Give a log of some months.")
    if promotions is None:
        return series
    weekly = series.weekly
    calendar = read_promotions(promotions, weekly.product_ids, range(weekly.first, weekly.first + weekly.weeks))
    return with_calendar(series, calendar)


def with_calendar(series: PurchaseSeries, calendar: PromotionCalendar) -> PurchaseSeries:
    """Return the series with a calendar of promotions."""
    return replace(series, weekly=replace(series.weekly, calendar=calendar))


def purchase_series(bought: History, table: ProductTable) -> PurchaseSeries | None:
    """Compute the series from purchases, whose products are positions in `table`; None without a whole week.

    The price of a week is the median of the prices paid in it, each purchase counting once: a few paid less with a
    coupon, or elsewhere. Weeks of which the log has not all days are left out. Units are NaN before the first sale.
    """
    bought = bought.where(np.isfinite(bought.prices) & (bought.prices > 0))
    if not len(bought):
        return None
    start, end = _whole_weeks(int(bought.times.min()), int(bought.times.max()))
    if start >= end:
        return None
    bought = bought.where((bought.times >= week_start(start)) & (bought.times < week_start(end)))
    shape = len(table), end - start
    weeks = week_of(bought.times) - start
    cells = bought.products.astype(np.int64) * shape[1] + weeks
    prices = _medians(cells, bought.prices, shape)
    units = np.bincount(cells, bought.quantities, shape[0] * shape[1]).reshape(shape).astype(np.float32)
    sold = ~np.isnan(prices)
    first_sale = np.where(sold.any(axis=1), sold.argmax(axis=1), shape[1])
    ages = np.arange(shape[1]) - first_sale[:, None]
    units[ages < 0] = np.nan
    list_prices = np.where(ages >= LIST_PRICE_WEEKS, table.prices[:, None], np.float32(np.nan))
    weekly = WeeklyPrices(
        start,
        table.ids,
        [table.category_paths[code] if code >= 0 else "" for code in table.categories[:, -1].tolist()],
        [""] * len(table),
        prices,
        list_prices,
        units,
    )
    purchases = np.bincount(bought.products, minlength=len(table))
    return PurchaseSeries(weekly, purchases, sold.sum(axis=1), sold_by_weight(cells, bought.prices, shape))


def _whole_weeks(first: int, last: int) -> tuple[int, int]:
    """Return the first week, and the one after the last, of which a log has every day."""
    start, end = week_of(first), week_of(last)
    if first - week_start(start) >= DAY_S:
        start += 1
    if week_start(end) + WEEK_S - last <= DAY_S:
        end += 1
    return start, end


def _medians(cells: Ids, prices: Floats, shape: tuple[int, int]) -> Floats:
    """Return the lower median of the prices of each cell, NaN where there is none; every one of them was paid."""
    order = np.lexsort((prices, cells))
    found, starts, counts = np.unique(cells[order], return_index=True, return_counts=True)
    medians = np.full(shape, np.nan, np.float32)
    medians.ravel()[found] = prices[order][starts + (counts - 1) // 2]
    return medians
