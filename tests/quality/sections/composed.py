"""Whether "this, but red" gives things that are red and still the same kind, by the feed's own facts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.images.crop import load_picture
from catalog.product import Product
from search.engine import SearchEngine
from search.evaluation.statistics import mean, measured
from search.query.intent import text_terms
from search.query.terms import PictureTerm, ProductTerm, Query, Term
from tests.quality.report.records import Headline, Outcome, Section, Share, Table
from tests.quality.sample_shop import SampleShop

DEPTH = 10
ENOUGH = 12  # products of the asked colour in the category: more than ten, so that ten of nothing else are possible
FEW = 2
PRODUCTS, SAMPLED = 300, 150
BARE = {"lexical": 0.0}
SHARES = ("colour", "category", "both")
SEED = 7


@dataclass(frozen=True, slots=True)
class Wish:
    """A product, the colour that a shopper would rather have it in, and how many first hits are looked at."""

    product: Product
    colour: str
    depth: int = DEPTH


def wishes(products: Iterable[Product], count: int = PRODUCTS, seed: int = SEED, enough: int = ENOUGH) -> list[Wish]:
    """A seeded sample of products, each with another colour that its category has enough of."""
    products = [product for product in products if product.category and _colour(product)]
    by_category: dict[str, Counter[str]] = defaultdict(Counter)
    for product in products:
        by_category[product.category][_colour(product)] += 1
    rng = np.random.default_rng(seed)
    made = []
    for number in rng.permutation(len(products)).tolist():
        product = products[number]
        others = sorted(c for c, n in by_category[product.category].items() if n >= enough and c != _colour(product))
        if others:
            colour = others[int(rng.integers(len(others)))]
            made.append(Wish(product, colour, min(DEPTH, by_category[product.category][colour])))
        if len(made) == count:
            break
    return made


def composed_figures(
    engine: SearchEngine,
    asked: Iterable[Wish],
    shown: Callable[[Product], Term],
    blocks: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Of the first ten for "this, but in COLOUR": the share of that colour, of the same category, and of both.

    `shown` makes "this" of a product: itself, or its picture as a stranger would send it.
    """
    shares: dict[str, list[float]] = {name: [] for name in SHARES}
    for wish in asked:
        terms, _ = text_terms(f"this, but in {wish.colour.lower()}", with_others=True)
        page = engine.search(Query((shown(wish.product), *terms), k=wish.depth, blocks=blocks))
        found = [
            (_colour(hit.product) == wish.colour, hit.product.category == wish.product.category) for hit in page.hits
        ]
        shares["colour"].append(_share(colour for colour, _ in found))
        shares["category"].append(_share(category for _, category in found))
        shares["both"].append(_share(colour and category for colour, category in found))
    figures: dict[str, Any] = {"queries": len(shares["both"])}
    for name, values in shares.items():
        figures |= measured(name, mean, values)
    return figures


def composed_queries(shop: SampleShop) -> Outcome:
    """Asking for the sample shop's products in another colour, by product and by picture, with and without texts."""
    asked = wishes(shop.products.values(), SAMPLED, enough=FEW)
    ways = {
        "a product and words": (_as_product, None),
        "a product and words, by vectors alone": (_as_product, BARE),
        "a picture and words": (_as_picture, None),
        "a picture and words, by vectors alone": (_as_picture, BARE),
    }
    figures = {name: composed_figures(shop.engine, asked, shown, blocks) for name, (shown, blocks) in ways.items()}
    rows = tuple(
        (name, f"{of['queries']:,}", *(Share.of(of, share) for share in SHARES)) for name, of in figures.items()
    )
    section = Section(
        title="This, but in another colour",
        how=f"{len(asked)} products by chance, each asked for in another colour that at least {FEW} of its category "
        f"have; of the first hits, as many as there are such products but at most {DEPTH}, the share of that colour, "
        "of the same category, and of both, by the feed's own words. The texts that are searched hold the colours.",
        tables=(Table(("asked with", "n", *SHARES), rows),),
    )
    whole = figures["a product and words"]
    headlines = tuple(
        Headline(f"This, but in COLOUR: {share}", Share.of(whole, share), whole["queries"]) for share in SHARES
    )
    return Outcome("composed", figures, section, headlines)


def _as_product(product: Product) -> Term:
    return ProductTerm(product.id)


def _as_picture(product: Product) -> Term:
    return PictureTerm(load_picture(Path(product.pictures[-1].path)))


def _colour(product: Product) -> str:
    return product.attributes.get("colour", "")


def _share(outcomes: Iterable[bool]) -> float:
    listed = list(outcomes)
    return sum(listed) / max(1, len(listed))
