"""Fit the known kinds and the head for pictures without a product: `python -m indexer kinds`.

Run it after `make starter`: the vectors are those of one version of the starter's heads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from catalog.images.crop import load_picture
from catalog.product import Product
from catalog.sample import SAMPLE_FOLDER
from catalog.sample.generator.catalogue.plan import TRAIN
from catalog.text.labelled_csv import read_labelled_csv
from indexer.encoders.base import BaseEncoder
from indexer.encoders.registry import DEFAULT_ENCODER, open_encoder
from indexer.generations.known_kinds import KINDS_FILE, KnownKinds, save_kinds
from indexer.layout import RowLayout
from indexer.numeric import batches, unit
from indexer.training.kinds.drawings import KINDS, draw
from indexer.training.starter_data import HOLDOUT_PRODUCTS, labelled_photos, whole_feed
from indexer.types import Floats

MIN_PICTURES = 10  # training pictures that a kind of the fashion feed needs
MAX_PICTURES = 60  # of a kind
DRAWN = 150  # of each kind of drawing
BATCH = 32
NEWTON_STEPS, RIDGE = 30, 0.1

Kind = tuple[str, str]  # the data set, and the kind in it: a shirt of the feed and one of the owners' photos differ


def fit_kinds(data: Path, out: Path = KINDS_FILE, seed: int = 0) -> dict[str, Any]:
    """Fit on the starter's training pictures and on drawings, and save to `out`; return the card of the file.

    Raises BadFeed when the data is incomplete.
    """
    rng = np.random.default_rng(seed)
    encoder = open_encoder(DEFAULT_ENCODER)
    layout = RowLayout(encoder.blocks)
    look, meaning = layout.slice("look"), layout.slice("meaning")
    pictures = _training_pictures(data, rng)
    rows = {kind: _encoded(encoder, (load_picture(file) for file, _ in found)) for kind, found in pictures.items()}
    titles = sorted({title for found in pictures.values() for _, title in found if title})
    words = np.concatenate([encoder.encode_texts(part)[:, meaning] for part in batches(titles, BATCH)])
    drawn = _encoded(encoder, (draw(kind, rng) for kind in KINDS for _ in range(DRAWN)))
    means = unit(np.stack([vectors[:, meaning].mean(axis=0) for vectors in rows.values()]))
    products = np.concatenate([vectors[:, meaning] for (source, _), vectors in rows.items() if source in FEEDS])
    home = np.stack([(means @ products.T).max(axis=1), (means @ words.T).max(axis=1)], axis=1)
    head = linear_head(np.concatenate(list(rows.values()))[:, look], drawn[:, look])
    names = tuple(f"{source}: {name}" for source, name in rows)
    card = {"pictures": sum(map(len, pictures.values())), "drawn": len(drawn), "seed": seed}
    save_kinds(KnownKinds(names, means, home, head, encoder.fingerprint), out, card)
    return {**card, "kinds": len(names), "saved": str(out)}


FASHION, GROCERY, SAMPLE, OWNERS, SHELF, SHOPPERS = "fashion", "grocery", "sample", "owners", "shelf", "shoppers"
FEEDS = (FASHION, GROCERY, SAMPLE)  # products' own pictures; the other sources are photos


def _training_pictures(data: Path, rng: np.random.Generator) -> dict[Kind, list[tuple[Path, str]]]:
    """Return the starter's training pictures by kind, at most 60 of each; a product's own picture with its title."""
    found: dict[Kind, list[tuple[Path, str]]] = defaultdict(list)
    for source, product in _products(data):
        found[source, product.category_path[-1]].append((Path(product.pictures[0].path), product.title))
    grocery = {product.id: product.title for product in whole_feed(data / GROCERY / "products.csv")}
    for photo in labelled_photos(data / GROCERY / "photos_train.csv", "product_id", grocery):
        found[SHELF, grocery[photo.name]].append((photo.file, ""))
    for photo in labelled_photos(data / "clothing" / "photos_train.csv", "category"):
        found[OWNERS, photo.name].append((photo.file, ""))
    kinds = {product.id: product.category_path[-1] for product in whole_feed(SAMPLE_FOLDER / "products.csv")}
    for row in read_labelled_csv(SAMPLE_FOLDER / "photos.csv", ("photo", "product_id", "split")):
        if row.values["split"] == TRAIN:
            found[SHOPPERS, kinds[row.values["product_id"]]].append((SAMPLE_FOLDER / row.values["photo"], ""))
    enough = {kind: files for kind, files in found.items() if kind[0] != FASHION or len(files) >= MIN_PICTURES}
    drawn = {kind: rng.permutation(len(files))[:MAX_PICTURES].tolist() for kind, files in enough.items()}
    return {kind: [enough[kind][number] for number in numbers] for kind, numbers in drawn.items()}


def _products(data: Path) -> Iterator[tuple[str, Product]]:
    """Yield the training products: the fashion feed without the starter's holdout, the groceries, the sample shop's."""
    fashion = sorted(whole_feed(data / FASHION / "products.csv"), key=lambda product: product.id)
    order = np.random.default_rng(0).permutation(len(fashion))
    yield from ((FASHION, fashion[i]) for i in order[min(HOLDOUT_PRODUCTS, len(fashion) // 4) :])
    yield from ((GROCERY, product) for product in whole_feed(data / GROCERY / "products.csv"))
    captions = read_labelled_csv(SAMPLE_FOLDER / "captions.csv", ("product_id", "split"))
    trained = {row.values["product_id"] for row in captions if row.values["split"] == TRAIN}
    yield from ((SAMPLE, item) for item in whole_feed(SAMPLE_FOLDER / "products.csv") if item.id in trained)


def _encoded(encoder: BaseEncoder, pictures: Iterable[Image.Image]) -> Floats:
    return np.concatenate([encoder.encode_images(part) for part in batches(pictures, BATCH)])


def linear_head(products: Floats, drawings: Floats) -> Floats:
    """Return weights and constant of a ridge logistic regression, both classes of equal weight, by Newton's method."""
    x = np.concatenate([products, drawings]).astype(np.float64)
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    y = np.repeat([0.0, 1.0], [len(products), len(drawings)])
    share = np.where(y == 1, len(y) / (2 * len(drawings)), len(y) / (2 * len(products)))
    ridge = RIDGE * np.eye(x.shape[1])
    ridge[-1, -1] = 0
    weights = np.zeros(x.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (share * (p - y)) + ridge @ weights
        weights -= np.linalg.solve((x * (share * p * (1 - p))[:, None]).T @ x + ridge, gradient)
    return weights.astype(np.float32)
