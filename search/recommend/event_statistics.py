"""What the events say: what is popular, what is viewed together, and which categories are bought together.

Worked out beside the requests, from a bounded number of the newest events, and kept until there is news.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.errors import WindowshopError
from catalog.product import Product
from search.recommend.event_log import CART, CLICK, DAY, PURCHASE, VIEW, EventLog, StoredEvent

READ = 100_000  # newest events that are looked at
SESSION_SECONDS = 1_800  # without an event, and a visitor's session is over: what web analytics commonly takes
HALF_LIFE_DAYS = 14.0  # of an event's weight
WORTH = {VIEW: 1.0, CLICK: 1.0, CART: 3.0, PURCHASE: 5.0}  # of an event for popularity; our judgement
POPULAR = 20_000  # products kept
LEADING = 50  # products kept for each category
WINDOW = 5  # how many places apart in a session two products are still seen together
NEIGHBOURS = 50  # kept for a product
LEAST_TOGETHER = 2  # sessions that must have two products before that means something
LEAST_PAIR = 5  # baskets that must have two categories
SMOOTHING = 1.0  # baskets added to what two categories share by chance
ENOUGH_SESSIONS = 100  # for popularity to count half of what it can
MAX_BASKET = 50  # categories of one basket
KEPT_SECONDS = 60.0
REST = 20.0  # times as long as it took before it is done again, so that it takes 5 % of a core at the most

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Learnt:
    """What baskets say of a category: how many had it, and how strongly others go with it, above 0 and up to 1."""

    baskets: int
    strengths: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class EventStatistics:
    """One state of what events say, all strengths from 0 to 1.

    `popular` products, most popular first, and the `leading` ones of each category; those seen `together` with a
    product; what baskets say of `pairs` of categories.
    """

    popular: Mapping[str, float] = field(default_factory=dict)
    leading: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    together: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pairs: Mapping[str, Learnt] = field(default_factory=dict)
    sessions: int = 0

    @property
    def evidence(self) -> float:
        """How far popularity may be believed, from 0 to 1: a few visitors make nothing popular."""
        return self.sessions / (self.sessions + ENOUGH_SESSIONS)

    def __bool__(self) -> bool:
        """Whether there is anything to go by."""
        return bool(self.popular)


Find = Callable[[Sequence[str]], Mapping[str, Product]]


def trends_of(events: Sequence[StoredEvent], find: Find, now: float) -> EventStatistics:
    """What these events say of the products that there still are. `find` gives products by id."""
    products = _found(events, find)
    events = sorted((event for event in events if event.product_id in products), key=lambda e: (e.visitor, e.at))
    if not events:
        return EventStatistics()
    ids, items = _coded([event.product_id for event in events])
    sessions = _sessions(events)
    at = np.array([event.at for event in events], dtype=np.float64)
    ages = np.maximum(now - at, 0.0) / DAY
    weights = np.array([WORTH[event.kind] for event in events]) * 0.5 ** (ages / HALF_LIFE_DAYS)
    bought = np.array([event.kind in (CART, PURCHASE) for event in events])
    names, categories = _coded([products[event.product_id].category for event in events])
    wanted = _popular(ids, items, sessions, weights)
    leading: dict[str, list[str]] = {}
    for one in wanted:
        leading.setdefault(products[one].category, []).append(one)
    return EventStatistics(
        wanted,
        {category: tuple(ones[:LEADING]) for category, ones in leading.items()},
        _together(ids, items, sessions),
        _pairs(names, categories[bought], sessions[bought]),
        int(sessions.max()) + 1,
    )


class StatisticsRefresher:
    """The trends of a shop, worked out anew in a thread of its own when they are a minute old and there is news."""

    def __init__(self, log: EventLog, find: Find, kept_seconds: float = KEPT_SECONDS) -> None:
        self._log = log
        self._find = find
        self._kept_seconds = kept_seconds
        self._trends = EventStatistics()
        self._seen = 0
        self._due = 0.0
        self._lock = threading.Lock()
        self._working: threading.Thread | None = None

    @property
    def now(self) -> EventStatistics:
        """What is known by now: never waited for, so empty at first, and seldom more than a minute old."""
        with self._lock:
            if time.monotonic() >= self._due and not (self._working and self._working.is_alive()):
                self._due = time.monotonic() + self._kept_seconds  # also when it fails
                self._working = threading.Thread(target=self._quietly, name="trends", daemon=True)
                self._working.start()
        return self._trends

    def refresh(self) -> EventStatistics:
        """Work them out now, and wait for it. Raises StoreError when the log or the catalogue cannot be read."""
        began = time.monotonic()
        last = self._log.last()
        if last != self._seen:
            self._trends = trends_of(self._log.newest(READ), self._find, time.time())
            self._seen = last
        took = time.monotonic() - began
        self._due = time.monotonic() + max(self._kept_seconds, REST * took)
        return self._trends

    def _quietly(self) -> None:
        # A log that cannot be read now may be read in a minute; until then the trends are those of before.
        try:
            self.refresh()
        except WindowshopError:
            return


def _found(events: Sequence[StoredEvent], find: Find) -> dict[str, Product]:
    ids = list(dict.fromkeys(event.product_id for event in events))
    found: dict[str, Product] = {}
    for start in range(0, len(ids), 1_000):
        found |= find(ids[start : start + 1_000])
    return found


def _coded(names: Sequence[str]) -> tuple[list[str], Codes]:
    """The different names, and the number of each name among them."""
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
    return list(numbers), codes


def _sessions(events: Sequence[StoredEvent]) -> Codes:
    """The number of each event's session: events sorted by visitor and time, cut at long pauses."""
    starts = np.ones(len(events), dtype=np.int64)
    for place in range(1, len(events)):
        before, event = events[place - 1], events[place]
        if event.visitor == before.visitor and event.at - before.at <= SESSION_SECONDS:
            starts[place] = 0
    numbers: Codes = np.cumsum(starts) - 1
    return numbers


