"""What goes with a product: other categories that fit it, and in each what suits its style and colour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalog.product import CATEGORY_SEPARATOR, Product
from search.hits import SearchHit
from search.query.filters import folded
from search.query.terms import ProductTerm, Query
from search.recommend.colour_harmony import colours_in, harmony
from search.recommend.compatibility_rules import (
    Barred,
    PairRules,
    Target,
    conflicts,
    facts,
    same_category,
    without_conflicts,
)
from search.recommend.event_statistics import EventStatistics
from search.recommend.substitutes import Recommendation, RecommenderShop, check_k

GROUPS = 8  # kinds of things looked through
POOL = 24  # products of each kind that are most like the product, among which colour and style choose
COLOUR = 0.25  # how much harmony from 0 to 1 counts beside a likeness from -1 to 1
UNKNOWN_COLOUR = 0.7  # the harmony of things whose colours are not known: that of most pairs
USAGE = 0.05  # what being for the same use adds
AGAIN, AKIN = 0.5, 0.8  # what each product shown already leaves to those of its category, and of the one above
TWIN = 0.9  # so alike are two listings of one thing, or its colours; one of them is enough
FALLBACK = 60  # most alike products whose categories are taken when no rule and no basket says anything
BASKETS = 20  # baskets with a category for which they count as much as the rules


@dataclass(frozen=True, slots=True)
class _Suited:
    """A product that may be shown: how well it suits within its kind, at most 1, and how well the kind does."""

    product: Product
    fit: float
    weight: float


def goes_with(
    shop: RecommenderShop, rules: PairRules, trends: EventStatistics, product_id: str, k: int = 10
) -> tuple[Recommendation, ...]:
    """Up to k products in stock of other categories, mixed; never of its own, nor of one above or below it.

    Without a category nothing can be said to be another, so then there are none. Raises UnknownProduct, BadQuery.
    """
    check_k(k)
    product = shop.product(product_id)
    if not product.category_path:
        return ()
    barred = rules.against(product)
    targets = pair_weights(rules, trends, product, [*shop.categories()])
    groups = _groups(targets)
    if groups:
        pools = _pools(shop, product_id, groups, barred)
    else:
        never = {name for name, target in targets.items() if target.weight == 0}
        pools = _nearest(shop, product, never, barred)
    suited = [one for pool, weights in pools for one in _suited(product, pool, weights)]
    return _mixed(shop, product, suited, k)


def pair_weights(rules: PairRules, trends: EventStatistics, product: Product, shop: Sequence[str]) -> dict[str, Target]:
    """The shop's categories that go with a product, by path: by the rules, and the more by what was bought together the
    more baskets there are. What a rule says never goes is left at 0.
    """
    targets = rules.targets(product.category, facts(product), shop)
    learnt = trends.pairs.get(product.category)
    if learnt is None:
        return targets
    share = learnt.baskets / (learnt.baskets + BASKETS)
    weighed = {name: replace(target, weight=(1 - share) * target.weight) for name, target in targets.items()}
    never = {name for name, target in targets.items() if target.weight == 0}
    for other in {*learnt.strengths}.intersection(shop).difference(never):
        if not same_category(product.category, other):
            ruled = weighed.get(other, Target(other, 0.0, folded(other)))
            weighed[other] = replace(ruled, weight=ruled.weight + share * learnt.strengths[other])
    return weighed


def _groups(targets: Mapping[str, Target]) -> list[dict[str, float]]:
    """The weights of categories by path, those that the rules call by one name together, best first."""
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for target in targets.values():
        if target.weight > 0:
            groups[target.name][target.category] = target.weight
    return sorted(groups.values(), key=lambda group: (-max(group.values()), min(group)))[:GROUPS]


def _pools(
    shop: RecommenderShop, product_id: str, groups: Sequence[Mapping[str, float]], barred: Barred
) -> list[tuple[Sequence[SearchHit], Mapping[str, float]]]:
    asked = [
        Query((ProductTerm(product_id),), k=POOL, filter=without_conflicts({"category": sorted(group)}, barred))
        for group in groups
    ]
    pages = shop.search_many(asked)
    return [
        # A category's filter takes in those below it, which may have a weight, or a bar, of their own.
        ([hit for hit in page.hits if hit.product.category in group and _fits(hit.product, barred)], group)
        for page, group in zip(pages, groups, strict=True)
    ]


def _nearest(
    shop: RecommenderShop, product: Product, never: set[str], barred: Barred
) -> list[tuple[Sequence[SearchHit], Mapping[str, float]]]:
    """The most alike products of other categories than the product's and its siblings, if it has cousins."""
    path = product.category_path
    own = [CATEGORY_SEPARATOR.join(path[:-1] if len(path) > 2 else path)]
    asked = Query((ProductTerm(product.id),), k=FALLBACK, filter=without_conflicts({}, barred, own))
    pools: dict[str, list[SearchHit]] = defaultdict(list)
    for hit in shop.search_many([asked])[0].hits:
        category = hit.product.category
        if category not in never and not same_category(product.category, category) and _fits(hit.product, barred):
            pools[category].append(hit)
    # A kind weighs as much as its best product is alike: hits come best first.
    return [(pool, {category: max(pool[0].score, 0.0)}) for category, pool in pools.items()]


def _fits(product: Product, barred: Barred) -> bool:
    return product.in_stock and not conflicts(product, barred)


def _suited(product: Product, pool: Sequence[SearchHit], weights: Mapping[str, float]) -> list[_Suited]:
    """The pool by likeness, harmony of colours and use, against its best: kinds differ in how alike they can be."""
    colours, usage = product_colours(product), folded(product.attributes.get("usage", ""))
    fits = []
    for hit in pool:
        agree = harmony(colours, product_colours(hit.product))
        same_use = usage and folded(hit.product.attributes.get("usage", "")) == usage
        fits.append(hit.score + COLOUR * (UNKNOWN_COLOUR if agree is None else agree) + (USAGE if same_use else 0.0))
    best = max(fits, default=0.0)
    return [
        _Suited(hit.product, 1 + fit - best, weights[hit.product.category]) for hit, fit in zip(pool, fits, strict=True)
    ]


def _mixed(shop: RecommenderShop, product: Product, suited: list[_Suited], k: int) -> tuple[Recommendation, ...]:
    """The k to show: again and again the best, while what was shown makes its like less wanted."""
    suited = sorted(suited, key=lambda one: (-one.weight * one.fit, one.product.id))
    rows = shop.similarity_vectors([one.product.id for one in suited])
    value = np.array([one.weight * one.fit for one in suited])
    categories = np.array([one.product.category for one in suited])
    above = np.array([CATEGORY_SEPARATOR.join(one.product.category_path[:-1]) for one in suited])
    shown: list[Recommendation] = []
    while len(shown) < k and value.size and value.max() > 0:
        best = int(value.argmax())
        chosen = suited[best].product
        reason = f"{chosen.category_path[-1]} for {product.category_path[-1]}"
        shown.append(Recommendation(chosen, float(value[best]), reason))
        value = value * np.where(categories == categories[best], AGAIN, 1.0) * np.where(above == above[best], AKIN, 1.0)
        value[(rows @ rows[best] > TWIN) | (np.arange(len(suited)) == best)] = 0.0
    return tuple(shown)


def product_colours(product: Product) -> tuple[int, ...]:
    """The colours of a product: those that its feed gives, else those its title names."""
    given = product.attributes.get("colour") or product.attributes.get("color") or ""
    return colours_in(given) or colours_in(product.title)
