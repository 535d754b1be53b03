"""Nearest neighbours among visitors, and among baskets: what those bought who bought the same.

Both models hold what others bought, row by row. They are fitted and measured for comparison, and cannot be stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import WEEK_S, Context, RecommenderModel, top
from search.recommend.models.co_occurrence import (
    MAX_GROUP,
    ORDER_GAP_S,
    Positions,
    baskets,
    distinct,
    expand,
    newest_products,
)

VISITORS = 50  # nearest visitors that count
BASKETS = 200  # nearest baskets that count
BASKET_WEEKS = 26
BASKET_PRODUCTS = 20  # of a visitor's history, which stand in for an empty cart


@dataclass(frozen=True, slots=True, eq=False)
class ProductSets:
    """Sets of products: those of set s are `members` from starts[s] to starts[s + 1], and by product the sets."""

    starts: Positions
    members: Codes
    product_starts: Positions
    sets: Codes

    @classmethod
    def of(cls, events: Interactions, groups: Codes, products: int) -> ProductSets:
        """Make a set of the newest distinct products of each group; `groups` (n,) are in the order of the events."""
        rows = distinct(events, groups)
        members, group = events.products[rows], groups[rows]
        order = np.argsort(members, kind="stable")
        count = int(groups.max(initial=-1)) + 1
        return cls(_starts(group, count), members, _starts(members, products), group[order])

    def nearest(self, products: Codes, k: int) -> tuple[Codes, Floats]:
        """Return the k sets of the highest cosine with a set of products (m,), and the cosines."""
        begins = self.product_starts[products]
        rows = expand(begins, self.product_starts[products + 1] - begins)
        shared = np.bincount(self.sets[rows], minlength=len(self.starts) - 1)
        sizes = np.maximum(np.diff(self.starts), 1)
        found = top((shared / np.sqrt(sizes * max(len(products), 1))).astype(np.float32), k)
        return found.products, found.scores

    def scores(self, products: Codes, k: int) -> Floats:
        """Return float32 (products,): the cosines of the k nearest sets that hold each product, added."""
        nearest, cosines = self.nearest(products, k)
        begins = self.starts[nearest]
        counts = self.starts[nearest + 1] - begins
        members = self.members[expand(begins, counts)]
        sums = np.bincount(members, np.repeat(cosines, counts), len(self.product_starts) - 1)
        return sums.astype(np.float32)


class UserNeighbours(RecommenderModel):
    """Scores a product by the 50 visitors of the most similar products (cosine of the newest 200) who chose it.

    A visitor whom the model was fitted on is among the nearest.
    """

    name: ClassVar[str] = "user_neighbours"

    def __init__(self, visitors: ProductSets) -> None:
        self._visitors = visitors

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Hold the newest products of each visitor before `now`."""
        known = events.between(0, now)
        return cls(ProductSets.of(known, known.visitors, len(products)))

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the sum of the cosines of the nearest visitors who chose each product."""
        return self._visitors.scores(newest_products(visitor.before(context.now), MAX_GROUP), VISITORS)


class SessionNeighbours(RecommenderModel):
    """Scores a product by the 200 most similar baskets of half a year that hold it (Jannach and Ludewig 2017)."""

    name: ClassVar[str] = "session_neighbours"

    def __init__(self, sessions: ProductSets) -> None:
        self._sessions = sessions

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Hold the baskets of purchases of the 26 weeks before `now`."""
        recent = events.between(now - BASKET_WEEKS * WEEK_S, now).of_kind()
        return cls(ProductSets.of(recent, baskets(recent, ORDER_GAP_S), len(products)))

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the sum of the cosines of the baskets nearest to the cart, or to the visitor's newest products."""
        cart = np.unique(context.cart)
        basis = cart if len(cart) else newest_products(visitor.before(context.now), BASKET_PRODUCTS)
        scores = self._sessions.scores(basis, BASKETS)
        scores[cart] = 0.0
        return scores


def _starts(codes: Codes, count: int) -> Positions:
    return np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=count))]).astype(np.int64)
