"""The model that recommends in a shop: candidates of several models, ranked by gradient-boosted trees."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.interactions import Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Arrays
from search.recommend.ranking.candidate_ranker import CandidateRanker
from search.recommend.ranking.first_stage import Candidates, FirstStage
from search.recommend.ranking.training import training_rows
from search.trees.tree_ensemble import TreeEnsemble, fit_trees

_TREES = "trees"


class TwoStage(CandidateRanker):
    """Scores candidates by the probability that the visitor buys them in the weeks to come, others by popularity."""

    name: ClassVar[str] = "two_stage"

    def __init__(self, first: FirstStage, trees: TreeEnsemble) -> None:
        super().__init__(first)
        self._trees = trees

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

    def rank(self, candidates: Candidates) -> Floats:
        """Return the probability that the visitor buys each candidate."""
        return self._trees.predict(self.first.features(candidates))

    def arrays(self) -> Arrays:
        """Return the arrays of the first stage, and the trees as the bytes of an ONNX file."""
        return {**self.first.arrays(), _TREES: np.frombuffer(self._trees.graph, np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(FirstStage.from_arrays(arrays), TreeEnsemble(arrays[_TREES].tobytes()))
