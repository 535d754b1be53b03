"""Whether pictures help to recommend products that nobody has bought yet, to the customers of simulated shops."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.types import Floats
from search.engine import SearchEngine
from search.evaluation.statistics import mean, measured
from search.recommend.evaluation.cold_products import RANDOM, evaluate_cold
from search.recommend.evaluation.metrics import K
from search.recommend.models.cold import LookAlikes
from search.recommend.models.content_rows import PICTURE_SHARE, joined_rows
from search.recommend.models.text_rows import text_rows
from tests.quality.recommendations.customers import BY_EYE, SIMULATIONS, WEEKS, simulate
from tests.quality.report.records import Headline, Outcome, Part, Section, Share, Table

CUSTOMERS = 600
SAMPLE_SEEDS, FASHION_SEEDS = (11, 12, 13, 14, 15, 16), (11,)
SAMPLE_NEW, FASHION_NEW = 1 / 2, 1 / 7  # of the products; with fewer in the small shop, 20 would be all of them
CHANCE, WORDS, BOTH, GAIN = "chance", "words", "pictures_and_words", "gain"
NAMES = {CHANCE: "chance", WORDS: "words alone", BOTH: "pictures and words", GAIN: "pictures and words, minus words"}
LIKED = {"by_eye": "colours liked by eye", "by_name": "colours liked by name"}


def measure_new_products(sample: Path, fashion: Path | None) -> Part:
    """New products of the sample shop and of a fashion shop, of those that have been built."""
    key, title = "new_products", "New products"
    outcomes = []
    if (sample / "current").exists():
        outcomes.append(cold_outcome("The sample shop", *_products_of(sample), SAMPLE_NEW, SAMPLE_SEEDS))
    if fashion is not None and (fashion / "current").exists():
        outcomes.append(cold_outcome("Fashion", *_products_of(fashion), FASHION_NEW, FASHION_SEEDS))
    if not outcomes:
        return Part(key, title, skipped=f"There is no shop in {sample}.")
    return Part(key, title, tuple(outcomes))


def cold_outcome(
    name: str, products: Sequence[Product], rows: Floats, new_share: float, seeds: Sequence[int]
) -> Outcome:
    """Recall of new products by words alone and by pictures and words, in each simulation."""
    figures = {kind: cold_figures(kind, products, rows, new_share, seeds) for kind in SIMULATIONS}
    header = ("liking", "customers", *(f"{said}, recall@{K}" for said in NAMES.values()))
    cells = tuple(
        (LIKED[kind], f"{of['customers']:,}", *(Share.of(of, way) for way in NAMES)) for kind, of in figures.items()
    )
    section = Section(
        f"{name}: new products for a customer",
        f"{CUSTOMERS:,} simulated customers visit the shop of {len(products):,} products for {WEEKS} weeks, in each of "
        f"{len(seeds)} drawings. Products first bought in the last four weeks are ranked among themselves for whoever "
        "buys one. Customers are drawn from the feed's attributes, never from a picture or a vector, as "
        "tests/quality/recommendations/customers.py says: where titles name every attribute, pictures can add little.",
        (Table(header, cells),),
    )
    main = figures[BY_EYE]
    headline = Headline(f"{name}: new products, recall@{K}", Share.of(main, BOTH), main["customers"], floor=main[WORDS])
    return Outcome(f"cold_products_{name.split()[-1].lower()}", figures, section, (headline,))


def cold_figures(
    kind: str, products: Sequence[Product], rows: Floats, new_share: float, seeds: Sequence[int]
) -> dict[str, Any]:
    """Recall@20 of new products with its interval, over the customers of all drawings of a simulation."""
    began = time.process_time()
    found: dict[str, list[NDArray[np.float64]]] = {CHANCE: [], WORDS: [], BOTH: []}
    candidates = []
    for seed in seeds:
        events, table = simulate(SIMULATIONS[kind](products, seed), products, CUSTOMERS, new_share, seed)
        words = text_rows(table)
        by_words = evaluate_cold(events, table, rows=words)
        both = evaluate_cold(events, table, rows=joined_rows([rows, words], [PICTURE_SHARE, 1 - PICTURE_SHARE]))
        found[CHANCE].append(by_words.recalls[RANDOM])
        found[WORDS].append(by_words.recalls[LookAlikes.name])
        found[BOTH].append(both.recalls[LookAlikes.name])
        candidates.append(by_words.candidates)
    recalls = {way: np.concatenate(values) for way, values in found.items()}
    recalls[GAIN] = recalls[BOTH] - recalls[WORDS]
    figures: dict[str, Any] = {"customers": len(recalls[WORDS]), "candidates": candidates}
    for way, values in recalls.items():
        figures |= measured(way, mean, values)
    return figures | {"seconds": round(time.process_time() - began, 1)}


def _products_of(home: Path) -> tuple[list[Product], Floats]:
    """The products of a shop, and their rows of pictures and titles."""
    with closing(Catalogue.open(ShopHome(home).catalogue)) as catalogue, SearchEngine.open(home) as engine:
        products = [product for _, product in catalogue.iterate()]
        return products, engine.similarity_vectors([product.id for product in products])
