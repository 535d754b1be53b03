"""Products that are bought together: what completes a basket, and what is shown with a product."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats, Mask
from search.recommend.events.event_log import DISMISS, PURCHASE
from search.recommend.events.interactions import KIND_CODES, Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import WEEK_S, Arrays, Context, RecommenderModel, ScoredProducts
from search.recommend.models.co_occurrence import (
    ORDER_GAP_S,
    SESSION_GAP_S,
    ProductNeighbours,
    Similarity,
    baskets,
    co_occurring,
    newest_products,
)
from search.recommend.models.own_history import own_counts

WINDOW_WEEKS = 52  # a year: shorter windows found less, see docs/decisions/recommendations.md
RECENT_PRODUCTS = 20  # of a visitor's history, which stand in for an empty cart

TOGETHER_SHARE = np.float32(1.0)  # of what is bought together, beside a visitor's own history


class Together(RecommenderModel):
    """Scores products by how often they are in one basket with those of the cart.

    The neighbours of a product are those of its purchases (mask `bought`), where there are any, and else those of the
    sessions in which it was looked at.
    """

    name: ClassVar[str] = "together"

    def __init__(self, neighbours: ProductNeighbours, bought: Mask) -> None:
        self._neighbours = neighbours
        self.bought = bought

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Count the pairs of the year before `now`, of two visitors or more."""
        recent = events.between(now - WINDOW_WEEKS * WEEK_S, now)
        purchases = recent.of_kind()
        neighbours = co_occurring(purchases, baskets(purchases, ORDER_GAP_S), len(products), Similarity())
        bought: Mask = np.diff(neighbours.starts) > 0
        looks = recent.where(~np.isin(recent.columns.kinds, (KIND_CODES[PURCHASE], KIND_CODES[DISMISS])))
        viewed = co_occurring(looks, baskets(looks, SESSION_GAP_S), len(products), Similarity())
        return cls(neighbours.or_else(viewed), bought)

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the sum of the similarities to the products of the cart, 0 for those of the cart themselves.

        Where the cart is empty, the visitor's newest products stand in for it.
        """
        cart = np.unique(context.cart)
        basis = cart if len(cart) else newest_products(visitor.before(context.now), RECENT_PRODUCTS)
        scores = self._neighbours.scores(basis, np.ones(len(basis), np.float32))
        scores[cart] = 0.0
        return scores

    def neighbours(self, product: int) -> ScoredProducts:
        """Return what is bought (or looked at, see `bought`) together with a product, best first."""
        return self._neighbours.of_product(product)

    def strongest(self, cart: Codes, product: int) -> int | None:
        """Return the product of the cart that counts most for `product`, the first of equals; None where none does."""
        weights = self._neighbours.weight(cart, product)
        return int(cart[np.argmax(weights)]) if weights.any() else None

    def arrays(self) -> Arrays:
        """Return the neighbours of all products, and for which they were bought."""
        return {**self._neighbours.arrays(), "bought": self.bought}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(ProductNeighbours.from_arrays(arrays), arrays["bought"])


class BasketCompletion(RecommenderModel):
    """Scores what completes a cart: the visitor's own history, and what is bought together with the cart.

    Each part is a share of its highest score; the root of the own one brings rare and frequent purchases nearer.
    """

    name: ClassVar[str] = "basket_completion"

    def __init__(self, together: Together) -> None:
        self.together = together

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit what is bought together; the own history is read at each question."""
        return cls(Together.fit(events, products, now))

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the sum of both shares, 0 for the products of the cart."""
        together = self.together.scores(visitor, context)
        own = own_counts(visitor.before(context.now).of_kind(), len(together), context.now)
        own[context.cart] = 0.0
        scores: Floats = np.sqrt(_share(own)) + TOGETHER_SHARE * _share(together)
        return scores

    def arrays(self) -> Arrays:
        """Return the arrays of what is bought together."""
        return self.together.arrays()

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(Together.from_arrays(arrays))


def _share(scores: Floats) -> Floats:
    highest = scores.max(initial=0.0)
    return scores / highest if highest > 0 else scores
