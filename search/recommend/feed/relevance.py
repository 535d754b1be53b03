"""Score candidates for a visitor: likeness to what was looked at, categories, what others took along, popularity.

A fitted model ranks where the shop has one; without, the events of the visitor and the statistics of the shop do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.recommend.content.complements import NEAR_DUPLICATE
from search.recommend.content.session import (
    CATEGORY_WEIGHT,
    POOL_SIZE,
    POPULARITY_WEIGHT,
    TOGETHER_WEIGHT,
    Floats64,
    decay,
)
from search.recommend.events.event_log import DAY_S
from search.recommend.events.purchase_statistics import Strengths
from search.recommend.feed.feed_context import FeedContext
from search.recommend.feed.shop_arrays import ordinals_of
from search.recommend.models.content_rows import interests

HISTORY_HALF_LIFE_DAYS = 91.0  # time in which a purchase's weight halves; 13 weeks were best on a grocer's log
MODEL_WEIGHT = 2.0  # weight of the fitted model's probability, as a share of the highest one
MODEL_POWER = 0.25  # of that share: probabilities differ by factors of hundreds, likenesses by one of two
MODELS_SHOWN = 50  # products that the fitted model puts first, to which newer ones are compared
MET_NEED = 0.3  # factor on products of the category of a durable that was bought lately
THIN_EVENTS = 2.0  # events of a visitor at which the fitted model counts half: of one look it knows little
OWN_WEIGHT = 2.0  # weight of own repeated purchases, 0 to 1, beside similarity


@dataclass(frozen=True, slots=True, eq=False)
class FeedCandidates:
    """Products by ordinal (c,), with their rows (c, dim) and scores (c,), none below 0."""

    ordinals: Ids
    rows: Floats
    scores: Floats64

    def __len__(self) -> int:
        return len(self.ordinals)

    def where(self, places: Ids | Mask) -> FeedCandidates:
        """Return the candidates of a mask (c,), or at places in their order."""
        return FeedCandidates(self.ordinals[places], self.rows[places], self.scores[places])

    def best_first(self, groups: Ids) -> FeedCandidates:
        """Return the candidates by falling score, ties by ordinal, the best alone of each item group."""
        order = np.lexsort((self.ordinals, -self.scores))
        _, first = np.unique(groups[self.ordinals[order]], return_index=True)
        return self.where(order[np.sort(first)])


def personal_candidates(context: FeedContext) -> FeedCandidates:
    """Return the products that may be shown and could interest the visitor, with their scores, in no order.

    Those of most categories are among them, so that a list can be diverse. A fitted model scores what it knows; what
    this visit looked at counts besides, and products that came after the fit by their likeness to what it puts first.
    """
    shopper, arrays = context.shopper, context.arrays
    recent = shopper.interests
    recent_rows = context.rows(recent)
    weights = decay(len(recent)) if len(recent) else np.zeros(0)
    together = neighbours(context, recent, weights)
    known = _known_scores(context)
    pools = [shopper.bought, arrays.leaders, best_ordinals(known, context)[:POOL_SIZE], np.flatnonzero(together)]
    if arrays.newer is not None:
        pools.append(arrays.newer.ordinals)
    if recent_rows.any():
        pools.append(context.state.nearest((weights @ recent_rows).astype(np.float32), POOL_SIZE, context.allowed))
    ordinals = np.unique(np.concatenate(pools))
    ordinals = ordinals[context.allowed[ordinals]]
    rows = context.rows(ordinals)
    scores = TOGETHER_WEIGHT * together[ordinals] + known[ordinals]
    _add_newer(context, ordinals, rows, scores)
    if len(recent):
        content = (rows @ recent_rows.T) @ weights
        shares = np.zeros(int(arrays.categories.max(initial=-1)) + 2)  # the last one is for products without a category
        np.add.at(shares, arrays.categories[recent], weights)
        shares[-1] = 0.0
        scores += np.maximum(content, 0.0) + CATEGORY_WEIGHT * shares[arrays.categories[ordinals]]
    return without_twins(context, boosted(context, FeedCandidates(ordinals, rows, scores)))


def _known_scores(context: FeedContext) -> Floats64:
    """Return what purchases say for each product (n,): by the fitted model, else by own history and popularity."""
    fitted, shopper = context.arrays.fitted, context.shopper
    if fitted is not None:
        probabilities = shopper.probabilities.astype(np.float64)
        best = float(np.where(context.allowed, probabilities, 0.0).max(initial=0.0))
        weight = MODEL_WEIGHT * len(shopper.history) / (len(shopper.history) + THIN_EVENTS) or MODEL_WEIGHT
        return weight * np.minimum(probabilities / best, 1.0) ** MODEL_POWER if best > 0 else probabilities
    popularity = POPULARITY_WEIGHT * context.statistics.evidence * context.arrays.popularity.astype(np.float64) ** 0.25
    return np.asarray(OWN_WEIGHT * own_history(context) + popularity)


def _add_newer(context: FeedContext, ordinals: Ids, rows: Floats, scores: Floats64) -> None:
    """Raise the scores of candidates that came after the fit: to those of what they look like, in the order of lifts.

    Likeness to what ranks first says how high a newer product belongs; which of them the visitor would buy,
    the lift over the average visitor says better (docs/decisions/personalisation.md).
    """
    newer = context.arrays.newer
    if newer is None or not len(newer.ordinals):
        return
    places = np.minimum(np.searchsorted(newer.ordinals, ordinals), len(newer.ordinals) - 1)
    new = newer.ordinals[places] == ordinals
    if not new.any() or new.all():
        return
    best = np.flatnonzero(~new)[np.argsort(-scores[~new], kind="stable")[:MODELS_SHOWN]]
    alike = np.sort((np.maximum(rows[new] @ rows[best].T, 0.0) * scores[best]).max(axis=1))[::-1]
    liked = interests(context.shopper.history, context.shopper.now)
    lifts = newer.lifts(liked, context.rows(liked.products.astype(np.int64)))[places[new]]
    order = np.flatnonzero(new)[np.argsort(-lifts, kind="stable")]
    scores[order] = np.maximum(scores[order], alike)


def best_ordinals(scores: Floats64, context: FeedContext) -> Ids:
    """Return the products that may be shown with a score above 0, the highest first."""
    known = np.flatnonzero((scores > 0) & context.allowed)
    if len(known) > POOL_SIZE:
        known = known[np.argpartition(-scores[known], POOL_SIZE)[:POOL_SIZE]]
    return known[np.argsort(-scores[known], kind="stable")]


def boosted(context: FeedContext, candidates: FeedCandidates) -> FeedCandidates:
    """Return the candidates with their scores multiplied by the owner's boosts and buries."""
    if context.factors is None:
        return candidates
    factors = context.factors[candidates.ordinals]
    return FeedCandidates(candidates.ordinals, candidates.rows, candidates.scores * factors)


