"""Answer requests for a personal feed: read the visitor, rank the shelves, and load the products of the answer."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from catalog.product import Product
from search.merchandising.rule_follower import RuleFollower
from search.recommend.content.substitutes import RecommenderShop
from search.recommend.events.event_log import EventLog
from search.recommend.events.event_statistics import EventStatistics
from search.recommend.experiments.assignment import Experiments
from search.recommend.experiments.experiment import Arm, FeedSettings
from search.recommend.feed import feed_page as page
from search.recommend.feed.feed_context import FeedContext
from search.recommend.feed.feed_page import FeedItem, FeedPage, FeedRequest, Reason, Shelf
from search.recommend.feed.shelves import SHELVES, RankedShelf
from search.recommend.feed.shop_arrays import ShopArraysCache
from search.recommend.feed.shopper import Shopper
from search.recommend.feed.visitor_histories import VisitorRecord, read_visitor
from search.recommend.learning.fitted_models import FittedModels
from search.retrieval.serving_state import ServingState

FEED_ID_PREFIX = "feed-"
MORE = 1  # products ranked beyond a page, to know whether others follow


class FeedShop(RecommenderShop, Protocol):
    """What a feed needs of a shop besides; SearchEngine implements it."""

    rules: RuleFollower


class PersonalFeed:
    """Makes feeds for the visitors of one shop. It has no state of visitors: each answer reads their events again."""

    def __init__(
        self,
        shop: FeedShop,
        state: Callable[[], ServingState],
        log: EventLog | None,
        learnt: Callable[[], tuple[EventStatistics, FittedModels | None]],
        experiments: Experiments,
    ) -> None:
        self._shop = shop
        self._state = state
        self._log = log
        self._learnt = learnt
        self._experiments = experiments
        self._arrays = ShopArraysCache()

    def shelves(self, visitor: str, request: FeedRequest, now: float | None = None) -> FeedPage:
        """Return the shelves that a request asks for, as of `now` (unix seconds, or the clock). Raises UnknownProduct.

        `visitor` is the id that the client gives itself, "" for none.
        """
        if request.product is not None:
            self._shop.product(request.product)
        at = int(time.time() if now is None else now)
        arm = self._arm(visitor, request.surface) if request.personal else None
        request = request if arm is None else with_settings(request, arm.settings)
        context = self._context(visitor if request.personal else "", request, at)
        surfaces = request.shelves if request.surface == page.HOME else (request.surface,)
        ranked: dict[str, RankedShelf] = {}
        for surface in sorted(surfaces, key=lambda surface: surface != page.BUY_AGAIN):  # which can show nothing else
            ranked[surface] = SHELVES[surface](context, request.offset + request.k + MORE)
            shown = ranked[surface].ordinals[: request.offset + request.k]
            context = context.without(context.shopper.with_variants(shown))  # on one shelf of a page only
        if request.surface == page.HOME:  # on which no heading is about no product
            about_none = [name for name in surfaces if name == page.BECAUSE_YOU_LOOKED and ranked[name].because < 0]
            surfaces = tuple(name for name in surfaces if name not in about_none)
        shelves = self._filled(context, {surface: ranked[surface] for surface in surfaces}, request)
        feed_id = FEED_ID_PREFIX + secrets.token_hex(8)
        fitted = context.arrays.fitted
        return FeedPage(
            shelves,
            bool(len(context.shopper.history)),
            feed_id,
            None if fitted is None else fitted.models.version,
            None if arm is None else arm.name,
        )

    def _arm(self, visitor: str, surface: str) -> Arm | None:
        """Return the visitor's arm of the running experiment, and count the visitor where it changes the surface."""
        if self._log is None or not visitor:
            return None
        return self._experiments.assign(self._log.key_of(visitor), surface)

    def _context(self, visitor: str, request: FeedRequest, now: int) -> FeedContext:
        state = self._state()
        statistics, models = self._learnt()
        arrays = self._arrays.get(state.columns, statistics, models if request.use_model else None, state.rows_of)
        viewed = request.viewed if request.personal else ()
        events = read_visitor(self._log, visitor, viewed, now) if visitor or viewed else VisitorRecord()
        shopper = Shopper.of(arrays, events, request.cart, now)
        return FeedContext.of(request, state, arrays, shopper, self._shop.rules.current())

    def _filled(
        self, context: FeedContext, ranked: Mapping[str, RankedShelf], request: FeedRequest
    ) -> tuple[Shelf, ...]:
        """Return the ranked shelves with the products of the page, loaded at once."""
        ids = context.arrays.columns.ids
        part = slice(request.offset, request.offset + request.k)
        named = [
            np.array([*(cause.product for cause in shelf.causes[part]), shelf.because]) for shelf in ranked.values()
        ]
        ordinals = np.unique(
            np.concatenate([*named, *(shelf.ordinals[part] for shelf in ranked.values())]).astype(np.int64)
        )
        found = self._shop.find([ids[ordinal] for ordinal in ordinals[ordinals >= 0].tolist()])
        known = [ordinal for ordinal in ordinals.tolist() if ordinal >= 0 and ids[ordinal] in found]
        products = {ordinal: found[ids[ordinal]] for ordinal in known}
        return tuple(
            Shelf(
                surface,
                _items(shelf, part, products),
                request.offset,
                request.k,
                len(shelf.ordinals) > part.stop < page.MAX_FEED,
                products.get(shelf.because) if shelf.because >= 0 else None,
                shelf.because in context.shopper.viewed,
            )
            for surface, shelf in ranked.items()
        )


def with_settings(request: FeedRequest, settings: FeedSettings) -> FeedRequest:
    """Return the request with the settings of an arm in place of the shop's own."""
    return replace(
        request,
        shelves=settings.shelves or request.shelves,
        use_model=settings.model,
        repeat_share=request.repeat_share if settings.repeat_share is None else settings.repeat_share,
        relevance_share=request.relevance_share if settings.relevance_share is None else settings.relevance_share,
    )


def _items(shelf: RankedShelf, part: slice, products: Mapping[int, Product]) -> tuple[FeedItem, ...]:
    """Return the items of a part of a shelf, without products that left the catalogue a moment ago."""
    triples = zip(shelf.ordinals[part].tolist(), shelf.scores[part].tolist(), shelf.causes[part], strict=True)
    return tuple(
        FeedItem(products[ordinal], score, Reason(cause.code, products.get(cause.product), cause.facts))
        for ordinal, score, cause in triples
        if ordinal in products and (cause.product < 0 or cause.product in products)
    )
