"""The recommender of a shop: substitutes, complements, session recommendations, and the events they learn from."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from catalog.errors import BadInput, StoreError, WindowshopError
from search.execution.deadlines import RECOMMENDER, Deadline, StepRunner
from search.recommend.content.compatibility_rules import PairRules
from search.recommend.content.complements import goes_with
from search.recommend.content.session import session
from search.recommend.content.substitutes import Recommendations, substitutes
from search.recommend.events.event_log import Event, EventLog, StoredEvent
from search.recommend.events.event_statistics import EventStatistics, StatisticsRefresher
from search.recommend.events.retention import EventLimits
from search.recommend.experiments.assignment import Experiments
from search.recommend.experiments.experiment_store import Exposure
from search.recommend.feed.feed_page import FeedPage, FeedRequest
from search.recommend.feed.personal_feed import FeedShop, PersonalFeed
from search.recommend.learning.fitted_models import FittedModels
from search.recommend.learning.model_follower import ModelFollower
from search.recommend.visitor_outlook import MAX_EVENTS, VisitorOutlook, outlook_of
from search.retrieval.serving_state import ServingState

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class Recommender:
    """Recommends products of one shop, each answer within its time limit."""

    def __init__(
        self, home: Path, shop: FeedShop, steps: StepRunner, serving_state: Callable[[], ServingState]
    ) -> None:
        self._shop = shop
        self._steps = steps
        self._rules = _load_rules(home)
        self.experiments = Experiments(home)
        self._events = _open_events(home)
        self._models = ModelFollower(home)
        self._refresher = None if self._events is None else StatisticsRefresher(self._events, shop.find)
        self._feed = PersonalFeed(
            shop, serving_state, self._events, lambda: (self._statistics, self.models), self.experiments
        )

    def substitutes(self, product_id: str, k: int = 10, timeout_ms: int | None = None) -> Recommendations:
        """Return products in stock that can replace a product. Raises UnknownProduct, BadQuery, TooLate."""
        return self._within(timeout_ms, lambda: substitutes(self._shop, self._rules, product_id, k))

    def goes_with(self, product_id: str, k: int = 10, timeout_ms: int | None = None) -> Recommendations:
        """Return products of other categories that suit a product. Raises UnknownProduct, BadQuery, TooLate."""
        return self._within(timeout_ms, lambda: goes_with(self._shop, self._rules, self._statistics, product_id, k))

    def session(self, viewed: Sequence[str], k: int = 20, timeout_ms: int | None = None) -> Recommendations:
        """Return recommendations for a shopper who viewed these products, oldest first. Raises BadQuery, TooLate."""
        return self._within(timeout_ms, lambda: session(self._shop, self._statistics, viewed, k))

    def feed(self, visitor: str, request: FeedRequest, timeout_ms: int | None = None) -> FeedPage:
        """Return the shelves of a personal feed for a visitor, "" for nobody. Raises UnknownProduct, BadQuery, TooLate.

        What the visitor did counts at once. A visitor of a running experiment is counted in the arm that is served.
        """
        return self._within(timeout_ms, lambda: self._feed.shelves(visitor, request))

    def outlook(self, visitor: str, k: int = 10) -> VisitorOutlook:
        """Return what a visitor probably buys next, at most k of each list. Raises StoreError.

        Nothing is predicted for an unknown visitor, or before models are fitted.
        """
        events = self._open_log().history(visitor, MAX_EVENTS)
        return outlook_of(self.models, events, self._shop.find, int(time.time()), k)

    def record(self, events: Sequence[Event]) -> tuple[int, int]:
        """Store the events on products that exist; return how many, and how many products are unknown.

        Raises StoreError.
        """
        log = self._open_log()
        named = {event.product_id for event in events}
        known = self._shop.find(list(named))
        accepted = [event for event in events if event.product_id in known]
        return log.add(accepted) if accepted else 0, len(named - known.keys())

    def limit_events(self, limits: EventLimits) -> None:
        """Store events no longer, and no more of them, than the limits allow, from the next event on."""
        if self._events is not None:
            self._events.limits = limits

    def forget(self, visitor: str) -> None:
        """Remove everything that is stored about a visitor, if anything is. Raises StoreError."""
        log = self._open_log()
        self.experiments.forget(log.key_of(visitor))
        removed = log.forget(visitor)
        if removed and self._refresher is not None:
            self._refresher.recompute()

    def events_of(self, visitor: str) -> list[StoredEvent]:
        """Return the stored events of a visitor, the oldest first. Raises StoreError."""
        return self._open_log().history(visitor)

    def exposures_of(self, visitor: str) -> list[Exposure]:
        """Return which arms of experiments a visitor saw, the oldest first. Raises StoreError."""
        return self.experiments.store.of_visitor(self._open_log().key_of(visitor))

    @property
    def events(self) -> EventLog | None:
        """The event log; None where it cannot be opened."""
        return self._events

    @property
    def models(self) -> FittedModels | None:
        """The fitted models that are served now, opened at the first use; None where none are fitted."""
        return self._models.models

    @property
    def degraded(self) -> tuple[str, ...]:
        """Public sentences about what keeps the recommender from being up to date."""
        return self._models.degraded

    def warm_up(self) -> None:
        """Open the fitted models and compute the statistics of events, so that the first answers are whole."""
        self._models.open()
        with suppress(WindowshopError):  # what cannot be read now may be readable in a minute
            self.refresh()

    def follow(self) -> None:
        """Take over another version of the fitted models, once they are open."""
        self._models.follow()

    def refresh(self) -> None:
        """Compute the statistics of the events now, instead of within a minute. Raises StoreError."""
        if self._refresher is not None:
            self._refresher.refresh()

    def close(self) -> None:
        """Close the event log."""
        if self._events is not None:
            self._events.close()

    def _open_log(self) -> EventLog:
        if self._events is None:
            raise StoreError("The events of this shop can be neither read nor written.", "Its log says why.")
        return self._events

    @property
    def _statistics(self) -> EventStatistics:
        return EventStatistics() if self._refresher is None else self._refresher.now

    def _within(self, timeout_ms: int | None, work: Callable[[], Answer]) -> Answer:
        return self._steps.run(RECOMMENDER, Deadline.within(timeout_ms), work)


def _load_rules(home: Path) -> PairRules:
    """Load the shop's rules; the shipped ones alone if its own are broken, so that shoppers still get answers."""
    try:
        return PairRules.load(home)
    except BadInput as error:
        log.error("The shop's pair rules are not used: %s", error)
        return PairRules.load()


def _open_events(home: Path) -> EventLog | None:
    try:
        return EventLog.open(home)
    except StoreError as error:
        log.error("Events are neither read nor stored: %s", error)
        return None
