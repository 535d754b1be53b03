"""Draw the catalogue map of one generation, in a child process: python -m search.ops.map_drawing HOME GENERATION.

A sample of products is laid out by t-SNE (van der Maaten and Hinton, 2008) from 32 principal components. PCA and t-SNE
are our own 90 lines: scikit-learn would be a dependency for this one page (docs/decisions/operator-page.md).
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.errors import WindowshopError
from catalog.files.atomic import write_atomically
from catalog.files.locks import exclusive_lock
from catalog.home import ShopHome
from catalog.logs import write_logs
from catalog.storage.opening import open_catalogue
from indexer.generations.store import Generation, numbers, open_generation
from indexer.layout import WORDS
from indexer.types import Floats
from search.ops.catalogue_map import MAP_FORMAT, MAP_SIZE, CatalogueMap, MapPoint, map_path, read_map

MAX_POINTS = 1_000  # keeps the answer below 100 kB, and the layout, whose work is their square, within a few seconds
PRINCIPAL_COMPONENTS = 32
PERPLEXITY = 25.0  # how many neighbours each point tries to keep near
ITERATIONS, EARLY_ITERATIONS = 350, 100  # steps of gradient descent; the early ones exaggerate attraction
EXAGGERATION = 12.0
NICE = 15

log = logging.getLogger(__name__)


def draw_map(home: Path, number: int, seed: int = 0) -> CatalogueMap:
    """Draw and store the map of a generation, and remove the maps of generations that no longer exist.

    Processes draw one after the other; a map that another process has drawn meanwhile is returned. Raises
    GenerationError, StoreError; OSError when the map cannot be written.
    """
    ShopHome(home).maps.mkdir(exist_ok=True)
    with exclusive_lock(ShopHome(home).maps, math.inf):
        return read_map(home, number) or _draw(home, number, seed)


def _draw(home: Path, number: int, seed: int) -> CatalogueMap:
    started = time.monotonic()
    generation = open_generation(home, number, mapped=True)
    keys, vectors = sample_products(generation, seed)
    with closing(open_catalogue(home)) as catalogue:
        products = catalogue.get_many(keys)
    places = zip(keys, layout_points(vectors, seed).tolist(), strict=True)
    points = tuple(MapPoint(products[key].id, x, y) for key, (x, y) in places if key in products)
    drawn = CatalogueMap(number, generation.manifest.products, round(time.monotonic() - started, 2), points)
    text = json.dumps(asdict(drawn) | {"format": MAP_FORMAT}, separators=(",", ":"))
    write_atomically(map_path(home, number), lambda path: path.write_text(text, encoding="utf-8"))
    for old in set(ShopHome(home).maps.glob("*.json")) - {map_path(home, existing) for existing in numbers(home)}:
        old.unlink(missing_ok=True)
    return drawn


def sample_products(generation: Generation, seed: int = 0, limit: int = MAX_POINTS) -> tuple[list[int], Floats]:
    """Return the keys of at most `limit` products, and the row (dim,) of each one's first picture.

    Blocks are weighted as for a photo query, so dot products compare pictures; "words", the title's block, counts 0.
    """
    keys, rows = np.unique(generation.product_keys, return_index=True)
    sample = np.sort(np.random.default_rng(seed).choice(len(keys), min(limit, len(keys)), replace=False))
    weights = generation.manifest.weights["picture"]
    scale = {name: abs(weight) ** 0.5 for name, weight in weights.items() if name != WORDS}
    vectors = generation.layout.weigh(np.asarray(generation.rows[rows[sample]], np.float32), scale)
    generation.release_pages()
    return keys[sample].tolist(), vectors


def layout_points(vectors: Floats, seed: int = 0) -> NDArray[np.int64]:
    """Return int coordinates (n, 2) from 0 to MAP_SIZE that keep similar vectors (n, dim) near each other."""
    reduced = principal_components(vectors, PRINCIPAL_COMPONENTS)
    flat = np.pad(reduced, ((0, 0), (0, 1)))[:, :2]  # one component may be all there is
    if len(vectors) > 3:
        noise = np.random.default_rng(seed).normal(size=flat.shape) * 1e-3  # separates equal pictures
        start = flat / max(float(np.abs(flat).max()), 1e-9) + noise
        flat = _descend(_affinities(reduced), start.astype(np.float32) * 1e-2)
    if not len(vectors):
        return flat.astype(np.int64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    middle, extent = (low + high) / 2, max(float((high - low).max()), 1e-9)
    return np.asarray(np.clip(np.rint(((flat - middle) / extent + 0.5) * MAP_SIZE), 0, MAP_SIZE), np.int64)


def principal_components(vectors: Floats, limit: int) -> Floats:
    """Project vectors (n, dim) on at most `limit` principal components, each with a deterministic sign."""
    centred = vectors - vectors.mean(axis=0) if len(vectors) else vectors
    values, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    chosen = axes[:, ::-1][:, : min(limit, int(np.count_nonzero(values > 1e-9)) or 1)]
    chosen = chosen * np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(chosen.shape[1])])
    return np.asarray(centred @ chosen, np.float32)


def _affinities(rows: Floats) -> Floats:
    """Return symmetric t-SNE affinities (n, n), which sum to 1, of Gaussians with PERPLEXITY effective neighbours."""
    count = len(rows)
    target = np.log(min(PERPLEXITY, (count - 1) / 3))
    squares = np.einsum("ij,ij->i", rows, rows)
    distances = np.maximum(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0)
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1, kind="stable")[:, : min(count - 1, int(3 * PERPLEXITY))]
    gaps = np.take_along_axis(distances, near, axis=1).astype(np.float64)
    gaps -= gaps[:, :1]
    low, high = np.zeros((count, 1)), np.full((count, 1), np.inf)
    precision = 1.0 / np.maximum(gaps.mean(axis=1, keepdims=True), 1e-9)
    for _ in range(40):  # bisection until each row has the target entropy
        shares = np.exp(-gaps * precision)
        shares /= shares.sum(axis=1, keepdims=True)
        entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1, keepdims=True)
        low, high = np.where(entropy > target, precision, low), np.where(entropy > target, high, precision)
        open_end = np.isinf(high)
        precision = np.where(open_end, np.minimum(2 * precision, 1e9), (low + np.where(open_end, 0, high)) / 2)
    affinities = np.zeros((count, count), np.float32)
    np.put_along_axis(affinities, near, shares.astype(np.float32), axis=1)
    return np.asarray((affinities + affinities.T) / (2 * count), np.float32)


def _descend(affinities: Floats, points: Floats) -> Floats:
    """Minimise the t-SNE loss of points (n, 2) by gradient descent with momentum and a gain for each coordinate."""
    rate = max(len(points) / EXAGGERATION, 50.0)
    speed, gains = np.zeros_like(points), np.ones_like(points)
    for iteration in range(ITERATIONS):
        early = iteration < EARLY_ITERATIONS
        squares = np.einsum("ij,ij->i", points, points)
        near = squares[:, None] + squares[None] - 2 * points @ points.T
        near = 1 / (1 + np.maximum(near, 0, out=near))
        np.fill_diagonal(near, 0)
        pull = affinities * np.float32(EXAGGERATION if early else 1.0)
        pull -= near * np.float32(1 / max(float(near.sum()), 1e-12))
        pull *= near
        gradient = 4 * (pull.sum(axis=1, keepdims=True) * points - pull @ points)
        gains = np.where((gradient > 0) == (speed > 0), np.maximum(0.8 * gains, 0.01), gains + 0.2)
        speed = (0.5 if early else 0.8) * speed - rate * gains * gradient
        points = points + speed
    return np.asarray(points - points.mean(axis=0), np.float32)


if __name__ == "__main__":
    os.nice(NICE)
    write_logs()
    try:
        draw_map(Path(sys.argv[1]), int(sys.argv[2]))
    except (WindowshopError, OSError) as failure:
        log.error("The map of the catalogue cannot be drawn: %s", failure)
        sys.exit(1)
