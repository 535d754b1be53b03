"""Calibrates an encoder's verdict with shoppers' photos of the sample shop: its thing sold, or its whole kind not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from catalog.images import decode, read_file
from catalog.product import Product
from indexer.calibration import Calibration
from indexer.encoders.base import BaseEncoder, Floats
from indexer.other_views import share_of_words
from indexer.training.sample_shop import sample_products, training_photos
from indexer.vectors import Layout
from indexer.weights import shop_weights

BLOCK = "look"  # of all blocks the one that no training fits to its products, so it says the same of new ones
ROUNDS = 50
RIDGE = 1e-3


def calibrate(encoder: BaseEncoder, shop: Path) -> Calibration:
    """The curve from the best hit's cosine to the probability that the shop sells the thing.

    Every training photo is asked twice: of the whole shop, and of the shop without the photo's own category.
    Raises BadFeed when the sample shop is not whole.
    """
    products = sample_products(shop)
    photos = training_photos(shop)
    owners = [place for place, product in enumerate(products) for _ in product.pictures]
    layout = Layout.of_encoder(encoder.blocks)
    rows = _rows(encoder, layout, products)
    gate = share_of_words(layout, rows.astype(np.float16), np.array(owners), shop_weights(layout))
    queries = layout.queries(_encoded(encoder, [photo.file for photo in photos]))
    scores = layout.weigh(queries, shop_weights(layout, gate)["picture"]) @ rows.T
    seen = layout.slice(BLOCK)
    cosines = queries[:, seen] @ rows[:, seen].T
    kinds = np.array([products[owner].category for owner in owners])
    own = np.array([photo.product.category for photo in photos])[:, None] == kinds
    sold = _at_best(cosines, scores)
    unsold = _at_best(cosines, np.where(own, -np.inf, scores))
    slope, offset = logistic(np.concatenate([sold, unsold]), np.repeat([1.0, 0.0], len(photos)))
    return Calibration(BLOCK, round(slope, 4), round(offset, 4))


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


def _rows(encoder: BaseEncoder, layout: Layout, products: list[Product]) -> Floats:
    pictures = _encoded(encoder, [Path(picture.path) for product in products for picture in product.pictures])
    if layout.text_block is None:
        return layout.rows(pictures, None)
    titles = encoder.encode_texts([product.title for product in products for _ in product.pictures])
    return layout.rows(pictures, titles[:, layout.slice(layout.text_block)])


def _encoded(encoder: BaseEncoder, files: list[Path]) -> Floats:
    return encoder.encode_pixels(np.stack([encoder.prepare(decode(read_file(file))) for file in files]))


def _at_best(cosines: Floats, scores: Floats) -> Floats:
    return np.take_along_axis(cosines, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
