"""What ranking one feed needs: a state of the shop, the visitor, and which products may be shown at all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.merchandising.rule_set import Rules
from search.merchandising.rules import MAX_FACTOR, MIN_FACTOR
from search.recommend.events.event_statistics import EventStatistics
from search.recommend.feed.feed_page import FeedRequest
from search.recommend.feed.shop_arrays import ShopArrays, ordinals_of
from search.recommend.feed.shopper import Shopper
from search.retrieval.serving_state import ServingState

EVERY_QUESTION = ""  # the question that only the owner's rules for every question match


@dataclass(frozen=True, slots=True, eq=False)
class FeedContext:
    """One feed to be made; `allowed` (n,) are products that may be shown, `factors` (n,) those of the owner's boosts.

    None stands for no boosts.
    """

    request: FeedRequest
    state: ServingState
    arrays: ShopArrays
    shopper: Shopper
    allowed: Mask
    factors: Floats | None

    @classmethod
    def of(
        cls, request: FeedRequest, state: ServingState, arrays: ShopArrays, shopper: Shopper, rules: Rules
    ) -> FeedContext:
        """Apply stock, the request's filter, the owner's rules and the visitor's own products: all before ranking."""
        columns = arrays.columns
        allowed = columns.present & columns.stock & ~shopper.unwanted
        dismissed = ordinals_of(columns, request.dismissed)
        allowed &= ~shopper.with_variants(dismissed[dismissed >= 0])
        if request.filter is not None:
            allowed &= columns.matching(request.filter)
        found = rules.for_query(EVERY_QUESTION)
        if found.hidden is not None:
            allowed &= ~columns.matching(found.hidden)
        factors = None
        if found.boosts:
            factors = np.ones(len(columns), np.float32)
            for boosted, factor in found.boosts:
                factors[columns.matching(boosted)] *= factor
            factors = np.clip(factors, MIN_FACTOR, MAX_FACTOR)
        return cls(request, state, arrays, shopper, allowed, factors)

    @property
    def statistics(self) -> EventStatistics:
        """The statistics of the shop's events."""
        return self.arrays.statistics

    def rows(self, ordinals: Ids) -> Floats:
        """Return the rows (ordinals, dim) of products: dot products are similarities; zeros without a picture."""
        return self.state.rows_of(ordinals)

    def without(self, hidden: Mask) -> FeedContext:
        """Return the context in which other products (n,) may not be shown either."""
        return replace(self, allowed=self.allowed & ~hidden)
