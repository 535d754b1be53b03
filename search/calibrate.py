"""Calibrates a shop's verdict with photos whose products are known: their thing sold, and its whole kind not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from catalog.errors import BadQuery
from indexer.encoders.base import Floats
from search.calibration import Calibration
from search.engine import SearchEngine
from search.hits import SearchHit
from search.query import MAX_K, PictureTerm, Query
from search.samples import Progress, in_batches, load_picture, read_samples
from search.verdict import cosine_of

BLOCK = "look"  # of all blocks the one that no training fits to products, so it says the same of new ones
LEAST_PHOTOS = 20
ROUNDS = 50
RIDGE = 1e-3


def calibrate(engine: SearchEngine, table: Path, progress: Progress = list) -> Calibration:
    """The curve from the first hit's cosine to the probability that the shop sells the thing.

    `table` is a CSV file with the columns photo and product_id (rows whose column split says "test" are left out).
    Every photo is judged twice: by its first hit, and by the first hit outside its product's category, as if the
    shop had nothing of the kind. Raises BadFeed, and BadQuery when fewer than 20 photos can be used.
    """
    weights = engine.generation.manifest.weights["picture"]
    if not weights.get(BLOCK):
        raise BadQuery(
            f"The encoder {engine.encoder.spec.name!r} has no block {BLOCK!r} to calibrate.",
            "Index the shop with --encoder starter, or one of timm's.",
        )
    samples = read_samples(table, ("photo", "product_id"))
    owners = {s.values["photo"]: s.values["product_id"] for s in samples if s.values.get("split") != "test"}
    sold: list[float] = []
    unsold: list[float] = []
    refused: dict[str, str] = {}
    questions = in_batches(
        progress(list(owners)), lambda name: Query((PictureTerm(load_picture(table.parent / name)),), k=MAX_K), refused
    )
    for names, queries in questions:
        for name, page in zip(names, engine.search_many(queries), strict=True):
            kind = engine.product(owners[name]).category
            other = next((hit for hit in page.hits if hit.product.category != kind), None)
            if other is not None:
                sold.append(_cosine(weights, page.hits[0]))
                unsold.append(_cosine(weights, other))
    if len(sold) < LEAST_PHOTOS:
        raise BadQuery(
            f"{table.name} has {len(sold)} photos that can be used; a calibration needs at least {LEAST_PHOTOS}.",
            "Add photos of products that the shop sells, in at least two categories.",
        )
    slope, offset = logistic(np.array([*sold, *unsold]), np.repeat([1.0, 0.0], len(sold)))
    fingerprint = engine.generation.manifest.fingerprint
    return Calibration(fingerprint, BLOCK, round(slope, 4), round(offset, 4), len(sold))


def logistic(x: Floats, y: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the logistic curve that fits y (n,) of 0 and 1 to x (n,) best, by Newton's method."""
    design = np.stack([x - x.mean(), np.ones_like(x)], axis=1).astype(np.float64)
    weights = np.zeros(2)
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (p - y) + RIDGE * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + RIDGE * np.eye(2)
        weights -= np.linalg.solve(curvature, gradient)
    return float(weights[0]), float(weights[1] - weights[0] * x.mean())


def _cosine(weights: Mapping[str, float], hit: SearchHit) -> float:
    return cosine_of(BLOCK, weights, hit.parts)
