"""A visitor's history summed up over products, categories and brands: what features and candidates are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from indexer.types import Floats, Mask
from search.recommend.events.event_log import CART, CLICK, PURCHASE, VIEW
from search.recommend.events.interactions import KIND_CODES, Codes, History
from search.recommend.models.base import DAY_S
from search.recommend.models.co_occurrence import ORDER_GAP_S, baskets_of
from search.recommend.ranking.product_statistics import MAX_DAYS, ProductStatistics

SHORT_DAYS, MIDDLE_DAYS, LONG_DAYS = 28.0, 91.0, 364.0  # half-lives of purchases
LOOK_DAYS = 7.0  # half-life of a look
LOOK_SHARE = 0.1  # of a look in the interest in a product or category, beside a purchase's 1
MAX_EVENTS = 4_000  # newest events of a visitor that count

Columns = Mapping[str, Floats]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Columns (g,) of the codes that occur in a history, in their order; `since` is NaN without a purchase."""

    codes: Places
    columns: Columns

    def of(self, codes: NDArray[np.integer]) -> Columns:
        """Return the columns for codes (m,): 0, for spans of time and prices NaN, where a code does not occur."""
        if not len(self.codes):
            return {name: np.full(len(codes), _empty(name), np.float32) for name in self.columns}
        place = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        known = self.codes[place] == codes
        return {name: np.where(known, column[place], _empty(name)) for name, column in self.columns.items()}


@dataclass(frozen=True, slots=True, eq=False)
class VisitorProfile:
    """What a visitor did before `now`, by product, deepest category (`types`), second level (`parents`) and brand.

    Columns of `own`: `count` days with a purchase; `short`, `middle`, `long` decayed numbers of purchases; `since` days
    since the last one; `gap` mean days between two, NaN with fewer; `quantity` units a purchase; `looks`, `carts`
    decayed numbers; `last_basket` 1 for what the last one had. `visitor` has figures of the visitor alone.
    """

    now: int
    own: Group
    types: Group
    parents: Group
    brands: Group
    visitor: Mapping[str, float]

    @classmethod
    def of(cls, history: History, statistics: ProductStatistics, now: int) -> Self:
        """Sum up the events of a history before `now`."""
        history = history.where(history.times < now).newest(MAX_EVENTS)
        products, place = np.unique(history.products, return_inverse=True)
        own = _own_columns(history, place.astype(np.int64), len(products), now)
        group = Group(products.astype(np.int64), own)
        types, parents, brands = (
            _grouped(codes[products], own, statistics.prices[products])
            for codes in (statistics.types, statistics.parents, statistics.brands)
        )
        return cls(now, group, types, parents, brands, _of_visitor(history.of_kind(), own["count"], now))

    @property
    def interest(self) -> Floats:
        """The interest in each product of `own`, by which candidates are chosen."""
        return interest_of(self.own.columns)


def interest_of(columns: Columns) -> Floats:
    """Return the interest in the products or codes of columns: purchases, and a part of looks."""
    return np.asarray(columns["middle"] + np.float32(LOOK_SHARE) * columns["looks"], np.float32)


def _own_columns(history: History, place: Places, size: int, now: int) -> dict[str, Floats]:
    ages = ((now - history.times) / DAY_S).astype(np.float32)
    bought = history.kinds == KIND_CODES[PURCHASE]

    def total(mask: Mask, weights: Floats) -> Floats:
        return np.bincount(place[mask], weights[mask], minlength=size).astype(np.float32)

    days = np.unique(place[bought] * MAX_DAYS + history.times[bought] // DAY_S % MAX_DAYS)
    count = np.bincount(days // MAX_DAYS, minlength=size).astype(np.float32)
    since, first = np.full(size, np.inf, np.float32), np.zeros(size, np.float32)
    np.minimum.at(since, place[bought], ages[bought])
    np.maximum.at(first, place[bought], ages[bought])
    orders = baskets_of(history.where(bought), ORDER_GAP_S)
    in_last = np.zeros(size, np.float32)
    in_last[place[bought][orders == orders.max(initial=-1)]] = 1.0
    looked = (history.kinds == KIND_CODES[VIEW]) | (history.kinds == KIND_CODES[CLICK])
    recent = 0.5 ** (ages / np.float32(LOOK_DAYS))
    purchases = np.maximum(total(bought, np.ones_like(ages)), 1)
    spans = {"short": SHORT_DAYS, "middle": MIDDLE_DAYS, "long": LONG_DAYS}
    return {
        "count": count,
        **{name: total(bought, 0.5 ** (ages / np.float32(days))) for name, days in spans.items()},
        "since": np.where(np.isinf(since), np.nan, since).astype(np.float32),
        "gap": np.where(count > 1, (first - since) / np.maximum(count - 1, 1), np.nan).astype(np.float32),
        "quantity": (total(bought, history.quantities) / purchases).astype(np.float32),
        "looks": total(looked, recent),
        "carts": total(history.kinds == KIND_CODES[CART], recent),
        "last_basket": in_last,
    }


def _grouped(codes: Codes, own: Columns, prices: Floats) -> Group:
    """Sum the columns of products up by their codes; `price` is the mean price of what was bought."""
    found, place = np.unique(codes, return_inverse=True)
    since = np.full(len(found), np.inf, np.float32)
    np.minimum.at(since, place, np.where(np.isnan(own["since"]), np.inf, own["since"]))
    priced = np.where(np.isnan(prices), 0.0, own["middle"])
    weights = np.bincount(place, priced)
    sums = np.bincount(place, priced * np.nan_to_num(prices))
    columns = {name: np.bincount(place, own[name]).astype(np.float32) for name in ("short", "middle", "looks")}
    columns["since"] = np.where(np.isinf(since), np.nan, since).astype(np.float32)
    columns["products"] = np.bincount(place, own["count"] > 0).astype(np.float32)
    columns["price"] = np.divide(sums, weights, out=np.full(len(found), np.nan), where=weights > 0).astype(np.float32)
    return Group(found.astype(np.int64), columns)


def _of_visitor(bought: History, count: Floats, now: int) -> dict[str, float]:
    """Return baskets, those of late, days since the last, distinct products, the share of repeats, the mean price."""
    orders = baskets_of(bought, ORDER_GAP_S)
    times = bought.times[np.flatnonzero(np.diff(orders, append=-1))]  # the end of each order
    prices = bought.prices[~np.isnan(bought.prices)]
    distinct = float((count > 0).sum())
    return {
        "baskets": float(len(times)),
        "recent_baskets": float((0.5 ** ((now - times) / DAY_S / SHORT_DAYS)).sum()),
        "idle_days": float((now - times[-1]) / DAY_S) if len(times) else np.nan,
        "distinct_products": distinct,
        "repeat_share": 1 - distinct / float(count.sum()) if distinct else np.nan,
        "mean_price": float(prices.mean()) if len(prices) else np.nan,
    }


def _empty(name: str) -> np.float32:
    return np.float32(np.nan if name in ("since", "gap", "price") else 0.0)
