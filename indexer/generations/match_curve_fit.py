"""Fit a shop's match calibration on its own catalogue when it is indexed.

Shoppers' photos resemble catalogue pictures less than those resemble one another. So the curves are fitted on the
catalogue's own pictures (other views of a product against first hits of another category, the "strangers"), and then
moved by how much lower photos score, as measured on the training photos of the sample shop and on half of the
grocery's products.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.storage.catalogue import Catalogue
from indexer.generations.known_kinds import known_kinds
from indexer.generations.match_curve import LOOK, MIN_VIEWS, SCORE, Curve, MatchCalibration
from indexer.generations.store import Generation
from indexer.numeric import batches
from indexer.types import Floats, Ids

MAX_QUERIES = 400  # catalogue pictures, one a product
SEARCH_ROWS = 256  # rows among which the first hit of another category is looked for
BATCH_QUERIES = 16
MIN_PICTURES = 20  # fewest pictures that anything is fitted on
MIN_CATEGORY_PRODUCTS = 8  # products with several pictures that a category needs for its own threshold
PRIOR_PRODUCTS = 20  # so many products of a category count as much as the rest of the shop
MIN_STRANGER_SPREAD = 0.01  # strangers whose cosines spread less tell nothing apart

# Slope, and middle above the strangers' mean, in standard deviations of the strangers' cosines.
PHOTO_LOOK, PHOTO_SCORE = (1.9, -0.25), (1.8, 0.2)
PHOTO_SLOPE_RATIO, PHOTO_DROP = 0.55, 1.4  # a photo's curve of "look" against that of a product's other views
NEWTON_STEPS, RIDGE = 50, 1e-3

Cosines = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Views:
    """Cosines that one catalogue picture reaches among the others.

    `stranger` is its first hit of another category, `view` its first hit of all when its product has other pictures.
    """

    category: str
    stranger: Cosines
    view: Cosines | None


def with_match_curve(generation: Generation, catalogue: Catalogue, seed: int = 0) -> Generation:
    """Return the generation with curves in its manifest, fitted on at most 400 of its pictures, drawn by `seed`.

    There are no curves without a block "look", nor with fewer than 20 pictures that have neighbours of their own and of
    another category: a product alone in its category cannot show what another category looks like.
    """
    if not generation.manifest.weights["picture"].get(LOOK):
        return generation
    match = _fit(list(_search_sample(generation, catalogue, seed)))
    kinds = known_kinds()
    if match is not None and kinds.fingerprint == generation.manifest.fingerprint:
        products = generation.manifest.products
        match = replace(match, sold=kinds.sold(generation), kinds=kinds.digest, products=products)
    return replace(generation, manifest=replace(generation.manifest, match=match))


def logistic(x: Floats, y: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and offset of the logistic curve that best fits y (n,) of 0 and 1 to x (n,), by Newton's method."""
    design = np.stack([x - x.mean(), np.ones_like(x)], axis=1).astype(np.float64)
    weights = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (p - y) + RIDGE * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + RIDGE * np.eye(2)
        weights -= np.linalg.solve(curvature, gradient)
    return float(weights[0]), float(weights[1] - weights[0] * x.mean())


def _fit(views: Sequence[Views]) -> MatchCalibration | None:
    if len(views) < MIN_PICTURES:
        return None
    look, score = (np.array([found.stranger[name] for found in views]) for name in (LOOK, SCORE))
    if min(look.std(), score.std()) < MIN_STRANGER_SPREAD:
        return None
    other_views = [(found.category, found.view) for found in views if found.view is not None]
    curves = (
        _from_views(LOOK, look, [view[LOOK] for _, view in other_views]) or _from_strangers(LOOK, look, PHOTO_LOOK),
        _from_strangers(SCORE, score, PHOTO_SCORE),
    )
    spread = round(float(score.std()), 4)
    fitted = tuple(_with_categories(curve, other_views) for curve in curves)
    return MatchCalibration(fitted, spread, len(views), len(other_views))


