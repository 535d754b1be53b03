"""What the models that rank in a shop share: candidates of the first stage, and popularity for all other products."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from indexer.types import Floats
from search.recommend.events.interactions import History
from search.recommend.models.base import Context, RecommenderModel
from search.recommend.ranking.first_stage import Candidates, FirstStage

TAIL = 1e-6  # highest score of a product that is no candidate, so that a filter which leaves no candidate finds some


class CandidateRanker(RecommenderModel):
    """Scores the candidates of the first stage, and other products by popularity, up to TAIL."""

    def __init__(self, first: FirstStage) -> None:
        self.first = first
        recent = first.statistics.recent
        self._tail = (recent * np.float32(TAIL) / max(float(recent.max(initial=0.0)), 1e-6)).astype(np.float32)

    @property
    def popularity(self) -> Floats:
        """The recent popularity of each product (products,)."""
        return self.first.statistics.recent

    @property
    def repeat_rate(self) -> Floats:
        """The share of each product's buyers who buy it again, smoothed by category (products,)."""
        return self.first.statistics.repeat_rate

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the score of each candidate, and one up to TAIL for other products."""
        candidates = self.first.propose(visitor, context)
        scores = self._tail.copy()
        scores[candidates.codes] = self.rank(candidates)
        return scores

    @abstractmethod
    def rank(self, candidates: Candidates) -> Floats:
        """Return the score of each candidate, float32 (candidates,)."""
