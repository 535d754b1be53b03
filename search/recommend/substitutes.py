"""More for a shopper: what every recommendation asks of a shop and looks like, and what can stand in for a product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from catalog.errors import BadQuery
from catalog.product import CATEGORY_SEPARATOR, Product
from search.hits import SearchPage, product_facts
from search.query.terms import MAX_K, ProductTerm, Query
from search.recommend.compatibility_rules import PairRules, conflicts, without_conflicts

if TYPE_CHECKING:
    from indexer.types import Floats

NEAR, FAR = (0.5, 1.5), (1 / 3, 2.0)  # times the price of the product: what is near, and what still is when few are
ENOUGH = 5  # substitutes for which no wider circle is looked through


class RecommenderShop(Protocol):
    """What recommending asks of a shop; SearchEngine has it."""

    def search_many(self, queries: Sequence[Query]) -> list[SearchPage]:
        """A page for each query, with its filter inside the search."""
        ...

    def product(self, product_id: str) -> Product:
        """The product with that id. Raises UnknownProduct."""
        ...

    def find(self, ids: Sequence[str]) -> Mapping[str, Product]:
        """Those of these products that there are, by id."""
        ...

    def similarity_vectors(self, ids: Sequence[str]) -> Floats:
        """A row (dim,) for each id, float32: the dot product of two is how alike they are; zeros for what has none."""
        ...

    def categories(self) -> Mapping[str, int]:
        """Each category that a product has, as the feed writes it, and how many products have it."""
        ...


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A product to show, how well it suits (to be compared within one answer only), and why in a few words."""

    product: Product
    score: float
    reason: str

    def to_dict(self, rank: int) -> dict[str, Any]:
        """The recommendation as JSON values: the picture as its content hash."""
        return {
            "rank": rank,
            **product_facts(self.product),
            "score": round(self.score, 6),
            "reason": self.reason,
            "picture": self.product.pictures[0].sha256 if self.product.pictures else "",
        }


@dataclass(frozen=True, slots=True)
class _Circle:
    """How far from the product a substitute may lie: its category or the one above, and factors of its price."""

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
_PRICELESS = (_Circle(False, None, "same category"), _Circle(True, None, "related category"))


def substitutes(shop: RecommenderShop, rules: PairRules, product_id: str, k: int = 10) -> tuple[Recommendation, ...]:
    """What can be had instead of a product: most alike first, in stock, of its category, near in price.

    Only while fewer than ENOUGH (or k) are found is the circle widened, a step at a time; what a wider circle adds
    comes last. A product without a price is near none. Raises UnknownProduct, BadQuery.
    """
    check_k(k)
    product = shop.product(product_id)
    barred = rules.against(product)
    priced = product.price is not None and product.price > 0
    found: dict[str, Recommendation] = {}
    for circle in _CIRCLES if priced else _PRICELESS:
        asked = _within(product, circle)
        if asked is None:
            continue
        # A wider circle holds all the narrower ones, so their products have to be looked past.
        depth = min(k + len(found), MAX_K)
        page = shop.search_many([Query((ProductTerm(product_id),), k=depth, filter=without_conflicts(asked, barred))])[
            0
        ]
        for hit in page.hits:
            if len(found) < k and hit.product.in_stock and not conflicts(hit.product, barred):
                found.setdefault(hit.product.id, Recommendation(hit.product, hit.score, circle.reason))
        if len(found) >= min(k, ENOUGH):
            break
    return tuple(found.values())


def check_k(k: int) -> None:
    """Raise BadQuery when so many recommendations cannot be given."""
    if not 1 <= k <= MAX_K:
        raise BadQuery(f"k is {k}, which is outside 1 to {MAX_K}.", f"Ask for at most {MAX_K} recommendations.")


def _within(product: Product, circle: _Circle) -> dict[str, Any] | None:
    """The filter of a circle; None when it would be no wider than one without `parent`."""
    asked: dict[str, Any] = {}
    path = product.category_path
    if circle.parent:
        if len(path) < 2:
            return None
        path = path[:-1]
    if path:
        asked["category"] = CATEGORY_SEPARATOR.join(path)
    if circle.prices is not None and product.price is not None:
        asked["price"] = {
            "min": float(product.price) * circle.prices[0],
            "max": float(product.price) * circle.prices[1],
        }
        if product.currency:
            asked["price"]["currency"] = product.currency
    return asked
