"""Calibrate a shop's match classifier with photos of known products, each with its category and without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from catalog.errors import BadQuery
from catalog.images.crop import load_picture
from catalog.text.labelled_csv import Progress, in_batches, read_labelled_csv
from indexer.generations.match_curve import LOOK, SCORE
from indexer.generations.match_curve_fit import logistic
from indexer.types import Floats
from search.engine import SearchEngine
from search.evaluation.statistics import auroc
from search.hits import SearchHit
from search.query.terms import MAX_K, PictureTerm, Query
from search.retrieval.verdict import Calibration, evidence

MIN_PHOTOS = 20
# No training fits "look" to products, so its cosines mean the same for products that the encoder was trained on.
MIN_LOOK_AUROC = 0.75  # photos with a lower one differ too much from the shop's pictures, and the whole score is used


def calibrate(engine: SearchEngine, table: Path, progress: Progress = list) -> Calibration:
    """Fit the curve from the first hit's cosine to the probability that the shop sells the pictured product.

    `table` is a CSV file with the columns photo and product_id; rows whose column split is "test" are left out.
    Every photo gives a positive, its first hit, and a negative, the first hit outside its product's category. Raises
    BadFeed, and BadQuery when fewer than 20 photos can be used.
    """
    weights = engine.generation.manifest.weights["picture"]
    if not weights.get(LOOK):
        raise BadQuery(
            f"The encoder {engine.encoder.spec.name!r} has no block {LOOK!r} to calibrate.",
            "Index the shop with --encoder starter, or one of timm's.",
        )
    rows = read_labelled_csv(table, ("photo", "product_id"))
    owners = {r.values["photo"]: r.values["product_id"] for r in rows if r.values.get("split") != "test"}
    sold: list[SearchHit] = []
    unsold: list[SearchHit] = []
    refused: dict[str, str] = {}
    batches = in_batches(
        progress(list(owners)), lambda name: Query((PictureTerm(load_picture(table.parent / name)),), k=MAX_K), refused
    )
    for names, queries in batches:
        for name, page in zip(names, engine.search_many(queries), strict=True):
            category = engine.product(owners[name]).category
            other = next((hit for hit in page.hits if hit.product.category != category), None)
            if other is not None:
                sold.append(page.hits[0])
                unsold.append(other)
    if len(sold) < MIN_PHOTOS:
        raise BadQuery(
            f"{table.name} has {len(sold)} photos that can be used; a calibration needs at least {MIN_PHOTOS}.",
            "Add photos of products that the shop sells, in at least two categories.",
        )
    fingerprint = engine.generation.manifest.fingerprint
    by_look, by_score = (_cosines(name, weights, sold, unsold) for name in (LOOK, SCORE))
    name, (has, lacks) = (LOOK, by_look) if auroc(*by_look) >= MIN_LOOK_AUROC else (SCORE, by_score)
    slope, offset = logistic(np.concatenate([has, lacks]), np.repeat([1.0, 0.0], len(has)))
    return Calibration(fingerprint, name, round(slope, 4), round(offset, 4), len(sold))


def _cosines(
    name: str, weights: Mapping[str, float], sold: Sequence[SearchHit], unsold: Sequence[SearchHit]
) -> tuple[Floats, Floats]:
    has, lacks = (np.array([evidence(name, weights, hit.parts) for hit in hits]) for hits in (sold, unsold))
    return has, lacks
