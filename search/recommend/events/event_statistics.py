"""Statistics of the event log: popular products, products viewed together, categories bought together.

A background thread computes them from a bounded number of the newest events, and again when there are new ones.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from catalog.errors import WindowshopError
from catalog.product import Product
from indexer.numeric import batches
from search.recommend.events.event_log import CART, CLICK, DAY_S, DISMISS, PURCHASE, VIEW, EventLog, StoredEvent
from search.recommend.events.purchase_statistics import (
    LEAST_VISITORS,
    EventColumns,
    PurchaseStatistics,
    co_occurrences,
    purchase_statistics,
)

MAX_EVENTS_READ = 100_000  # newest events that are used
FIND_BATCH = 1_000  # products looked up at once
SESSION_SECONDS = 1_800  # a pause that ends a visitor's session, as is common in web analytics
HALF_LIFE_DAYS = 14.0  # time in which an event's weight halves
EVENT_WEIGHTS = {VIEW: 1.0, CLICK: 1.0, CART: 3.0, PURCHASE: 5.0}  # weights in popularity; our judgement
MAX_POPULAR = 20_000  # products
MAX_LEADING = 50  # products of each category
WINDOW = 5  # maximal distance, in events of a session, of two products viewed together
MIN_BASKETS_TOGETHER = 5  # baskets with both categories of a pair
SMOOTHING = 1.0  # baskets added to observed and expected counts
HALF_EVIDENCE_SESSIONS = 100  # sessions with which popularity has half of its full weight
MAX_BASKET = 50  # categories of one basket
REFRESH_SECONDS = 60.0
MIN_REST_FACTOR = 20.0  # pause after a refresh, in multiples of its duration: at most 5 % of a core

Codes = NDArray[np.int64]
Name = TypeVar("Name", str, bytes)


@dataclass(frozen=True, slots=True)
class BasketPairs:
    """How many baskets had a category, and how strongly other categories go with it, above 0 and up to 1."""

    baskets: int
    strengths: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class EventStatistics:
    """Statistics of the events at one time; all strengths are from 0 to 1.

    `popular`: products, most popular first; `leading`: the most popular of each category; `together`: for a product,
    those viewed near it; `pairs`: for a category, what was bought with it; `of_many`: products that LEAST_VISITORS or
    more did something with; `purchases`: what purchases say of products.
    """

    popular: Mapping[str, float] = field(default_factory=dict)
    leading: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    together: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pairs: Mapping[str, BasketPairs] = field(default_factory=dict)
    of_many: frozenset[str] = frozenset()
    sessions: int = 0
    purchases: PurchaseStatistics = field(default_factory=PurchaseStatistics)

    @property
    def evidence(self) -> float:
        """The reliability of popularity, from 0 to 1: it grows with the number of sessions."""
        return self.sessions / (self.sessions + HALF_EVIDENCE_SESSIONS)

    def __bool__(self) -> bool:
        return bool(self.popular)


Find = Callable[[Sequence[str]], Mapping[str, Product]]


def compute_statistics(events: Sequence[StoredEvent], find: Find, now: float) -> EventStatistics:
    """Compute statistics of events on products that still exist; `find` returns products by id."""
    products: dict[str, Product] = {}
    for batch in batches(dict.fromkeys(event.product_id for event in events), FIND_BATCH):
        products |= find(batch)
    shown = (event for event in events if event.product_id in products and event.kind != DISMISS)
    events = sorted(shown, key=lambda e: (e.visitor, e.at))
    if not events:
        return EventStatistics()
    ids, items = _coded([event.product_id for event in events])
    at = np.array([event.at for event in events], dtype=np.float64)
    visitors = _coded([event.visitor for event in events])[1]
    begins = (np.diff(visitors) != 0) | (np.diff(at) > SESSION_SECONDS)
    sessions = np.concatenate([[0], np.cumsum(begins)])
    ages = np.maximum(now - at, 0.0) / DAY_S
    weights = np.array([EVENT_WEIGHTS[event.kind] for event in events]) * 0.5 ** (ages / HALF_LIFE_DAYS)
    bought = np.array([event.kind in (CART, PURCHASE) for event in events])
    purchased = np.array([event.kind == PURCHASE for event in events])
    names, categories = _coded([products[event.product_id].category for event in events])
    columns = EventColumns(ids, names, items, visitors, sessions, categories, at)
    popular = _popular(ids, items, sessions, weights)
    leading: dict[str, list[str]] = defaultdict(list)
    for product_id in popular:
        leading[products[product_id].category].append(product_id)
    return EventStatistics(
        popular,
        {category: tuple(leaders[:MAX_LEADING]) for category, leaders in leading.items()},
        co_occurrences(columns, WINDOW),
        _pairs(names, categories[bought], sessions[bought]),
        _of_many(ids, items, visitors),
        int(sessions.max()) + 1,
        purchase_statistics(columns, purchased, now),
    )


class StatisticsRefresher:
    """Holds the statistics of a shop; a thread recomputes them when they are a minute old and there are new events."""

    def __init__(self, log: EventLog, find: Find, refresh_seconds: float = REFRESH_SECONDS) -> None:
        self._log = log
        self._find = find
        self._refresh_seconds = refresh_seconds
        self._statistics = EventStatistics()
        self._removals = 0
        self._computed_at = (0, 0)  # the newest event, and the removals so far
        self._due = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def now(self) -> EventStatistics:
        """The present statistics, without waiting: empty at first, and seldom more than a minute old."""
        with self._lock:
            if time.monotonic() >= self._due and not (self._thread and self._thread.is_alive()):
                self._due = time.monotonic() + self._refresh_seconds  # also when it fails
                self._thread = threading.Thread(target=self._try_refresh, name="event-statistics", daemon=True)
                self._thread.start()
        return self._statistics

    def recompute(self) -> None:
        """Recompute the statistics when they are next wanted, new events or not: a visitor was forgotten."""
        with self._lock:
            self._removals += 1
            self._due = 0.0

    def refresh(self) -> EventStatistics:
        """Compute the statistics now. Raises StoreError when the log or the catalogue cannot be read."""
        started = time.monotonic()
        self._log.prune()  # also where nobody adds events, they are stored no longer than they may be
        if (mark := (self._log.last(), self._removals)) != self._computed_at:
            self._statistics = compute_statistics(self._log.newest(MAX_EVENTS_READ), self._find, time.time())
            self._computed_at = mark
        took = time.monotonic() - started
        self._due = started + took + max(self._refresh_seconds, MIN_REST_FACTOR * took)
        return self._statistics

    def _try_refresh(self) -> None:
        # A log that cannot be read now may be readable in a minute; the previous statistics stay until then.
        with suppress(WindowshopError):
            self.refresh()


def _coded(names: Sequence[Name]) -> tuple[list[Name], Codes]:
    """Return the distinct names, and the position of each name among them."""
    numbers: dict[Name, int] = {}
    codes = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
    return list(numbers), codes


def _of_many(ids: Sequence[str], items: Codes, visitors: Codes) -> frozenset[str]:
    """Return the products of LEAST_VISITORS or more."""
    numbers = np.bincount(np.unique(visitors * len(ids) + items) % len(ids), minlength=len(ids))
    return frozenset(ids[item] for item in np.flatnonzero(numbers >= LEAST_VISITORS).tolist())


def _popular(ids: Sequence[str], items: Codes, sessions: Codes, weights: NDArray[np.float64]) -> dict[str, float]:
    """Return the most popular products; a session counts once for a product, with its event of the highest weight.

    So reloading a page makes no product popular.
    """
    once, place = np.unique(sessions * len(ids) + items, return_inverse=True)
    most = np.zeros(len(once))
    np.maximum.at(most, place, weights)
    totals = np.bincount(once % len(ids), weights=most, minlength=len(ids))
    best = np.lexsort((np.array(ids), -totals))[:MAX_POPULAR]
    return {ids[item]: float(totals[item] / totals[best[0]]) for item in best.tolist()}


def _pairs(names: Sequence[str], categories: Codes, sessions: Codes) -> dict[str, BasketPairs]:
    """Return how strongly categories go together in the baskets of sessions.

    The strength is smoothed normalised pointwise mutual information (Bouma 2009): 1 for categories only ever bought
    together; pairs bought together no more often than by chance are left out.
    """
    size = len(names)
    shows = np.unique(sessions * size + categories)
    owner, shown = shows // size, shows % size
    alone = np.bincount(shown, minlength=size)
    baskets = len(np.unique(owner))
    together: Counter[tuple[int, int]] = Counter()
    for basket in np.split(shown, np.flatnonzero(np.diff(owner)) + 1):
        together.update(itertools.combinations(basket[:MAX_BASKET].tolist(), 2))
    strengths: dict[int, dict[str, float]] = defaultdict(dict)
    for (a, b), count in together.items():
        expected = alone[a] * alone[b] / baskets
        lift = (count + SMOOTHING) / (expected + SMOOTHING)
        if count >= MIN_BASKETS_TOGETHER and lift > 1:
            rarity = -np.log((count + SMOOTHING) / (baskets + SMOOTHING))
            strength = min(float(np.log(lift) / rarity), 1.0) if rarity > 0 else 1.0
            strengths[a][names[b]] = strengths[b][names[a]] = strength
    return {names[i]: BasketPairs(int(alone[i]), strengths[i]) for i in np.flatnonzero(alone).tolist()}
