"""Statistics of who bought and viewed what: products of the same sessions, repeated purchases, rising demand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.recommend.events.event_log import DAY_S

MAX_NEIGHBOURS = 50  # neighbours stored for a product
MIN_SESSIONS_TOGETHER = 2  # sessions with both products of a pair
MIN_VISITORS_TOGETHER = 2  # visitors of them: what one visitor combines is shown to nobody else
BASKET_WINDOW = 20  # maximal distance, in purchases of a session, of two products bought together
REPEAT_PRIOR = 5.0  # buyers of a product's category, or of the shop, that weigh as much as its own
TREND_DAYS = 7  # length of the present and of the previous period of a trend
LEAST_VISITORS = 5  # fewer make nothing popular or trending, and everybody may see how many they are

Codes = NDArray[np.int64]
Strengths = Mapping[str, Mapping[str, float]]


class Trend(NamedTuple):
    """How many visitors a product had in the newest `days` days, and in as many days before."""

    visitors: int
    before: int
    days: int

    @property
    def facts(self) -> dict[str, int]:
        """The numbers that anybody may see: what fewer than LEAST_VISITORS make up is left out, 0 is not."""
        return {name: n for name, n in self._asdict().items() if name == "days" or n == 0 or n >= LEAST_VISITORS}


@dataclass(frozen=True, slots=True)
class PurchaseStatistics:
    """What the events of a shop, its purchases above all, say of its products.

    `together`: for a product, those bought at most BASKET_WINDOW purchases away in the same sessions, with the cosine
    of their sessions; `repeat_rates`: the probability that a buyer of a product buys it on another day too, of
    `category_repeat_rates` that of any product of a category; `trends`: products with more visitors than before, by
    events of any kind, the strongest rise first.
    """

    together: Strengths = field(default_factory=dict)
    repeat_rates: Mapping[str, float] = field(default_factory=dict)
    category_repeat_rates: Mapping[str, float] = field(default_factory=dict)
    trends: Mapping[str, Trend] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class EventColumns:
    """Events as columns (m,): positions in `ids`, of visitors, sessions and in `categories`, and unix seconds."""

    ids: Sequence[str]
    categories: Sequence[str]
    items: Codes
    visitors: Codes
    sessions: Codes
    of_category: Codes
    at: NDArray[np.float64]

    def where(self, mask: NDArray[np.bool_]) -> EventColumns:
        """Return the events of a mask (m,)."""
        return EventColumns(
            self.ids,
            self.categories,
            self.items[mask],
            self.visitors[mask],
            self.sessions[mask],
            self.of_category[mask],
            self.at[mask],
        )


def purchase_statistics(events: EventColumns, purchases: NDArray[np.bool_], now: float) -> PurchaseStatistics:
    """Compute the statistics of events, of which the mask (m,) has the purchases."""
    bought = events.where(purchases)
    products, categories = _repeat_rates(bought)
    together = co_occurrences(bought, BASKET_WINDOW)
    return PurchaseStatistics(together, products, categories, _trends(events, now))


def co_occurrences(events: EventColumns, window: int) -> dict[str, dict[str, float]]:
    """Return for each product those at most `window` events away in the same sessions, by the cosine of their sessions.

    A pair of one visitor alone is left out: nobody else may see what one visitor combines.
    This is item-to-item collaborative filtering (Linden, Smith and York 2003).
    """
    ids, items, sessions, size = events.ids, events.items, events.sessions, len(events.ids)
    visitor_of = np.zeros(sessions.max(initial=0) + 1, np.int64)
    visitor_of[sessions] = events.visitors
    shows = np.unique(sessions * size + items)
    alone = np.bincount(shows % size, minlength=size)
    pairs = [np.empty((0, 3), np.int64)]
    for distance in range(1, min(window, len(items) - 1) + 1):
        a, b = items[:-distance], items[distance:]
        near = (sessions[:-distance] == sessions[distance:]) & (a != b)
        if not near.any():
            continue
        pairs.append(np.stack([sessions[:-distance], np.minimum(a, b), np.maximum(a, b)], axis=1)[near])
    distinct = np.unique(np.concatenate(pairs), axis=0)
    pair = distinct[:, 1] * size + distinct[:, 2]
    both, count = np.unique(pair, return_counts=True)
    visits = np.unique(np.stack([pair, visitor_of[distinct[:, 0]]], axis=1), axis=0)
    visitors = np.unique(visits[:, 0], return_counts=True)[1]
    frequent = (count >= MIN_SESSIONS_TOGETHER) & (visitors >= MIN_VISITORS_TOGETHER)
    both, count = both[frequent], count[frequent]
    low, high = both // size, both % size
    strength = count / np.sqrt(alone[low] * alone[high])
    a, b, strength = np.concatenate([low, high]), np.concatenate([high, low]), np.tile(strength, 2)
    together: dict[str, dict[str, float]] = defaultdict(dict)
    for place in np.lexsort((b, -strength, a)).tolist():
        neighbours = together[ids[a[place]]]
        if len(neighbours) < MAX_NEIGHBOURS:
            neighbours[ids[b[place]]] = float(strength[place])
    return together


def _repeat_rates(bought: EventColumns) -> tuple[dict[str, float], dict[str, float]]:
    """Return the rates of products and categories: the share of buyers with two days of purchase or more.

    The rate of a category is smoothed to that of the shop, the rate of a product to that of its category.
    """
    if not len(bought.items):
        return {}, {}
    size, count = len(bought.ids), len(bought.categories)
    days = np.unique(np.stack([bought.visitors * size + bought.items, bought.at // DAY_S], axis=1), axis=0)
    pairs, purchases = np.unique(days[:, 0].astype(np.int64), return_counts=True)
    items = pairs % size
    category = np.zeros(size, np.int64)
    category[bought.items] = bought.of_category
    again = (purchases > 1).astype(np.float64)
    shop = again.mean()
    buyers = np.bincount(category[items], minlength=count)
    of_category = (np.bincount(category[items], again, count) + REPEAT_PRIOR * shop) / (buyers + REPEAT_PRIOR)
    own = np.bincount(items, minlength=size)
    rates = (np.bincount(items, again, size) + REPEAT_PRIOR * of_category[category]) / (own + REPEAT_PRIOR)
    products = {bought.ids[item]: float(rates[item]) for item in np.flatnonzero(own).tolist()}
    return products, {bought.categories[code]: float(of_category[code]) for code in np.flatnonzero(buyers).tolist()}


def _trends(events: EventColumns, now: float) -> dict[str, Trend]:
    """Return the products with more visitors in the newest days than in as many days before, by significance.

    Both periods are as long as the events reach back, at most TREND_DAYS: else all of a young log would be a rise.
    """
    days = int(min(TREND_DAYS, (now - events.at.min(initial=now)) / DAY_S / 2))
    if not days:
        return {}
    size = len(events.ids)
    age = (now - events.at) / DAY_S
    counts = []
    for period in (age < days, (age >= days) & (age < 2 * days)):
        pairs = np.unique(events.visitors[period] * size + events.items[period])
        counts.append(np.bincount(pairs % size, minlength=size))
    visitors, before = counts
    rises = np.flatnonzero((visitors >= LEAST_VISITORS) & (visitors > before))
    strength = (visitors - before)[rises] / np.sqrt((visitors + before)[rises])
    order = rises[np.lexsort((np.array(events.ids)[rises], -strength))]
    return {events.ids[item]: Trend(int(visitors[item]), int(before[item]), days) for item in order.tolist()}
