"""Complements of a product: categories that go with it, and in each the products that suit its style and colour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from catalog.product import CATEGORY_SEPARATOR, Product
from search.hits import SearchHit
from search.query.filters import folded
from search.query.terms import ProductTerm, Query
from search.recommend.content.colour_harmony import colours_in, harmony
from search.recommend.content.compatibility_rules import (
    ExcludedValues,
    PairRules,
    Target,
    facts,
    fits,
    same_category,
    without_conflicts,
)
from search.recommend.content.substitutes import Recommendation, Recommendations, RecommenderShop, check_k
from search.recommend.events.event_statistics import EventStatistics

MAX_GROUPS = 8  # groups of categories that are searched
POOL_SIZE = 24  # most similar products of each group, among which colour and style choose
COLOUR_WEIGHT = 0.25  # weight of harmony, 0 to 1, which is added to similarity, -1 to 1
UNKNOWN_HARMONY = 0.7  # harmony of most pairs, taken where colours are not known
USAGE_BONUS = 0.05  # added for products of the same use
SAME_CATEGORY_DECAY, SAME_PARENT_DECAY = 0.5, 0.8  # factors on the value of products like one already chosen
NEAR_DUPLICATE = 0.9  # similarity of two listings or colours of one product; one of them is enough
FALLBACK_SIZE = 60  # most similar products whose categories are used when neither rules nor baskets name any
BASKETS_LIKE_RULES = 20  # how many baskets of a category weigh as much as the rules


class _Candidate(NamedTuple):
    """A candidate, and its value: the fit within its category group, at most 1, times the weight of its category."""

    product: Product
    value: float


def goes_with(
    shop: RecommenderShop, rules: PairRules, statistics: EventStatistics, product_id: str, k: int = 10
) -> Recommendations:
    """Return up to k products in stock of other categories, diversified; none for a product without a category.

    The product's own category and those above and below it are left out. Raises UnknownProduct, BadQuery.
    """
    check_k(k)
    product = shop.product(product_id)
    if not product.category_path:
        return ()
    excluded = rules.excluded_values(product)
    targets = pair_weights(rules, statistics, product, [*shop.categories()])
    if groups := _groups(targets):
        pools = _pools(shop, product_id, groups, excluded)
    else:
        never = {name for name, target in targets.items() if target.weight == 0}
        pools = _nearest(shop, product, never, excluded)
    candidates = [candidate for pool, weights in pools for candidate in _candidates(product, pool, weights)]
    return _diversified(shop, product, candidates, k)


def pair_weights(
    rules: PairRules, statistics: EventStatistics, product: Product, categories: Sequence[str]
) -> dict[str, Target]:
    """Return the shop's categories that go with a product, by path, with their weights.

    The more baskets there are, the more what was bought together counts in place of the rules. A rule's 0 stays 0.
    """
    targets = rules.targets(product.category, facts(product), categories)
    baskets = statistics.pairs.get(product.category)
    if baskets is None:
        return targets
    share = baskets.baskets / (baskets.baskets + BASKETS_LIKE_RULES)
    weighted = {name: replace(target, weight=(1 - share) * target.weight) for name, target in targets.items()}
    never = {name for name, target in targets.items() if target.weight == 0}
    for other in {*baskets.strengths}.intersection(categories).difference(never):
        if not same_category(product.category, other):
            target = weighted.get(other, Target(other, 0.0, folded(other)))
            weighted[other] = replace(target, weight=target.weight + share * baskets.strengths[other])
    return weighted


def _groups(targets: Mapping[str, Target]) -> list[dict[str, float]]:
    """Group the categories that the rules call by one name; returns their weights by path, best group first."""
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for target in targets.values():
        if target.weight > 0:
            groups[target.name][target.category] = target.weight
    return sorted(groups.values(), key=lambda group: (-max(group.values()), min(group)))[:MAX_GROUPS]


def _pools(
    shop: RecommenderShop, product_id: str, groups: Sequence[Mapping[str, float]], excluded: ExcludedValues
) -> list[tuple[Sequence[SearchHit], Mapping[str, float]]]:
    queries = [
        Query((ProductTerm(product_id),), k=POOL_SIZE, filter=without_conflicts({"category": sorted(group)}, excluded))
        for group in groups
    ]
    return [
        # A category's filter includes those below it, which may have a weight of their own.
        ([hit for hit in page.hits if hit.product.category in group and fits(hit.product, excluded)], group)
        for page, group in zip(shop.search_many(queries), groups, strict=True)
    ]


def _nearest(
    shop: RecommenderShop, product: Product, never: set[str], excluded: ExcludedValues
) -> list[tuple[Sequence[SearchHit], Mapping[str, float]]]:
    """Return the most similar products outside the product's category, and outside its parent unless that is a root."""
    path = product.category_path
    own = [CATEGORY_SEPARATOR.join(path[:-1] if len(path) > 2 else path)]
    query = Query((ProductTerm(product.id),), k=FALLBACK_SIZE, filter=without_conflicts({}, excluded, own))
    pools: dict[str, list[SearchHit]] = defaultdict(list)
    for hit in shop.search_many([query])[0].hits:
        category = hit.product.category
        if category not in never and not same_category(product.category, category) and fits(hit.product, excluded):
            pools[category].append(hit)
    # The weight of a category is the similarity of its best product: hits come best first.
    return [(pool, {category: max(pool[0].score, 0.0)}) for category, pool in pools.items()]


