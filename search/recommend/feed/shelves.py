"""The shelves of a feed: for each surface, its products in order, each with its score and its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.types import Ids, Mask
from search.recommend.content.session import POOL_SIZE, Floats64
from search.recommend.events.event_log import DAY_S
from search.recommend.feed import feed_page as page
from search.recommend.feed.diversity import DiversityLimits, DiversityPool, diversified
from search.recommend.feed.feed_context import FeedContext
from search.recommend.feed.reasons import MIN_LIKENESS, Cause, ReasonFinder
from search.recommend.feed.relevance import (
    FeedCandidates,
    boosted,
    bought_along,
    ordinals_in,
    own_history,
    personal_candidates,
    without_twins,
)
from search.recommend.feed.shop_arrays import ordinals_of

MAX_POOL = 400  # best candidates among which diversity chooses
USUAL_DAYS = 28.0  # interval taken between two purchases where a visitor bought a product on one day alone
MIN_INTERVALS = 0.25  # of the visitor's intervals before which nothing is offered again
MIN_DAYS_SINCE = 2  # days before which nothing is offered again
MAX_DAYS_SINCE = 400  # days after which a purchase says nothing about today
MIN_DUENESS = 0.2  # factor on a product that was bought a moment ago
SAME_CATEGORY_WEIGHT = 0.4  # added to likeness where a product is of the same category as the one looked at
TREND_TASTE = 1.0  # how much more a rising product counts in a category that the visitor touched


@dataclass(frozen=True, slots=True, eq=False)
class RankedShelf:
    """Products of a shelf by ordinal (r,), best first, with their scores and causes; `because` is an ordinal or -1."""

    ordinals: Ids = field(default_factory=lambda: np.empty(0, np.int64))
    scores: Floats64 = field(default_factory=lambda: np.empty(0))
    causes: Sequence[Cause] = ()
    because: int = -1


@dataclass(frozen=True, slots=True)
class ShelfRules:
    """How a shelf is filled: whether repeats are limited and categories spread, and what its reasons are.

    Without `cause_of`, the reason of each product is the most telling one that is true.
    """

    limits_repeats: bool = False
    spread: bool = True
    cause_of: Callable[[int], Cause] | None = None
    because: int = -1


def for_you(context: FeedContext, count: int) -> RankedShelf:
    """Return what suits the visitor best, new and known products mixed, without what this visit looked at already."""
    shopper = context.shopper
    looked_at = np.setdiff1d(shopper.recent, shopper.bought)
    candidates = personal_candidates(context.without(shopper.with_variants(looked_at)))
    return _diverse(context, candidates, count, ShelfRules(limits_repeats=True))


def new_for_you(context: FeedContext, count: int) -> RankedShelf:
    """Return what suits the visitor best of what he or she neither bought nor looked at."""
    known = np.unique(context.shopper.history.products).astype(np.int64)
    return _diverse(context, personal_candidates(context.without(context.shopper.with_variants(known))), count)


def buy_again(context: FeedContext, count: int) -> RankedShelf:
    """Return what the visitor bought and may buy again, that which is likeliest now first."""
    shopper = context.shopper
    ordinals = shopper.bought[context.allowed[shopper.bought]]
    ordinals = ordinals[_is_time(context, ordinals)]
    fitted = context.arrays.fitted
    if fitted is None:
        strengths = own_history(context)[ordinals] * _dueness(context, ordinals)
    else:  # it knows the intervals of all shoppers
        strengths = shopper.probabilities[ordinals].astype(np.float64)
    candidates = boosted(context, FeedCandidates(ordinals, context.rows(ordinals), strengths))
    ranked = candidates.best_first(context.arrays.groups)
    finder = ReasonFinder.of(context)
    causes = [finder.bought(int(ordinal)) or Cause(page.ASSORTMENT) for ordinal in ranked.ordinals[:count]]
    return RankedShelf(ranked.ordinals[:count], ranked.scores[:count], causes)


def trending(context: FeedContext, count: int) -> RankedShelf:
    """Return products whose demand rises, those of categories that the visitor touched first."""
    trends = context.statistics.purchases.trends
    ordinals = ordinals_in(context, trends)
    if not len(ordinals):
        return RankedShelf()
    categories = context.arrays.categories
    touched = np.isin(categories[ordinals], categories[context.shopper.recent]) & (categories[ordinals] >= 0)
    strengths = (1.0 + TREND_TASTE * touched) / np.sqrt(1.0 + np.arange(len(ordinals)))
    candidates = boosted(context, FeedCandidates(ordinals, context.rows(ordinals), strengths))

    def cause(ordinal: int) -> Cause:
        return Cause(page.TRENDING_NOW, facts=trends[context.arrays.columns.ids[ordinal]].facts)

    return _diverse(context, without_twins(context, candidates), count, ShelfRules(cause_of=cause))


def bought_together(context: FeedContext, count: int) -> RankedShelf:
    """Return what others bought along with a product, or with those of the cart."""
    anchors = _anchors(context)
    if not len(anchors):
        return RankedShelf()
    without = context.without(context.shopper.with_variants(anchors))
    strengths = bought_along(without, anchors)
    ordinals = np.flatnonzero((strengths > 0) & without.allowed)
    candidates = boosted(without, FeedCandidates(ordinals, without.rows(ordinals), strengths[ordinals]))
    finder = ReasonFinder(without, anchors, without.rows(anchors))

    def cause(ordinal: int) -> Cause:
        return finder.bought_with(ordinal, anchors) or Cause(page.ASSORTMENT)

    shelf = ShelfRules(cause_of=cause, because=int(anchors[0]) if context.request.product else -1)
    return _diverse(without, without_twins(without, candidates), count, shelf)


def because_you_looked(context: FeedContext, count: int) -> RankedShelf:
    """Return what is like a product: that of the request, or the last one that the visitor viewed and has a picture."""
    shopper = context.shopper
    viewed = shopper.recent[np.isin(shopper.recent, shopper.viewed) & ~np.isin(shopper.recent, shopper.bought)]
    anchors = _anchors(context) if context.request.product else viewed[context.rows(viewed).any(axis=1)][:1]
    if not len(anchors):
        return RankedShelf()
    hidden = context.shopper.with_variants(np.concatenate([anchors, context.shopper.recent]))
    without = context.without(hidden)
    rows = without.rows(anchors)
    if not rows.any():
        return RankedShelf(because=int(anchors[0]))
    ordinals = without.state.nearest(rows[0], POOL_SIZE, without.allowed)
    found = without.rows(ordinals)
    likeness = (found @ rows[0]).astype(np.float64)
    same = context.arrays.categories[ordinals] == context.arrays.categories[anchors[0]]
    like = likeness >= MIN_LIKENESS
    candidates = FeedCandidates(ordinals, found, likeness + SAME_CATEGORY_WEIGHT * same).where(like)
    finder = ReasonFinder(without, anchors[:1], rows[:1])
    shelf = ShelfRules(spread=False, cause_of=lambda _: finder.like(0), because=int(anchors[0]))
    return _diverse(without, without_twins(without, boosted(without, candidates)), count, shelf)


SHELVES: dict[str, Callable[[FeedContext, int], RankedShelf]] = {
    page.FOR_YOU: for_you,
    page.BUY_AGAIN: buy_again,
    page.TRENDING: trending,
    page.NEW_FOR_YOU: new_for_you,
    page.BOUGHT_TOGETHER: bought_together,
    page.BECAUSE_YOU_LOOKED: because_you_looked,
}


def _diverse(
    context: FeedContext, candidates: FeedCandidates, count: int, shelf: ShelfRules = ShelfRules()
) -> RankedShelf:
    """Choose `count` of the candidates within the limits of diversity, and find their reasons."""
    best = candidates.best_first(context.arrays.groups)
    best = best.where(np.arange(min(len(best), MAX_POOL)))
    repeats = context.shopper.with_variants(context.shopper.bought)[best.ordinals]
    pool = DiversityPool(best.scores, best.rows, context.arrays.categories[best.ordinals], repeats)
    request = context.request
    repeat_share = request.repeat_share if shelf.limits_repeats else 1.0
    limits = DiversityLimits(repeat_share, request.relevance_share, shelf.spread)
    chosen = best.where(np.array(diversified(pool, count, limits), np.int64))
    if shelf.cause_of is None:
        causes = ReasonFinder.of(context).causes(chosen.ordinals, chosen.rows)
    else:
        causes = [shelf.cause_of(int(ordinal)) for ordinal in chosen.ordinals]
    return RankedShelf(chosen.ordinals, chosen.scores, causes, shelf.because)


def _anchors(context: FeedContext) -> Ids:
    """Return the product that a shelf is about, or the products of the cart."""
    if context.request.product is None:
        return context.shopper.cart
    ordinals = ordinals_of(context.arrays.columns, [context.request.product])
    return ordinals[ordinals >= 0]


def _is_time(context: FeedContext, ordinals: Ids) -> Mask:
    """Return which products were bought neither a moment ago, by the visitor's interval, nor too long ago."""
    shopper = context.shopper
    last = shopper.purchases.last_times(len(context.arrays))[ordinals]
    repeated = np.array([len(shopper.purchase_days[ordinal]) > 1 for ordinal in ordinals.tolist()], np.bool_)
    early = repeated & (_intervals_passed(context, ordinals) < MIN_INTERVALS)
    early |= last > shopper.now - MIN_DAYS_SINCE * DAY_S
    return np.asarray(~early & (last > shopper.now - MAX_DAYS_SINCE * DAY_S))


def _dueness(context: FeedContext, ordinals: Ids) -> Floats64:
    """Return how much of the usual interval has passed since each product's last purchase, MIN_DUENESS to 1."""
    return np.clip(_intervals_passed(context, ordinals), MIN_DUENESS, 1.0)


def _intervals_passed(context: FeedContext, ordinals: Ids) -> Floats64:
    """Return how many usual intervals have passed since each product's last purchase: the visitor's own, or 28 days."""
    today = context.shopper.now // DAY_S
    passed = []
    for ordinal in ordinals.tolist():
        days = context.shopper.purchase_days[ordinal]
        usual = float(np.median(np.diff(days))) if len(days) > 1 else USUAL_DAYS
        passed.append((today - days[-1]) / max(usual, 1.0))
    return np.array(passed, np.float64)
