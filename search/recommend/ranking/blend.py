"""A weighted sum of the first stage's models, whose shares depend on how much is known of visitor and product.

    score = known * (own + ease_share * seen * ease + category_share * category) + (1 - known) * popularity
    known = baskets / (baskets + half_baskets)        seen = buyers / (buyers + half_buyers)

Each part is divided by its highest value. The four numbers are chosen on held-out weeks. It needs no trees: it serves a
shop whose events are too few for them.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from itertools import product
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.interactions import Codes, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Arrays, Context
from search.recommend.ranking.candidate_ranker import CandidateRanker
from search.recommend.ranking.first_stage import Candidates, FirstStage
from search.recommend.ranking.training import MAX_NEWCOMER_BASKETS, last_baskets, past_moments

MAX_VISITORS = 400  # of the held-out weeks, by whom the shares are chosen
LIST = 20
EASE_SHARES, CATEGORY_SHARES = (0.1, 0.3, 0.6), (0.0, 0.1, 0.3)
HALF_BASKETS, HALF_BUYERS = (0.3, 1.0, 4.0), (0.0, 20.0)


@dataclass(frozen=True, slots=True)
class Shares:
    """The numbers of the formula above."""

    ease: float = 0.3
    category: float = 0.1
    half_baskets: float = 1.0
    half_buyers: float = 0.0


class Blend(CandidateRanker):
    """Scores the candidates of the first stage by the sum of its models."""

    name: ClassVar[str] = "blend"

    def __init__(self, first: FirstStage, shares: Shares) -> None:
        super().__init__(first)
        self.shares = shares

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Choose the shares on the last weeks before `now`, then fit on all events. Raises TooFewEvents."""
        known = events.between(0, now)
        return cls(FirstStage.fit(known, products, now), choose_shares(known, products, now))

    def rank(self, candidates: Candidates) -> Floats:
        """Return the sum for each candidate."""
        return _sum(_parts(self.first, candidates), self.shares)

    def arrays(self) -> Arrays:
        """Return the arrays of the first stage, and the shares."""
        return {**self.first.arrays(), "shares": np.array(astuple(self.shares))}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(FirstStage.from_arrays(arrays), Shares(*arrays["shares"].tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """The parts of the sum for candidates (m,), each at most 1; buyers of each; the visitor's baskets."""

    own: Floats
    ease: Floats
    category: Floats
    popularity: Floats
    buyers: Floats
    baskets: float


def choose_shares(events: Interactions, products: ProductTable, now: int, seed: int = 0) -> Shares:
    """Return the shares with the highest nDCG of all and of new products, for regular and new visitors together."""
    at, end = past_moments(events, now)[0]
    first = FirstStage.fit(events, products, at)
    known, later = events.between(0, at), events.between(at, end).of_kind()
    rng = np.random.default_rng(seed)
    returning = np.flatnonzero((np.diff(known.starts) > 0) & (np.diff(later.starts) > 0))
    cases = []
    for visitor in rng.permutation(returning)[:MAX_VISITORS].tolist():
        whole = known.history(visitor)
        for history in (whole, last_baskets(whole, int(rng.integers(1, MAX_NEWCOMER_BASKETS + 1)))):
            candidates = first.propose(history, Context(at))
            wanted = np.isin(candidates.codes, later.history(visitor).products)
            cases.append((_parts(first, candidates), wanted, ~np.isin(candidates.codes, history.products)))
    grid = [Shares(*values) for values in product(EASE_SHARES, CATEGORY_SHARES, HALF_BASKETS, HALF_BUYERS)]
    return max(grid, key=lambda shares: sum(_gain(_sum(parts, shares), *masks) for parts, *masks in cases))


def _parts(first: FirstStage, candidates: Candidates) -> _Parts:
    codes, profile = candidates.codes, candidates.profile
    return _Parts(
        _relative(profile.own.of(codes)["middle"]),
        _relative(np.maximum(candidates.models["ease"], 0)),
        _relative(first.category_scores(profile)[codes]),
        _relative(first.statistics.recent[codes]),
        first.statistics.buyers[codes],
        profile.visitor["baskets"],
    )


def _sum(parts: _Parts, shares: Shares) -> Floats:
    known = parts.baskets / (parts.baskets + shares.half_baskets)
    seen = parts.buyers / np.maximum(parts.buyers + shares.half_buyers, 1)
    personal = parts.own + shares.ease * seen * parts.ease + shares.category * parts.category
    return np.asarray(known * personal + (1 - known) * parts.popularity, np.float32)


def _gain(scores: Floats, wanted: NDArray[np.bool_], new: NDArray[np.bool_]) -> float:
    """Return the nDCG@20 of all products plus that of new ones."""
    return _ndcg(scores, wanted) + _ndcg(scores[new], wanted[new])


def _ndcg(scores: Floats, wanted: NDArray[np.bool_]) -> float:
    if not wanted.any():
        return 0.0
    discounts = 1 / np.log2(np.arange(2, LIST + 2))
    best: Codes = np.argsort(-scores, kind="stable")[:LIST].astype(np.int32)
    return float(discounts[: len(best)][wanted[best]].sum() / discounts[: int(wanted.sum())].sum())


def _relative(values: Floats) -> Floats:
    highest = float(values.max(initial=0.0))
    return np.asarray(values / highest, np.float32) if highest > 0 else values
