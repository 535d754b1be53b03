"""The first stage: a few hundred candidates, from own history, EASE, baskets, categories and popularity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.interactions import History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Arrays, Context, top
from search.recommend.models.ease import Ease
from search.recommend.models.together import Together
from search.recommend.ranking.features import features_of
from search.recommend.ranking.product_statistics import ProductStatistics
from search.recommend.ranking.visitor_profile import VisitorProfile, interest_of

# Candidates of each sort. Twice as many found no more on the weeks before the holdout, and take twice the time.
MAX_OWN, MAX_EASE, MAX_TOGETHER, MAX_CATEGORIES, MAX_POPULAR = 300, 150, 50, 120, 80
_PARTS = ("statistics", "ease", "together")


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The profile of a visitor, candidates by code (m,) in their order, and each model's scores of them."""

    profile: VisitorProfile
    codes: NDArray[np.int64]
    models: Mapping[str, Floats]


class FirstStage:
    """Models that propose candidates; `statistics` are of all products."""

    def __init__(self, statistics: ProductStatistics, ease: Ease, together: Together) -> None:
        self.statistics = statistics
        self.ease = ease
        self.together = together
        self._popular = top(statistics.recent, MAX_POPULAR).products.astype(np.int64)

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit all models on events before `now`."""
        known = events.between(0, now)
        statistics = ProductStatistics.fit(known, products, now)
        return cls(statistics, Ease.fit(known, products, now), Together.fit(known, products, now))

    def propose(self, visitor: History, context: Context) -> Candidates:
        """Return the candidates for a visitor: what was bought or looked at, and what the models put first."""
        profile = VisitorProfile.of(visitor, self.statistics, context.now)
        scores = {"ease": self.ease.scores(visitor, context), "together": self.together.scores(visitor, context)}
        own = profile.own.codes[np.argsort(-profile.interest, kind="stable")[:MAX_OWN]]
        ranked = [
            top(scores["ease"], MAX_EASE),
            top(scores["together"], MAX_TOGETHER),
            top(self.category_scores(profile), MAX_CATEGORIES),
        ]
        codes = np.unique(np.concatenate([own, self._popular, *(found.products.astype(np.int64) for found in ranked)]))
        return Candidates(profile, codes, {name: column[codes] for name, column in scores.items()})

    def features(self, candidates: Candidates) -> Floats:
        """Return float32 (candidates, FEATURES)."""
        return features_of(candidates.profile, self.statistics, candidates.codes, candidates.models)

    def category_scores(self, profile: VisitorProfile) -> Floats:
        """Return the visitor's interest in each product's category times the product's share of it (products,)."""
        interest = np.zeros(int(self.statistics.types.max(initial=0)) + 1, np.float32)
        interest[profile.types.codes] = interest_of(profile.types.columns)
        return np.asarray(interest[self.statistics.types] * self.statistics.type_share)

    def arrays(self) -> Arrays:
        """Return the arrays of all models, each name with that of its model."""
        return {f"{part}.{name}": array for part in _PARTS for name, array in getattr(self, part).arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the models of their arrays."""
        parts = {part: {name: arrays[name] for name in arrays if name.startswith(f"{part}.")} for part in _PARTS}
        statistics, ease, together = (
            {name.partition(".")[2]: array for name, array in parts[part].items()} for part in _PARTS
        )
        return cls(ProductStatistics.from_arrays(statistics), Ease.from_arrays(ease), Together.from_arrays(together))
