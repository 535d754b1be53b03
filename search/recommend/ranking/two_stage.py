"""The model that recommends in a shop: candidates of several models, ranked by gradient-boosted trees."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.interactions import History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Arrays, Context, RecommenderModel
from search.recommend.ranking.first_stage import FirstStage
from search.recommend.ranking.training import training_rows
from search.recommend.ranking.tree_ensemble import TreeEnsemble, fit_trees

_TREES = "trees"
TAIL = 1e-6  # highest score of a product that is no candidate, so that a filter which leaves no candidate finds some


class TwoStage(RecommenderModel):
    """Scores candidates by the probability that the visitor buys them in the weeks to come, others by popularity."""

    name: ClassVar[str] = "two_stage"

    def __init__(self, first: FirstStage, trees: TreeEnsemble) -> None:
        self.first = first
        self._trees = trees
        recent = first.statistics.recent
        self._tail = (recent * np.float32(TAIL) / max(float(recent.max(initial=0.0)), 1e-6)).astype(np.float32)

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit the trees on past moments, and the first stage on all events before `now`.

        Raises MissingExtra, TooFewEvents when there are too few events.
        """
        known = events.between(0, now)
        rows = training_rows(known, products, now)
        trees = fit_trees(rows.features, rows.labels)
        del rows
        return cls(FirstStage.fit(known, products, now), trees)

    @property
    def popularity(self) -> Floats:
        """The recent popularity of each product (products,)."""
        return self.first.statistics.recent

    @property
    def repeat_rate(self) -> Floats:
        """The share of each product's buyers who buy it again, smoothed by category (products,)."""
        return self.first.statistics.repeat_rate

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the probability of each candidate, and a score up to TAIL for other products."""
        candidates = self.first.propose(visitor, context)
        scores = self._tail.copy()
        scores[candidates.codes] = self._trees.predict(self.first.features(candidates))
        return scores

    def arrays(self) -> Arrays:
        """Return the arrays of the first stage, and the trees as the bytes of an ONNX file."""
        return {**self.first.arrays(), _TREES: np.frombuffer(self._trees.graph, np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(FirstStage.from_arrays(arrays), TreeEnsemble(arrays[_TREES].tobytes()))