def _popular(ids: Sequence[str], items: Codes, sessions: Codes, weights: NDArray[np.float64]) -> dict[str, float]:
    """The most wanted products; a session counts once for a product, by the most that was done with it.

    So nobody makes a product popular by reloading its page.
    """
    once, place = np.unique(sessions * len(ids) + items, return_inverse=True)
    most = np.zeros(len(once))
    np.maximum.at(most, place, weights)
    totals = np.bincount(once % len(ids), weights=most, minlength=len(ids))
    best = np.lexsort((np.array(ids), -totals))[:POPULAR]
    return {ids[item]: float(totals[item] / totals[best[0]]) for item in best.tolist()}


def _together(ids: Sequence[str], items: Codes, sessions: Codes) -> dict[str, dict[str, float]]:
    """For each product those seen near it in the same sessions: sessions with both over the root of those with each.

    That is the cosine of their sessions (item-to-item collaborative filtering; Linden, Smith and York 2003).
    """
    size = len(ids)
    shows = np.unique(sessions * size + items)
    alone = np.bincount(shows % size, minlength=size)
    pairs = []
    for apart in range(1, WINDOW + 1):
        one, other = items[:-apart], items[apart:]
        near = (sessions[:-apart] == sessions[apart:]) & (one != other)
        low, high = np.minimum(one, other)[near], np.maximum(one, other)[near]
        pairs.append(np.stack([sessions[:-apart][near], low, high], axis=1))
    each = np.unique(np.concatenate(pairs), axis=0)
    both, count = np.unique(each[:, 1] * size + each[:, 2], return_counts=True)
    both, count = both[count >= LEAST_TOGETHER], count[count >= LEAST_TOGETHER]
    low, high = both // size, both % size
    strength = count / np.sqrt(alone[low] * alone[high])
    one, other, strength = np.concatenate([low, high]), np.concatenate([high, low]), np.tile(strength, 2)
    found: dict[str, dict[str, float]] = {}
    for place in np.lexsort((other, -strength, one)).tolist():
        beside = found.setdefault(ids[one[place]], {})
        if len(beside) < NEIGHBOURS:
            beside[ids[other[place]]] = float(strength[place])
    return found


def _pairs(names: Sequence[str], categories: Codes, sessions: Codes) -> dict[str, Learnt]:
    """How strongly categories go together in the baskets of a session, by smoothed, normalised pointwise mutual
    information (Bouma 2009): 1 when they are only ever bought together, nothing when no more often than by chance.
    """
    size = len(names)
    shows = np.unique(sessions * size + categories)
    owner, shown = shows // size, shows % size
    alone = np.bincount(shown, minlength=size)
    baskets = len(np.unique(owner))
    together: dict[tuple[int, int], int] = {}
    for basket in np.split(shown, np.flatnonzero(np.diff(owner)) + 1) if len(shown) else ():
        kinds = basket[:MAX_BASKET].tolist()
        for place, one in enumerate(kinds):
            for other in kinds[place + 1 :]:
                together[one, other] = together.get((one, other), 0) + 1
    strengths: dict[int, dict[str, float]] = {}
    for (one, other), count in together.items():
        chance = alone[one] * alone[other] / baskets
        lift = (count + SMOOTHING) / (chance + SMOOTHING)
        if count >= LEAST_PAIR and lift > 1:
            rarity = -np.log((count + SMOOTHING) / (baskets + SMOOTHING))
            strength = min(float(np.log(lift) / rarity), 1.0) if rarity > 0 else 1.0
            strengths.setdefault(one, {})[names[other]] = strength
            strengths.setdefault(other, {})[names[one]] = strength
    return {names[one]: Learnt(int(alone[one]), strengths.get(one, {})) for one in np.flatnonzero(alone).tolist()}
