"""Substitutes of a product, and what all recommendations share: the shop's interface and the result type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from catalog.errors import BadQuery
from catalog.product import CATEGORY_SEPARATOR, Product
from search.hits import SearchPage, product_facts
from search.query.terms import MAX_K, ProductTerm, Query
from search.recommend.content.compatibility_rules import PairRules, fits, without_conflicts

if TYPE_CHECKING:
    from indexer.types import Floats

NEAR, FAR = (0.5, 1.5), (1 / 3, 2.0)  # price range, as factors of the product's price
MIN_SUBSTITUTES = 5  # enough substitutes that no wider circle is searched


class RecommenderShop(Protocol):
    """What the recommender needs of a shop; SearchEngine implements it."""

    def search_many(self, queries: Sequence[Query]) -> list[SearchPage]:
        """Return a page for each query, with its filter applied inside the search."""

    def product(self, product_id: str) -> Product:
        """Return the product with that id. Raises UnknownProduct."""

    def find(self, ids: Sequence[str]) -> Mapping[str, Product]:
        """Return the products that exist, by id."""

    def similarity_vectors(self, ids: Sequence[str]) -> Floats:
        """Return a row (dim,) for each id, float32: dot products are similarities; zeros for products without one."""

    def categories(self) -> Mapping[str, int]:
        """Return the number of products of each category, as the feed writes it."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A product to show, its score (comparable within one answer only), and the reason in a few words."""

    product: Product
    score: float
    reason: str

    def to_dict(self, rank: int) -> dict[str, Any]:
        """Return the recommendation as JSON values; the picture as its content hash."""
        return {
            "rank": rank,
            **product_facts(self.product),
            "score": round(self.score, 6),
            "reason": self.reason,
            "picture": self.product.pictures[0].sha256 if self.product.pictures else "",
        }


Recommendations = tuple[Recommendation, ...]


class _Circle(NamedTuple):
    """How far a substitute may differ: the product's category or the one above, and factors of its price."""

    parent: bool
    prices: tuple[float, float] | None
    reason: str


_CIRCLES = (
    _Circle(False, NEAR, "same category, near in price"),
    _Circle(False, FAR, "same category, price within reach"),
    _Circle(True, NEAR, "related category, near in price"),
    _Circle(True, FAR, "related category, price within reach"),
    _Circle(False, None, "same category, another price"),
    _Circle(True, None, "related category, another price"),
)
_CIRCLES_WITHOUT_PRICE = (_Circle(False, None, "same category"), _Circle(True, None, "related category"))


def substitutes(shop: RecommenderShop, rules: PairRules, product_id: str, k: int = 10) -> Recommendations:
    """Return products in stock that can replace a product: its category, a near price, most similar first.

    While fewer than MIN_SUBSTITUTES (or k) are found, the circle is widened step by step; what a wider circle adds
    comes last. A product without a price has circles of categories alone. Raises UnknownProduct, BadQuery.
    """
    check_k(k)
    product = shop.product(product_id)
    excluded = rules.excluded_values(product)
    priced = product.price is not None and product.price > 0
    found: dict[str, Recommendation] = {}
    for circle in _CIRCLES if priced else _CIRCLES_WITHOUT_PRICE:
        conditions = _within(product, circle)
        if conditions is None:
            continue
        # A wider circle contains all the narrower ones, so their products have to be skipped.
        depth = min(k + len(found), MAX_K)
        query = Query((ProductTerm(product_id),), k=depth, filter=without_conflicts(conditions, excluded))
        for hit in shop.search_many([query])[0].hits:
            if len(found) < k and fits(hit.product, excluded):
                found.setdefault(hit.product.id, Recommendation(hit.product, hit.score, circle.reason))
        if len(found) >= min(k, MIN_SUBSTITUTES):
            break
    return tuple(found.values())


def check_k(k: int) -> None:
    """Raise BadQuery when k is outside 1 to MAX_K."""
    if not 1 <= k <= MAX_K:
        raise BadQuery(f"k is {k}, which is outside 1 to {MAX_K}.", f"Ask for at most {MAX_K} recommendations.")


def _within(product: Product, circle: _Circle) -> dict[str, Any] | None:
    """Return the filter of a circle; None when the product has no category above its own."""
    path = product.category_path
    if circle.parent and len(path) < 2:
        return None
    path = path[:-1] if circle.parent else path
    conditions: dict[str, Any] = {"category": CATEGORY_SEPARATOR.join(path)} if path else {}
    if circle.prices is not None and product.price is not None:
        low, high = (float(product.price) * factor for factor in circle.prices)
        conditions["price"] = {"min": low, "max": high} | ({"currency": product.currency} if product.currency else {})
    return conditions