def _search_sample(generation: Generation, catalogue: Catalogue, seed: int) -> Iterator[Views]:
    """Search with a sample of the pictures and yield what each finds, itself left out."""
    keys, first, pictures = np.unique(generation.product_keys, return_index=True, return_counts=True)
    sample = np.sort(np.random.default_rng(seed).choice(len(keys), min(MAX_QUERIES, len(keys)), replace=False))
    layout, weights = generation.layout, generation.manifest.weights["picture"]
    for part in batches(sample.tolist(), BATCH_QUERIES):
        rows = np.asarray(generation.rows[first[part]], dtype=np.float32)
        queries = layout.query(rows[:, : layout.encoder_dim], weights)
        found = [generation.search(query, SEARCH_ROWS)[1] for query in queries]
        owners = [generation.product_keys[numbers] for numbers in found]
        categories = catalogue.categories(np.unique(np.concatenate([keys[part], *owners])).tolist())
        for position, query, numbers, owner in zip(part, queries, found, owners, strict=True):
            key = int(keys[position])
            other = numbers != first[position]
            stranger = _stranger(key, categories, owner, numbers[other], owner[other])
            if stranger is not None:
                view = _cosines(generation, query, int(numbers[other][0])) if pictures[position] > 1 else None
                yield Views(categories[key], _cosines(generation, query, stranger), view)
        generation.release_pages()


def _stranger(key: int, categories: Mapping[int, str], owners: Ids, rows: Ids, row_owners: Ids) -> int | None:
    """Return the first row of another category; None when no other of the `owners` found is in the product's own."""
    own = categories.get(key, "")
    if not own or not any(categories.get(owner) == own for owner in owners.tolist() if owner != key):
        return None
    pairs = zip(rows.tolist(), row_owners.tolist(), strict=True)
    return next((row for row, owner in pairs if categories.get(owner, "") not in ("", own)), None)


def _cosines(generation: Generation, query: Floats, row: int) -> Cosines:
    """Return the cosine in "look" and the score of a row."""
    weights, look = generation.manifest.weights["picture"], generation.layout.slice(LOOK)
    vector = np.asarray(generation.rows[row], dtype=np.float32)
    share = sum(map(abs, weights.values())) / weights[LOOK]
    return {LOOK: float(query[look] @ vector[look]) * share, SCORE: float(query @ vector)}


def _from_strangers(name: str, strangers: Floats, photos: tuple[float, float]) -> Curve:
    """Place the curve by the strangers' cosines, for a shop whose products show one picture each."""
    slope, middle = photos
    mean, spread = float(strangers.mean()), float(strangers.std())
    return Curve(name, round(slope / spread, 4), round(mean + middle * spread, 4))


def _from_views(name: str, strangers: Floats, views: Sequence[float]) -> Curve | None:
    """Fit the curve between other views of a product and strangers, and move it to photos; None with too few views."""
    if len(views) < MIN_VIEWS:
        return None
    truth = np.repeat([1.0, 0.0], [len(views), len(strangers)])
    slope, offset = logistic(np.concatenate([views, strangers]), truth)
    if slope <= 0:
        return None
    middle = -offset / slope - PHOTO_DROP * float(strangers.std())
    return Curve(name, round(PHOTO_SLOPE_RATIO * slope, 4), round(middle, 4))


def _with_categories(curve: Curve, views: Sequence[tuple[str, Cosines]]) -> Curve:
    """Return the curve with a threshold for each category whose products' views are more or less alike than others'.

    The threshold is moved by half the difference of the category's mean cosine from the shop's, shrunk towards 0 when
    the category has few products.
    """
    by_category: dict[str, list[float]] = defaultdict(list)
    for category, view in views:
        by_category[category].append(view[curve.evidence])
    mean = np.mean([view[curve.evidence] for _, view in views]) if views else 0.0
    shifts = {
        category: float(np.mean(values) - mean) / 2 * len(values) / (len(values) + PRIOR_PRODUCTS)
        for category, values in sorted(by_category.items())
        if len(values) >= MIN_CATEGORY_PRODUCTS
    }
    return replace(curve, by_category={name: round(curve.middle + shift, 4) for name, shift in shifts.items()})
