"""Measure what completes a basket: one product of each drawn basket is left out, and must be found again.

The baskets are those of the last weeks, of at least two products; all that is known is before those weeks, a visitor's
own earlier baskets of the same weeks too. A product that is no candidate stays a target: it counts against every model
alike. The products that remain in the basket are the cart, and are not recommended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import BadInput
from indexer.types import Floats, Mask
from search.recommend.evaluation.metrics import BOOTSTRAPS, K
from search.recommend.evaluation.protocol import HOLDOUT_WEEKS, Split
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Context, RecommenderModel
from search.recommend.models.co_occurrence import ORDER_GAP_S
from search.recommend.models.co_occurrence import baskets as orders
from search.recommend.models.own_history import OwnHistory
from search.recommend.models.popularity import Popularity
from search.recommend.models.together import BasketCompletion, Together
from search.recommend.models.user_neighbours import SessionNeighbours

BASKETS = 2_000
MODELS: tuple[type[RecommenderModel], ...] = (Popularity, OwnHistory, Together, SessionNeighbours, BasketCompletion)


@dataclass(frozen=True, slots=True, eq=False)
class BasketCase:
    """A basket without one of its products: who bought it, what is known of the visitor, the cart, and the target."""

    visitor: int
    history: History
    cart: Codes
    target: int
    own: Mask  # (products,), what the visitor bought before

    @property
    def is_new(self) -> bool:
        """Whether the visitor never bought the target before."""
        return not self.own[self.target]


@dataclass(frozen=True, slots=True)
class HitRates:
    """The share of baskets whose target is in the first 20, with its 95 % interval; and of those that are new.

    New targets are sought among the products that the visitor never bought.
    """

    hit_at_20: float
    hit_at_20_low: float
    hit_at_20_high: float
    new_hit_at_20: float
    new_hit_at_20_low: float
    new_hit_at_20_high: float


@dataclass(frozen=True, slots=True)
class BasketFigures:
    """Hit rates by the name of the model, and how many baskets, new targets and visitors they are of."""

    baskets: int
    new: int
    visitors: int
    models: Mapping[str, HitRates]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures of basket completion, those of popularity, and a row for each model, as JSON values.

        The feed does not rank by basket completion: with a cart it shows what was bought along with its products, and
        of the rows `together` is the nearest to that.
        """
        rows = {name: {f: round(getattr(rates, f), 4) for f in rates.__slots__} for name, rates in self.models.items()}
        figures: dict[str, Any] = {"baskets": self.baskets, "new": self.new, "visitors": self.visitors}
        figures |= rows.get(BasketCompletion.name, {})
        figures |= {f"popularity_{name}": value for name, value in rows.get(Popularity.name, {}).items()}
        return figures | {"models": rows}


def evaluate_baskets(
    events: Interactions,
    products: ProductTable,
    holdout_weeks: int = HOLDOUT_WEEKS,
    baskets: int = BASKETS,
    seed: int = 0,
) -> BasketFigures:
    """Fit each of MODELS on the weeks before the last ones, and measure it on the same baskets. Raises BadInput."""
    split = Split.of(events, products, holdout_weeks)
    cases = draw_baskets(split, baskets, seed)
    return measure_baskets({m.name: m.fit(split.known, products, split.now) for m in MODELS}, split, cases)


def draw_baskets(split: Split, count: int, seed: int = 0) -> list[BasketCase]:
    """Draw at most `count` baskets of the held-out weeks and, in each, the product to leave out. Raises BadInput."""
    bought = split.held_out
    span = len(split.products)
    basket = orders(bought, ORDER_GAP_S)
    distinct, first = np.unique(basket.astype(np.int64) * span + bought.products, return_index=True)
    members = (distinct % span).astype(np.int32)
    sizes = np.bincount(distinct // span)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    visitors = bought.visitors[first]
    rng = np.random.default_rng(seed)
    usable = np.flatnonzero(sizes >= 2)
    if not len(usable):
        raise BadInput(
            "The held-out weeks have no basket of two products.",
            "Products of one basket have the same visitor, and times at most 5 minutes apart; hold out more"
            " weeks if there are such.",
        )
    drawn = np.sort(rng.choice(usable, min(count, len(usable)), replace=False))
    places = starts[drawn] + rng.integers(0, sizes[drawn])
    cases = []
    for begin, end, place in zip(starts[drawn], starts[drawn + 1], places, strict=True):
        history = split.known.history(int(visitors[place]))
        own = np.zeros(span, np.bool_)
        own[history.of_kind().products] = True
        cart = np.delete(members[begin:end], place - begin)
        cases.append(BasketCase(int(visitors[place]), history, cart, int(members[place]), own))
    return cases


def measure_baskets(models: Mapping[str, RecommenderModel], split: Split, cases: Sequence[BasketCase]) -> BasketFigures:
    """Return the hit rates of fitted models on baskets."""
    new = np.array([case.is_new for case in cases])
    visitors = np.array([case.visitor for case in cases])
    rates = {name: _rates(_hits(model, split, cases), new, visitors) for name, model in models.items()}
    return BasketFigures(len(cases), int(new.sum()), len(np.unique(visitors)), rates)


def is_hit(scores: Floats, allowed: Mask, target: int) -> bool:
    """Return whether a product is among the first 20 allowed ones; ties are in the order of the table."""
    if not allowed[target] or scores[target] <= 0:
        return False
    better = np.count_nonzero(allowed & (scores > scores[target]))
    return bool(better + np.count_nonzero(allowed[:target] & (scores[:target] == scores[target])) < K)


def _hits(model: RecommenderModel, split: Split, cases: Sequence[BasketCase]) -> Mask:
    """Return whether the target of each basket is found (n, 2): among all products, and among new ones."""
    hits = np.zeros((len(cases), 2), np.bool_)
    for row, case in enumerate(cases):
        scores = model.scores(case.history, Context(split.now, case.cart))
        allowed = split.candidates.copy()
        allowed[case.cart] = False
        hits[row] = is_hit(scores, allowed, case.target), is_hit(scores, allowed & ~case.own, case.target)
    return hits


def _rates(hits: Mask, new: Mask, visitors: NDArray[np.int64]) -> HitRates:
    everything = _rate(hits[:, 0], visitors)
    return HitRates(*everything, *_rate(hits[new, 1], visitors[new]))


def _rate(hits: Mask, visitors: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the share of hits and its 95 % interval, visitors with all their baskets drawn with replacement."""
    if not len(hits):
        return 0.0, 0.0, 0.0
    _, visitor = np.unique(visitors, return_inverse=True)
    found, baskets = np.bincount(visitor, hits), np.bincount(visitor)
    draws = np.random.default_rng(0).multinomial(len(baskets), np.full(len(baskets), 1 / len(baskets)), BOOTSTRAPS)
    low, high = np.percentile((draws @ found) / (draws @ baskets), [2.5, 97.5])
    return float(hits.mean()), float(low), float(high)
