"""All recommendations of one shop, and the events that they learn from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.errors import BadInput, StoreError
from search.execution.deadlines import RECOMMENDER, Deadline, StepRunner
from search.recommend.compatibility_rules import PairRules
from search.recommend.complements import goes_with
from search.recommend.event_log import Event, EventLog
from search.recommend.event_statistics import EventStatistics, StatisticsRefresher
from search.recommend.session import session
from search.recommend.substitutes import Recommendation, RecommenderShop, substitutes

log = logging.getLogger(__name__)
Recommendations = tuple[Recommendation, ...]


class Recommender:
    """Recommends products of a shop; nothing it gives is waited for longer than was allowed."""

    def __init__(self, home: Path, shop: RecommenderShop, steps: StepRunner) -> None:
        self._shop = shop
        self._steps = steps
        self._rules = _rules_of(home)
        self._events = _events_of(home)
        self._watch = None if self._events is None else StatisticsRefresher(self._events, shop.find)

    def substitutes(self, product_id: str, k: int = 10, timeout_ms: int | None = None) -> Recommendations:
        """What can be had instead of a product, in stock. Raises UnknownProduct, BadQuery, TooLate."""
        return self._within(timeout_ms, lambda: substitutes(self._shop, self._rules, product_id, k))

    def goes_with(self, product_id: str, k: int = 10, timeout_ms: int | None = None) -> Recommendations:
        """Products of other categories that suit a product. Raises UnknownProduct, BadQuery, TooLate."""
        return self._within(timeout_ms, lambda: goes_with(self._shop, self._rules, self._trends, product_id, k))

    def session(self, viewed: Sequence[str], k: int = 20, timeout_ms: int | None = None) -> Recommendations:
        """What to show to one who viewed these products, oldest first. Raises BadQuery, TooLate."""
        return self._within(timeout_ms, lambda: session(self._shop, self._trends, viewed, k))

    def record(self, events: Sequence[Event]) -> int:
        """Keep what shoppers did with products that there are; how many events that were. Raises StoreError."""
        if self._events is None:
            raise StoreError("The events of this shop cannot be written.", "Its log says why.")
        known = self._shop.find(list({event.product_id for event in events}))
        told = [event for event in events if event.product_id in known]
        return self._events.add(told) if told else 0

    def close(self) -> None:
        """Close the events' file."""
        if self._events is not None:
            self._events.close()

    @property
    def _trends(self) -> EventStatistics:
        return EventStatistics() if self._watch is None else self._watch.now

    def _within(self, timeout_ms: int | None, work: Callable[[], Recommendations]) -> Recommendations:
        return self._steps.run(RECOMMENDER, Deadline.within(timeout_ms), work)


def _rules_of(home: Path) -> PairRules:
    """The shop's rules; the shipped ones where its own cannot be read, because shoppers come before they are mended."""
    try:
        return PairRules.load(home)
    except BadInput as error:
        log.error("The shop's pair rules are not used: %s", error)
        return PairRules.load()


def _events_of(home: Path) -> EventLog | None:
    try:
        return EventLog.open(home)
    except StoreError as error:
        log.error("Events are neither read nor kept: %s", error)
        return None
