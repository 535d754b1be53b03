"""A visitor's own history: what was bought often and lately is bought again."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.interactions import History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import WEEK_S, Arrays, Context, RecommenderModel

HALF_LIFE_WEEKS = 13.0


class OwnHistory(RecommenderModel):
    """Scores a product by the visitor's purchases of it, halved every 13 weeks; nothing is fitted."""

    name: ClassVar[str] = "own_history"

    def __init__(self, products: int) -> None:
        self._products = products

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Return the model for a table of products."""
        return cls(len(products))

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the decayed number of purchases of each product."""
        return own_counts(visitor.of_kind(), self._products, context.now)

    def arrays(self) -> Arrays:
        """Return the number of products."""
        return {"products": np.array([self._products])}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(int(arrays["products"][0]))


def own_counts(purchases: History, products: int, now: int, half_life_weeks: float = HALF_LIFE_WEEKS) -> Floats:
    """Return the decayed number of a visitor's purchases of each product before `now`, float32 (products,)."""
    known = purchases.before(now)
    ages = (now - known.times) / (half_life_weeks * WEEK_S)
    return np.bincount(known.products, 0.5**ages, minlength=products).astype(np.float32)
