"""Recommendations for a shopper from the products viewed so far in the session, and popular products."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.product import Product
from indexer.types import Floats, Mask
from search.query.filters import parse_filter
from search.query.terms import ProductTerm, Query
from search.recommend.content.substitutes import Recommendation, Recommendations, RecommenderShop, check_k
from search.recommend.events.event_statistics import EventStatistics

MAX_VIEWS = 12  # newest views that count
HALF_LIFE = 3.0  # views after which a weight is halved
POOL_SIZE = 200  # candidates by similarity to the views
POPULAR_POOL_SIZE = 200  # candidates by popularity in the whole shop
# Weights of signals from 0 to 1, added to similarity from -1 to 1; chosen on simulated visits
# (docs/decisions/recommendations.md).
CATEGORY_WEIGHT = 0.4
TOGETHER_WEIGHT = 2.0
POPULARITY_WEIGHT = 1.0  # weight of popularity's fourth root, since popularity is very uneven
RELEVANCE_SHARE = 0.8  # share of relevance in maximal marginal relevance; the rest is diversity
LIKE, TOGETHER = "like what you viewed", "viewed together with what you viewed"
POPULAR_NOW = "popular"
IN_STOCK = parse_filter({"in_stock": True})

Floats64 = NDArray[np.float64]
Eligible = Callable[[list[int], Floats64], Mask]


def session(shop: RecommenderShop, statistics: EventStatistics, viewed: Sequence[str], k: int = 20) -> Recommendations:
    """Return up to k products in stock for a shopper who viewed these, oldest first, without them. Raises BadQuery.

    Unknown ids are ignored. When all are unknown, popular products are returned, or none in a shop without events.
    """
    check_k(k)
    newest_first = list(dict.fromkeys(reversed(viewed)))[: 4 * MAX_VIEWS]
    known = shop.find(newest_first)
    found = [known[product_id] for product_id in newest_first if product_id in known]
    rows = shop.similarity_vectors([product.id for product in found])
    recent = [product for product, row in zip(found, rows, strict=True) if row.any()][:MAX_VIEWS]
    if not recent:
        return popular(shop, statistics, k, leave_out=viewed)
    products = _candidates(shop, statistics, recent, set(viewed))
    if not products:
        return ()
    rows = shop.similarity_vectors([product.id for product in (*recent, *products)])
    viewed_rows, rows = rows[: len(recent)], rows[len(recent) :]
    weights = decay(len(recent))
    content = (rows @ viewed_rows.T) @ weights + CATEGORY_WEIGHT * _category_share(recent, weights, products)
    together = _viewed_together(statistics, recent, weights, products)
    popularity = np.array([statistics.popular.get(product.id, 0.0) for product in products]) ** 0.25
    popularity = POPULARITY_WEIGHT * (popularity * statistics.evidence)
    score = content + TOGETHER_WEIGHT * together + popularity
    reasons = np.where(together > 0, TOGETHER, np.where(popularity > content, POPULAR_NOW, LIKE)).tolist()
    chosen = marginal(score, rows, k, RELEVANCE_SHARE)
    return tuple(Recommendation(products[i], float(score[i]), reasons[i]) for i in chosen)


def popular(
    shop: RecommenderShop, statistics: EventStatistics, k: int = 20, leave_out: Sequence[str] = ()
) -> Recommendations:
    """Return up to k of the most popular products in stock; none in a shop without events. Raises BadQuery."""
    check_k(k)
    excluded = set(leave_out)
    ranked = [product_id for product_id in statistics.popular if product_id not in excluded][: k + POPULAR_POOL_SIZE]
    found = shop.find(ranked)
    stocked = [found[product_id] for product_id in ranked if product_id in found and found[product_id].in_stock]
    return tuple(Recommendation(product, statistics.popular[product.id], POPULAR_NOW) for product in stocked[:k])


def decay(count: int, half_life: float = HALF_LIFE) -> Floats64:
    """Return the weights of `count` views, newest first: halved every `half_life` views, with sum 1."""
    weights = 0.5 ** (np.arange(count) / half_life)
    return np.asarray(weights / weights.sum())


def marginal(relevance: Floats64, rows: Floats, k: int, share: float, eligible: Eligible | None = None) -> list[int]:
    """Choose k positions by maximal marginal relevance (Carbonell and Goldstein 1998).

    Each is the one with the highest share * relevance - (1 - share) * similarity to those chosen before; ties by place.
    `eligible` says which positions may come next, given those chosen and the similarity (n,) to the closest of them;
    where it allows none, the choice ends.
    """
    closest = np.zeros(len(relevance))
    left = np.ones(len(relevance), dtype=np.bool_)
    picked: list[int] = []
    while len(picked) < k:
        choice = left if eligible is None else left & eligible(picked, closest)
        if not choice.any():
            break
        value = np.where(choice, share * relevance - (1 - share) * closest, -np.inf)
        best = int(value.argmax())
        picked.append(best)
        left[best] = False
        similarity = rows @ rows[best]
        closest = similarity if len(picked) == 1 else np.maximum(closest, similarity)
    return picked


def _candidates(
    shop: RecommenderShop, statistics: EventStatistics, recent: Sequence[Product], viewed: set[str]
) -> list[Product]:
    """Return candidates sorted by id: similar to the views, viewed together, popular in their category or the shop."""
    weights = decay(len(recent)).tolist()
    terms = tuple(ProductTerm(product.id, weight) for product, weight in zip(recent, weights, strict=True))
    page = shop.search_many([Query(terms, k=POOL_SIZE, filter=IN_STOCK)])[0]
    found = {hit.product.id: hit.product for hit in page.hits}
    others = {other for product in recent for other in statistics.together.get(product.id, ())}
    others |= {leader for product in recent for leader in statistics.leading.get(product.category, ())}
    others |= set(itertools.islice(statistics.popular, POPULAR_POOL_SIZE))
    found |= shop.find(sorted(others - found.keys() - viewed))
    return [product for key, product in sorted(found.items()) if product.in_stock and key not in viewed]


def _category_share(recent: Sequence[Product], weights: Floats64, products: Sequence[Product]) -> Floats64:
    """Return the weighted share of the views that have each product's category."""
    shares: dict[str, float] = defaultdict(float)
    for product, weight in zip(recent, weights.tolist(), strict=True):
        shares[product.category] += weight
    return np.array([shares[product.category] for product in products])


def _viewed_together(
    statistics: EventStatistics, recent: Sequence[Product], weights: Floats64, products: Sequence[Product]
) -> Floats64:
    """Return the weighted strength with which each product is viewed together with the views."""
    total = np.zeros(len(products))
    for product, weight in zip(recent, weights.tolist(), strict=True):
        if together := statistics.together.get(product.id):
            total += weight * np.array([together.get(candidate.id, 0.0) for candidate in products])
    return total
