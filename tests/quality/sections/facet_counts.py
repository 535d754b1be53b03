"""Facet truth: random questions, and a click on a random value of a random facet."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from catalog.product import Product
from search.engine import SearchEngine
from search.evaluation.facet_truth import random_click
from search.evaluation.statistics import mean, measured
from tests.quality.question_sets.random_queries import random_queries
from tests.quality.report.records import Failure, Gallery, Headline, Outcome, Section, Share, Shown, Table
from tests.quality.sample_shop import SampleShop

QUERIES = 500
FASHION_QUERIES = 200  # of a large shop, whose pages are many
PER_PRODUCT = 5  # queries, at most: a tiny shop has no more to be asked for
PHOTOS = 100
SHOWN = 12


def sample_facets(shop: SampleShop) -> Outcome:
    """Clicks in the sample shop, also after the shoppers' photos."""
    photos = [Path(answer.question.asked) for answer in (*shop.photos, *shop.strangers) if answer.page]
    products = list(shop.products.values())
    return facet_outcome(shop.engine, products, photos, "facets", "Facets: counts and what a click shows", QUERIES)


def fashion_facets(engine: SearchEngine, products: Sequence[Product]) -> Outcome:
    """Clicks in a shop of the fashion feed, after its own pictures."""
    chosen = random.Random(0).sample(products, min(PHOTOS, len(products)))
    photos = [Path(product.pictures[0].path) for product in chosen]
    title = "Fashion: facets, counts and what a click shows"
    return facet_outcome(engine, products, photos, "fashion_facets", title, FASHION_QUERIES)


def facet_outcome(
    engine: SearchEngine, products: Sequence[Product], photos: Sequence[Path], key: str, title: str, count: int
) -> Outcome:
    """Ask, click and list all pages; the share of clicks without a difference must be 1."""
    rng = random.Random(0)
    clicks, failures = [], []
    for query in random_queries(products, photos, min(count, PER_PRODUCT * len(products))):
        clicked = random_click(engine, query, rng)
        if clicked is None:
            continue
        clicks.append(clicked)
        if clicked.differences:
            words = ", ".join(getattr(term, "words", type(term).__name__) for term in query.terms)
            asked = Shown("", words or "browsing", str(query.filter.to_json()) if query.filter else "")
            failures.append(Failure(asked, (), tuple(Shown("", text) for text in clicked.differences)))
    truths = {
        "true": [not one.differences for one in clicks],
        "count_is_total": [one.count == one.total for one in clicks],
        "total_is_listed": [one.listed is None or one.listed == one.total for one in clicks],
        "nothing_twice": [not one.repeated for one in clicks],
    }
    figures = {"clicks": len(clicks)}
    for name, outcomes in truths.items():
        figures |= measured(name, mean, outcomes)
    table = Table(
        ("clicks", "all true", "count is the total", "total is what all pages list", "nothing twice"),
        ((f"{len(clicks):,}", *(Share.of(figures, name) for name in truths)),),
    )
    section = Section(
        title,
        "Random words, photos, products and filters, and a click on a random value of a random facet. The facet's "
        "count, the total after the click, and the hits of all pages with their duplicates are to be one number.",
        (table,),
        galleries=(Gallery("Differences", tuple(failures[:SHOWN])),),
    )
    return Outcome(key, figures, section, (Headline(title, Share.of(figures, "true"), len(clicks), 1.0),))