def without_twins(context: FeedContext, candidates: FeedCandidates) -> FeedCandidates:
    """Return the candidates without near-duplicates, in the same category, of durables that the visitor bought.

    Others of such a category go down: who bought a fridge needs no other one.
    """
    durables = context.shopper.durables
    if not len(durables) or not len(candidates):
        return candidates
    categories = context.arrays.categories
    same = categories[candidates.ordinals][:, None] == categories[durables][None, :]
    twins = same & (candidates.rows @ context.rows(durables).T > NEAR_DUPLICATE)
    scores = candidates.scores * np.where(same.any(axis=1), MET_NEED, 1.0)
    return FeedCandidates(candidates.ordinals, candidates.rows, scores).where(~twins.any(axis=1))


def own_history(context: FeedContext) -> Floats64:
    """Return how strongly the visitor's own purchases speak for buying each product again (n,), 0 to 1."""
    purchases, arrays = context.shopper.purchases, context.arrays
    strength = np.zeros(len(arrays))
    ages = (context.shopper.now - purchases.times) / DAY_S
    np.add.at(strength, purchases.products, 0.5 ** (ages / HISTORY_HALF_LIFE_DAYS))
    return strength / (1.0 + strength)


def neighbours(context: FeedContext, anchors: Ids, weights: Floats64) -> Floats64:
    """Return the weighted strength with which others were viewed or bought along with the anchors (n,)."""
    statistics = context.statistics
    total = _fitted(context, anchors, weights)
    for together in (statistics.together, statistics.purchases.together):
        total += _counted(context, anchors, weights, together)
    return total


def bought_along(context: FeedContext, anchors: Ids) -> Floats64:
    """Return the strength with which others were bought, and not only viewed, along with the anchors (n,)."""
    weights = np.ones(len(anchors))
    total = _counted(context, anchors, weights, context.statistics.purchases.together)
    if context.arrays.fitted is None:
        return total
    bought = context.arrays.fitted.is_bought(anchors)
    return total + _fitted(context, anchors[bought], weights[bought])


def _fitted(context: FeedContext, anchors: Ids, weights: Floats64) -> Floats64:
    """Return the weighted strength of the anchors' neighbours in the fitted model (n,), 0 without one."""
    total = np.zeros(len(context.arrays))
    if context.arrays.fitted is not None:
        for anchor, weight in zip(anchors.tolist(), weights.tolist(), strict=True):
            ordinals, strengths = context.arrays.fitted.neighbours(anchor)
            _add_others(context, total, anchor, ordinals, weight * strengths)
    return total


def _counted(context: FeedContext, anchors: Ids, weights: Floats64, together: Strengths) -> Floats64:
    """Return the weighted strength of the anchors' neighbours in the statistics of the events (n,)."""
    total = np.zeros(len(context.arrays))
    for anchor, weight in zip(anchors.tolist(), weights.tolist(), strict=True):
        if strengths := together.get(context.arrays.columns.ids[anchor]):
            ordinals = ordinals_of(context.arrays.columns, list(strengths))
            known = ordinals >= 0
            weighted = weight * np.fromiter(strengths.values(), np.float64)[known]
            _add_others(context, total, anchor, ordinals[known], weighted)
    return total


def _add_others(
    context: FeedContext, total: Floats64, anchor: int, ordinals: Ids, strengths: Floats | Floats64
) -> None:
    """Add strengths (m,) to an array by ordinal (n,), but for variants of the anchor, which are the same thing."""
    groups = context.arrays.groups
    others = groups[ordinals] != groups[anchor]
    total[ordinals[others]] += strengths[others]


def ordinals_in(context: FeedContext, ids: Iterable[str]) -> Ids:
    """Return the ordinals of the products of these ids that the shop has and that may be shown, in their order."""
    ordinals = ordinals_of(context.arrays.columns, list(ids))
    ordinals = ordinals[ordinals >= 0]
    return ordinals[context.allowed[ordinals]]
