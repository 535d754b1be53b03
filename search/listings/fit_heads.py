"""Learns what a shop's listings say of their pictures: heads for category and attributes, and how prices spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from catalog.product import CATEGORY_SEPARATOR, Product
from catalog.storage.catalogue import Catalogue
from indexer.encoders.training_pictures import in_training_set
from indexer.generations.publishing import CATALOGUE
from indexer.generations.store import Generation, open_current
from indexer.labels.heads import LabelHead, LabelHeads
from indexer.labels.knn import Ints, nearest_products
from search.listings.attribute_fields import CATEGORY, group_of, labels_of
from search.listings.price_range import NEIGHBOURS, PriceScale, fit_prices
from search.listings.title_values import TitleTrust, TitleValueMatcher, title_trust

MOST_ROWS = 60_000  # learnt from; more would not fit beside a server, nor teach much
MOST_PRICED = 3_000  # products that prices are calibrated with
NOVEL = 0.01  # share of the shop's own products whose nearest other one looks less alike


def learn(home: Path, seed: int = 0) -> dict[str, Any]:
    """Fit heads and price widths on the shop's current generation and keep them with it; returns what was measured.

    Imports torch. Raises NoGeneration, GenerationError.
    """
    from indexer.training.label_heads import LabelRecipe, fit_label_heads

    generation = open_current(home)
    examples, products = shop_examples(home, generation, seed)
    heads = fit_label_heads(examples, LabelRecipe(), seed)
    card = {"rows": len(examples.rows), **heads_metadata(examples, products, heads, seed)}
    LabelHeads(generation.manifest.fingerprint, heads, card).save(home)
    return {
        "rows": len(examples.rows),
        "priced": card["prices"]["products"] if card["prices"] else 0,
        "fields": {
            field: {
                "labels": len(head.names),
                "kept_aside": head.bare.kept_aside,
                "accuracy": round(head.bare.accuracy, 4),
                "cut": round(head.bare.cut, 4),
                "coverage": round(head.bare.coverage, 4),
                "accuracy_when_answered": round(head.bare.answered_accuracy, 4),
            }
            for field, head in heads.items()
        },
    }


def heads_metadata(
    examples: Any, products: Sequence[Product], heads: Mapping[str, LabelHead], seed: int = 0
) -> dict[str, Any]:
    """What is kept with the heads: how prices spread, when a picture is like nothing, how far titles are believed."""
    scale = price_scale(examples, products, seed)
    return {
        "least_look": least_look(examples),
        "prices": None if scale is None else scale.to_dict(),
        "titles": {field: trust.to_dict() for field, trust in title_trusts(examples, products, heads).items()},
    }


def title_trusts(examples: Any, products: Sequence[Product], heads: Mapping[str, LabelHead]) -> dict[str, TitleTrust]:
    """How far titles are believed, by attribute; each product counts once."""
    first = np.unique([product.id for product in products], return_index=True)[1].tolist()
    titles = [products[i].title for i in first]
    return {
        field: title_trust(TitleValueMatcher(head.names), titles, [examples.labels[field][i] for i in first])
        for field, head in heads.items()
        if field != CATEGORY and field in examples.labels
    }


def shop_examples(home: Path, generation: Generation, seed: int = 0) -> tuple[Any, list[Product]]:
    """The rows of the generation as `LabelExamples`, and the product of each."""
    return shop_examples_with_pictures(home, generation, seed)[:2]


def shop_examples_with_pictures(
    home: Path, generation: Generation, seed: int = 0
) -> tuple[Any, list[Product], list[Path]]:
    """As `shop_examples`, and the file of each row's picture, which may be gone."""
    from indexer.training.label_heads import LabelExamples

    keys = generation.product_keys
    with closing(Catalogue.open(home / CATALOGUE)) as catalogue:
        known = catalogue.get_many(np.unique(keys).tolist())
    chosen = np.flatnonzero(np.isin(keys, np.array(list(known), np.int64)))
    if len(chosen) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(seed).permutation(chosen)[:MOST_ROWS])
    products = [known[key] for key in keys[chosen].tolist()]
    hashes = [each.decode() for each in generation.picture_hashes[chosen].tolist()]
    manifest = generation.manifest
    examples = LabelExamples(
        layout=generation.layout,
        weights=manifest.weights["picture"],
        rows=np.asarray(generation.rows[chosen], np.float32),
        groups=_numbered([group_of(product) for product in products]),
        fresh=~in_training_set(manifest.encoder.name, hashes),
        labels=labels_of(products),
    )
    files = [
        Path(next((picture.path for picture in product.pictures if picture.sha256 == shown), ""))
        for product, shown in zip(products, hashes, strict=True)
    ]
    return examples, products, files


def price_scale(examples: Any, products: Sequence[Product], seed: int = 0) -> PriceScale | None:
    """How far prices lie from those of look-alikes, in the shop's most usual currency."""
    from indexer.training.label_heads import neighbour_queries

    currencies = [product.currency for product in products if product.price]
    usual = max(set(currencies), key=lambda one: (currencies.count(one), one), default="")
    priced = np.array([i for i, p in enumerate(products) if p.price and p.currency == usual], np.int64)
    if not len(priced):
        return None
    logs = np.log([float(products[i].price or 0) for i in priced.tolist()])
    _, first = np.unique([products[i].id for i in priced.tolist()], return_index=True)
    asked = np.sort(np.random.default_rng(seed).permutation(first)[:MOST_PRICED])
    part = examples.take(priced)
    rows = part.rows[asked]
    queries = neighbour_queries(part.layout, part.weights, rows, titled=False)
    own = _numbered([products[i].id for i in priced.tolist()])
    scores, near = nearest_products(queries, own[asked], part.rows, own, NEIGHBOURS)
    paths = [CATEGORY_SEPARATOR.join(products[i].category_path) for i in priced[asked].tolist()]
    return fit_prices(logs[asked], paths, scores, logs[near])


def least_look(examples: Any) -> float | None:
    """The cosine of `look` that hardly any product's nearest other one lies below; None without a `look`."""
    layout = examples.layout
    if "look" not in layout.names or len(examples.rows) < 100:
        return None
    looks = examples.rows[:, layout.slice("look")]
    asked = np.random.default_rng(0).permutation(len(looks))[:2_000]
    scores, _ = nearest_products(looks[asked], examples.groups[asked], looks, examples.groups, k=1)
    finite = scores[np.isfinite(scores)]
    return float(np.quantile(finite, NOVEL)) if len(finite) else None


def _numbered(names: Sequence[str]) -> Ints:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
