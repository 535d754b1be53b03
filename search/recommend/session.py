"""What to show next to a shopper, from the products that were viewed so far."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.product import Product
from indexer.types import Floats
from search.query.filters import parse_filter
from search.query.terms import ProductTerm, Query
from search.recommend.event_statistics import EventStatistics
from search.recommend.substitutes import Recommendation, RecommenderShop, check_k

VIEWS = 12  # newest views that count
HALF_LIFE = 3.0  # views after which one counts half
POOL = 200  # products most like the views among which is chosen
POPULAR = 200  # products popular in the whole shop that are considered as well
# What is added to a likeness from -1 to 1, all from 0 to 1; chosen on simulated visits (docs/decisions.md).
KIND = 0.4  # being of the categories viewed
BESIDE = 2.0  # being viewed together
LIKED = 1.0  # being popular: the fourth root of it, since popularity is very uneven
RELEVANCE = 0.8  # share of maximal marginal relevance; what is left is for being unlike what is shown already
LIKE, TOGETHER = "like what you viewed", "viewed together with what you viewed"
POPULAR_NOW = "popular"
IN_STOCK = parse_filter({"in_stock": True})

Floats64 = NDArray[np.float64]


def session(
    shop: RecommenderShop, trends: EventStatistics, viewed: Sequence[str], k: int = 20
) -> tuple[Recommendation, ...]:
    """Up to k products in stock for one who viewed these, oldest first; none of them again. Raises BadQuery.

    Ids that are not known (any more) are passed over. Where none is known the popular products are given, and nothing
    in a shop without events.
    """
    check_k(k)
    newest_first = list(dict.fromkeys(reversed(viewed)))[: 4 * VIEWS]
    known = shop.find(newest_first)
    there = [known[one] for one in newest_first if one in known]
    rows = shop.similarity_vectors([one.id for one in there])
    recent = [one for one, row in zip(there, rows, strict=True) if row.any()][:VIEWS]
    if not recent:
        return popular(shop, trends, k, leave_out=viewed)
    products = _candidates(shop, trends, recent, set(viewed))
    if not products:
        return ()
    rows = shop.similarity_vectors([one.id for one in (*recent, *products)])
    seen, rows = rows[: len(recent)], rows[len(recent) :]
    weights = decay(len(recent))
    near = session_similarity(rows, seen, weights)
    kind = _kind(recent, weights, products)
    beside = _beside(trends, recent, weights, products)
    liked = np.array([trends.popular.get(one.id, 0.0) for one in products]) ** 0.25 * trends.evidence
    score = near + KIND * kind + BESIDE * beside + LIKED * liked
    return tuple(
        Recommendation(
            products[i],
            float(score[i]),
            TOGETHER if beside[i] else POPULAR_NOW if LIKED * liked[i] > near[i] + KIND * kind[i] else LIKE,
        )
        for i in marginal(score, rows, k, RELEVANCE)
    )


def popular(
    shop: RecommenderShop, trends: EventStatistics, k: int = 20, leave_out: Sequence[str] = ()
) -> tuple[Recommendation, ...]:
    """Up to k of the products that shoppers want most, in stock; none in a shop without events. Raises BadQuery."""
    check_k(k)
    without = set(leave_out)
    wanted = [one for one in trends.popular if one not in without]
    found = shop.find(wanted[: k + POPULAR])
    stocked = [found[one] for one in wanted if one in found and found[one].in_stock]
    return tuple(Recommendation(one, trends.popular[one.id], POPULAR_NOW) for one in stocked[:k])


def decay(count: int, half_life: float = HALF_LIFE) -> Floats64:
    """The weights of so many views, newest first: halved every `half_life` views, 1 in all."""
    weights = 0.5 ** (np.arange(count) / half_life)
    return np.asarray(weights / weights.sum())


def session_similarity(rows: Floats, seen: Floats, weights: Floats64) -> Floats64:
    """How alike each row (n, dim) is to the views (m, dim) of these weights."""
    return np.asarray((rows @ seen.T) @ weights)


def marginal(relevance: Floats64, rows: Floats, k: int, share: float) -> list[int]:
    """The k places of maximal marginal relevance (Carbonell and Goldstein 1998): again and again the one with the most
    share * relevance - (1 - share) * likeness to what was picked before; ties by place.
    """
    closest = np.zeros(len(relevance))
    left = np.ones(len(relevance), dtype=np.bool_)
    picked: list[int] = []
    while left.any() and len(picked) < k:
        value = np.where(left, share * relevance - (1 - share) * closest, -np.inf)
        best = int(value.argmax())
        picked.append(best)
        left[best] = False
        likeness_to_best = rows @ rows[best]
        closest = likeness_to_best if len(picked) == 1 else np.maximum(closest, likeness_to_best)
    return picked


def _candidates(
    shop: RecommenderShop, trends: EventStatistics, recent: Sequence[Product], viewed: set[str]
) -> list[Product]:
    """Products that may be shown, by id: those like the views, viewed together, popular among their kind or in all."""
    weights = decay(len(recent)).tolist()
    terms = tuple(ProductTerm(one.id, weight) for one, weight in zip(recent, weights, strict=True))
    page = shop.search_many([Query(terms, k=POOL, filter=IN_STOCK)])[0]
    found = {hit.product.id: hit.product for hit in page.hits}
    others = {other for one in recent for other in trends.together.get(one.id, ())}
    others |= {leader for one in recent for leader in trends.leading.get(one.category, ())}
    others |= set(itertools.islice(trends.popular, POPULAR))
    found |= shop.find(sorted(others - found.keys() - viewed))
    return [found[one] for one in sorted(found) if found[one].in_stock and one not in viewed]


def _kind(recent: Sequence[Product], weights: Floats64, products: Sequence[Product]) -> Floats64:
    """How much of the views is of each product's category."""
    shares: dict[str, float] = {}
    for one, weight in zip(recent, weights.tolist(), strict=True):
        shares[one.category] = shares.get(one.category, 0.0) + weight
    return np.array([shares.get(one.category, 0.0) for one in products])


def _beside(
    trends: EventStatistics, recent: Sequence[Product], weights: Floats64, products: Sequence[Product]
) -> Floats64:
    """How much each product is viewed together with the views of these weights."""
    total = np.zeros(len(products))
    for one, weight in zip(recent, weights.tolist(), strict=True):
        if near := trends.together.get(one.id):
            total += weight * np.array([near.get(product.id, 0.0) for product in products])
    return total
