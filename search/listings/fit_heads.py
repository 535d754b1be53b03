"""Fit a shop's label heads, and their metadata: price spread, novelty threshold, reliability of titles per field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from catalog.home import ShopHome
from catalog.product import CATEGORY_SEPARATOR, Product
from catalog.storage.opening import open_catalogue
from indexer.encoders.training_pictures import in_training_set
from indexer.generations.store import Generation, open_current
from indexer.labels.examples import LabelExamples, neighbour_queries
from indexer.labels.heads import MISSING, LabelHead, LabelHeads, heads_state
from indexer.labels.knn import nearest_products
from indexer.labels.network import read_network
from indexer.numeric import number_names
from indexer.training.label_heads import LabelRecipe, fit_label_heads
from search.engine import SearchEngine
from search.listings.attribute_fields import CATEGORY, group_of, labels_of
from search.listings.price_range import PRICE_NEIGHBOURS, PriceScale, fit_prices
from search.listings.title_values import TitleTrust, TitleValueMatcher, title_trust

MAX_ROWS = 60_000  # rows to learn from; more would not fit in memory next to a server, nor improve much
MAX_PRICED = 3_000  # products that price ranges are calibrated with
MIN_NOVELTY_ROWS = 100
NOVELTY_QUANTILE = 0.01  # share of the shop's products whose nearest other one looks less similar


def learn(home: Path, seed: int = 0) -> dict[str, Any]:
    """Fit heads and their metadata on the shop's current generation, save them, and return what was measured.

    Raises NoGeneration, GenerationError.
    """
    generation = open_current(home)
    examples, products = shop_examples(home, generation, seed)
    heads = fit_heads(examples, seed)
    card = {"rows": len(examples.rows), **heads_metadata(examples, products, heads, seed)}
    LabelHeads(generation.manifest.fingerprint, heads, card).save(home)
    return {
        "rows": len(examples.rows),
        "priced": card["prices"]["products"] if card["prices"] else 0,
        "fields": {
            field: {
                "labels": len(head.names),
                "kept_aside": head.image_only.holdout,
                "accuracy": round(head.image_only.accuracy, 4),
                "cut": round(head.image_only.threshold, 4),
                "coverage": round(head.image_only.coverage, 4),
                "accuracy_when_answered": round(head.image_only.answered_accuracy, 4),
            }
            for field, head in heads.items()
        },
    }


def learn_if_missing(engine: SearchEngine) -> None:
    """Learn the heads of an open shop that has none for its encoder, which takes a minute for 20,000 pictures.

    A shop below `MIN_PICTURES` learns none. A network that this machine has not exported yet, as after a restore, is
    exported. Raises DamagedGeneration, EncoderUnavailable.
    """
    if heads_state(engine.home, engine.encoder.fingerprint, len(engine.generation.rows)) == MISSING:
        learn(engine.home)
    if ShopHome(engine.home).label_network.is_file():
        read_network(ShopHome(engine.home).label_network)


def fit_heads(examples: LabelExamples, seed: int) -> dict[str, LabelHead]:
    """Fit the heads with the shops' recipe."""
    return fit_label_heads(examples, LabelRecipe(), seed)


def heads_metadata(
    examples: LabelExamples, products: Sequence[Product], heads: Mapping[str, LabelHead], seed: int = 0
) -> dict[str, Any]:
    """Return the metadata stored with the heads: price spread, novelty threshold, reliability of titles per field."""
    scale = price_scale(examples, products, seed)
    return {
        "least_look": novelty_threshold(examples),
        "prices": None if scale is None else scale.to_dict(),
        "titles": {field: trust.to_dict() for field, trust in title_trusts(examples, products, heads).items()},
    }


def title_trusts(
    examples: LabelExamples, products: Sequence[Product], heads: Mapping[str, LabelHead]
) -> dict[str, TitleTrust]:
    """Return the reliability of titles by attribute; each product counts once."""
    first = np.unique([product.id for product in products], return_index=True)[1].tolist()
    titles = [products[i].title for i in first]
    return {
        field: title_trust(TitleValueMatcher(head.names), titles, [examples.labels[field][i] for i in first])
        for field, head in heads.items()
        if field != CATEGORY and field in examples.labels
    }


def shop_examples(home: Path, generation: Generation, seed: int = 0) -> tuple[LabelExamples, list[Product]]:
    """Return the rows of the generation as examples, and the product of each."""
    return shop_examples_with_pictures(home, generation, seed)[:2]


def shop_examples_with_pictures(
    home: Path, generation: Generation, seed: int = 0
) -> tuple[LabelExamples, list[Product], list[Path]]:
    """Return the rows of the generation as examples, the product of each, and its picture file, which may be gone."""
    keys = generation.product_keys
    with closing(open_catalogue(home)) as catalogue:
        known = catalogue.get_many(np.unique(keys).tolist())
    chosen = np.flatnonzero(np.isin(keys, np.array(list(known), np.int64)))
    if len(chosen) > MAX_ROWS:
        chosen = np.sort(np.random.default_rng(seed).permutation(chosen)[:MAX_ROWS])
    products = [known[key] for key in keys[chosen].tolist()]
    hashes = [content.decode() for content in generation.picture_hashes[chosen].tolist()]
    manifest = generation.manifest
    examples = LabelExamples(
        layout=generation.layout,
        weights=manifest.weights["picture"],
        rows=np.asarray(generation.rows[chosen], np.float32),
        groups=number_names([group_of(product) for product in products]),
        fresh=~in_training_set(manifest.encoder.name, hashes),
        labels=labels_of(products),
    )
    files = [
        Path(next((picture.path for picture in product.pictures if picture.sha256 == content), ""))
        for product, content in zip(products, hashes, strict=True)
    ]
    return examples, products, files


def price_scale(examples: LabelExamples, products: Sequence[Product], seed: int = 0) -> PriceScale | None:
    """Fit how far prices lie from those of the neighbours, in the shop's most frequent currency."""
    currencies = [product.currency for product in products if product.price]
    usual = max(set(currencies), key=lambda currency: (currencies.count(currency), currency), default="")
    priced = np.array([i for i, p in enumerate(products) if p.price and p.currency == usual], np.int64)
    if not len(priced):
        return None
    logs = np.log([float(products[i].price or 0) for i in priced.tolist()])
    _, first = np.unique([products[i].id for i in priced.tolist()], return_index=True)
    sample = np.sort(np.random.default_rng(seed).permutation(first)[:MAX_PRICED])
    part = examples.take(priced)
    queries = neighbour_queries(part.layout, part.weights, part.rows[sample], titled=False)
    own = number_names([products[i].id for i in priced.tolist()])
    scores, near = nearest_products(queries, own[sample], part.rows, own, PRICE_NEIGHBOURS)
    paths = [CATEGORY_SEPARATOR.join(products[i].category_path) for i in priced[sample].tolist()]
    return fit_prices(logs[sample], paths, scores, logs[near])


def novelty_threshold(examples: LabelExamples) -> float | None:
    """Return the cosine of `look` below which a picture resembles nothing in the shop; None where it is unknown."""
    layout = examples.layout
    if "look" not in layout.names or len(examples.rows) < MIN_NOVELTY_ROWS:
        return None
    looks = examples.rows[:, layout.slice("look")]
    sample = np.random.default_rng(0).permutation(len(looks))[:2_000]
    scores, _ = nearest_products(looks[sample], examples.groups[sample], looks, examples.groups, k=1)
    finite = scores[np.isfinite(scores)]
    return float(np.quantile(finite, NOVELTY_QUANTILE)) if len(finite) else None
