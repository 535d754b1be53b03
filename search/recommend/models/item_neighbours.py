"""Item-based collaborative filtering: products that the same visitors chose."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.interactions import History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Arrays, Context, RecommenderModel
from search.recommend.models.co_occurrence import (
    MAX_GROUP,
    ProductNeighbours,
    Similarity,
    co_occurring,
    newest_products,
)

# Few visitors share a product, so a neighbour needs less shrinkage than in baskets, which are many.
SIMILARITY = Similarity(shrinkage=20.0, neighbours=50)


class ItemNeighbours(RecommenderModel):
    """Scores a product by the cosine of its visitors with those of the products in the visitor's history.

    Each visitor counts with the newest 200 products (Sarwar et al. 2001; Deshpande and Karypis 2004).
    """

    name: ClassVar[str] = "item_neighbours"

    def __init__(self, neighbours: ProductNeighbours) -> None:
        self._neighbours = neighbours

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit on events of every kind before `now`."""
        known = events.between(0, now)
        return cls(co_occurring(known, known.visitors, len(products), SIMILARITY))

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the sum of the similarities to the visitor's newest products."""
        own = newest_products(visitor.before(context.now), MAX_GROUP)
        return self._neighbours.scores(own, np.ones(len(own), np.float32))

    def arrays(self) -> Arrays:
        """Return the neighbours of all products."""
        return self._neighbours.arrays()

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(ProductNeighbours.from_arrays(arrays))