def _candidates(product: Product, pool: Sequence[SearchHit], weights: Mapping[str, float]) -> list[_Candidate]:
    """Score a pool by similarity, colour harmony and use, relative to its best: groups differ in similarity."""
    colours, usage = product_colours(product), folded(product.attributes.get("usage", ""))
    scores = []
    for hit in pool:
        agreement = harmony(colours, product_colours(hit.product))
        same_use = usage and folded(hit.product.attributes.get("usage", "")) == usage
        colour = COLOUR_WEIGHT * (UNKNOWN_HARMONY if agreement is None else agreement)
        scores.append(hit.score + colour + (USAGE_BONUS if same_use else 0.0))
    best = max(scores, default=0.0)
    pairs = zip(pool, scores, strict=True)
    return [_Candidate(hit.product, weights[hit.product.category] * (1 + score - best)) for hit, score in pairs]


def _diversified(shop: RecommenderShop, product: Product, candidates: list[_Candidate], k: int) -> Recommendations:
    """Choose k greedily; each choice lowers the value of products of its category and of the category above."""
    candidates = sorted(candidates, key=lambda candidate: (-candidate.value, candidate.product.id))
    products = [candidate.product for candidate in candidates]
    rows = shop.similarity_vectors([candidate.id for candidate in products])
    values = np.array([candidate.value for candidate in candidates])
    categories = np.array([candidate.category for candidate in products])
    parents = np.array([CATEGORY_SEPARATOR.join(candidate.category_path[:-1]) for candidate in products])
    chosen: list[Recommendation] = []
    while len(chosen) < k and values.size and values.max() > 0:
        best = int(values.argmax())
        reason = f"{products[best].category_path[-1]} for {product.category_path[-1]}"
        chosen.append(Recommendation(products[best], float(values[best]), reason))
        values = values * np.where(categories == categories[best], SAME_CATEGORY_DECAY, 1.0)
        values = values * np.where(parents == parents[best], SAME_PARENT_DECAY, 1.0)
        values[(rows @ rows[best] > NEAR_DUPLICATE) | (np.arange(len(values)) == best)] = 0.0
    return tuple(chosen)


def product_colours(product: Product) -> tuple[int, ...]:
    """Return the colours of a product: those of its attribute, else those that its title names."""
    given = product.attributes.get("colour") or product.attributes.get("color") or ""
    return colours_in(given) or colours_in(product.title)
