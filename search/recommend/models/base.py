"""The contract of recommender models: fitted on events, asked with one visitor's history.

A model holds facts of products alone, never of a visitor: a visitor's history is given with each question ("fold-in"),
so a visitor who is forgotten is in no model, and an event counts at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from indexer.types import Floats, Mask
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.events.product_table import ProductTable

Arrays = Mapping[str, NDArray[Any]]
NO_PRODUCTS: Codes = np.empty(0, np.int32)
DAY_S, WEEK_S = 86_400, 7 * 86_400


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """When and where recommendations are wanted: unix seconds, and the products in the cart or on the page."""

    now: int
    cart: Codes = field(default_factory=lambda: NO_PRODUCTS)


@dataclass(frozen=True, slots=True, eq=False)
class ScoredProducts:
    """Recommended products by their position in the table, best first, with their scores."""

    products: Codes
    scores: Floats


class RecommenderModel(ABC):
    """Scores products for a visitor; scores compare the products of one answer, and 0 says that nothing is known."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit on events before `now`, unix seconds. Raises MissingExtra where fitting needs packages of `recs`."""

    @abstractmethod
    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the score of each product, float32 (products,)."""

    def recommend(self, visitor: History, context: Context, k: int, allowed: Mask | None = None) -> ScoredProducts:
        """Return up to k allowed products (mask (products,), None for all) with a score above 0, best first.

        Ties are in the order of the table, so the same question has the same answer.
        """
        scores = self.scores(visitor, context)
        return top(scores if allowed is None else np.where(allowed, scores, 0.0), k)

    def arrays(self) -> Arrays:
        """Return what the model consists of, to be stored without pickle; see `from_arrays`."""
        raise NotImplementedError(f"{self.name} is only fitted and measured, never stored.")

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        raise NotImplementedError(f"{cls.name} is only fitted and measured, never stored.")


def top(scores: Floats, k: int) -> ScoredProducts:
    """Return the k products of the highest scores above 0, best first; ties in the order of the table."""
    candidates = np.flatnonzero(scores > 0)
    if k < len(candidates):  # among the positive ones: a partition of many equal zeros is slow
        values = scores[candidates]
        candidates = candidates[values >= np.partition(values, len(values) - k)[len(values) - k]]
    best = candidates[np.lexsort((candidates, -scores[candidates]))][:k]
    return ScoredProducts(best.astype(np.int32), scores[best].astype(np.float32))
