"""A shop's match curves, worked out from its own catalogue when it is indexed.

Shoppers' photos resemble catalogue pictures less than those resemble one another. So the curves are read off the
catalogue's own pictures (other views of a product against first hits of another category) and then moved by what photos
were measured to lie lower: on the training photos of the sample shop and on half of the grocery's products.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.storage.catalogue import Catalogue
from indexer.generations.match_curve import LOOK, SCORE, Curve, MatchCalibration
from indexer.generations.store import Generation
from indexer.numeric import batches
from indexer.types import Floats, Ids

ASKED = 400  # catalogue pictures, one a product
NEAREST = 256  # rows among which the first hit of another category is looked for
AT_ONCE = 16
ENOUGH = 20  # pictures, without which nothing is said
ENOUGH_OF_A_KIND = 8  # products with several pictures, for a threshold of their category's own
STRENGTH = 20  # so many products of a category count as much as all the rest of the shop
NARROW = 0.01  # strangers that all look alike to this much tell nothing

# Slope, and middle above the strangers' mean, in standard deviations of what strangers reach among catalogue pictures.
LOOK_OF_PHOTOS, SCORE_OF_PHOTOS = (1.9, -0.25), (1.8, 0.2)
SLOPE_OF_PHOTOS, FALL_OF_PHOTOS = 0.55, 1.4  # a photo's curve of "look" against that of a product's other views
ROUNDS, RIDGE = 50, 1e-3

Cosines = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Views:
    """What one catalogue picture found among the others: its first hit of another category (`stranger`), and its first
    hit of all (`view`) when its product has other pictures."""

    category: str
    stranger: Cosines
    view: Cosines | None


def with_match_curve(generation: Generation, catalogue: Catalogue, seed: int = 0) -> Generation:
    """The generation, its manifest holding the curves of at most 400 of its pictures, drawn by `seed`.

    There are none without a block "look", nor with fewer than 20 pictures that have both their like and strangers about
    them: a product alone in its category cannot say what "of another kind" means.
    """
    if not generation.manifest.weights["picture"].get(LOOK):
        return generation
    curves = _fitted(list(_asked(generation, catalogue, seed)))
    return replace(generation, manifest=replace(generation.manifest, match=curves))


def logistic(x: Floats, y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and offset of the logistic curve that fits y (n,) of 0 and 1 to x (n,) best, by Newton's method."""
    design = np.stack([x - x.mean(), np.ones_like(x)], axis=1).astype(np.float64)
    weights = np.zeros(2)
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (p - y) + RIDGE * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + RIDGE * np.eye(2)
        weights -= np.linalg.solve(curvature, gradient)
    return float(weights[0]), float(weights[1] - weights[0] * x.mean())


def _fitted(seen: Sequence[Views]) -> MatchCalibration | None:
    if len(seen) < ENOUGH:
        return None
    look, score = (np.array([one.stranger[name] for one in seen]) for name in (LOOK, SCORE))
    if min(look.std(), score.std()) < NARROW:
        return None
    viewed = [(one.category, one.view) for one in seen if one.view is not None]
    curves = (
        _from_views(LOOK, look, [view[LOOK] for _, view in viewed]) or _from_strangers(LOOK, look, LOOK_OF_PHOTOS),
        _from_strangers(SCORE, score, SCORE_OF_PHOTOS),
    )
    spread = round(float(score.std()), 4)
    return MatchCalibration(tuple(_with_categories(curve, viewed) for curve in curves), spread, len(seen), len(viewed))


def _asked(generation: Generation, catalogue: Catalogue, seed: int) -> Iterator[Views]:
    """What a sample of the pictures finds, the picture itself left out."""
    keys, first, pictures = np.unique(generation.product_keys, return_index=True, return_counts=True)
    drawn = np.sort(np.random.default_rng(seed).choice(len(keys), min(ASKED, len(keys)), replace=False))
    layout, weights = generation.layout, generation.manifest.weights["picture"]
    for part in batches(drawn.tolist(), AT_ONCE):
        rows = np.asarray(generation.rows[first[part]], dtype=np.float32)
        queries = layout.query(rows[:, : layout.encoder_dim], weights)
        found = [generation.search(query, NEAREST)[1] for query in queries]
        owners = [generation.product_keys[numbers] for numbers in found]
        kinds = catalogue.categories(np.unique(np.concatenate([keys[part], *owners])).tolist())
        for place, query, numbers, owner in zip(part, queries, found, owners, strict=True):
            others = numbers[numbers != first[place]]
            met = [kinds.get(key, "") for key in owner[numbers != first[place]].tolist()]
            stranger = _stranger(int(keys[place]), kinds, owner, others, met)
            if stranger is not None:
                view = _cosines(generation, query, int(others[0])) if pictures[place] > 1 else None
                yield Views(kinds[int(keys[place])], _cosines(generation, query, stranger), view)


def _stranger(key: int, kinds: Mapping[int, str], owners: Ids, rows: Ids, met: Sequence[str]) -> int | None:
    """The first row of another category than the product's; None when the product has no category, or no like."""
    own = kinds.get(key, "")
    if not own or not any(kinds.get(other) == own for other in owners.tolist() if other != key):
        return None
    return next((row for row, kind in zip(rows.tolist(), met, strict=True) if kind not in ("", own)), None)


def _cosines(generation: Generation, query: Floats, row: int) -> Cosines:
    """The cosine in "look" and the score of a row."""
    weights, look = generation.manifest.weights["picture"], generation.layout.slice(LOOK)
    vector = np.asarray(generation.rows[row], dtype=np.float32)
    share = sum(map(abs, weights.values())) / weights[LOOK]
    return {LOOK: float(query[look] @ vector[look]) * share, SCORE: float(query @ vector)}


def _from_strangers(name: str, strangers: Floats, photos: tuple[float, float]) -> Curve:
    """The curve of a shop whose products show one picture each: what strangers reach says where it lies."""
    slope, middle = photos
    mean, spread = float(strangers.mean()), float(strangers.std())
    return Curve(name, round(slope / spread, 4), round(mean + middle * spread, 4))


def _from_views(name: str, strangers: Floats, views: Sequence[float]) -> Curve | None:
    """The curve between other views of a product and strangers, moved to where photos lie; None with too few views."""
    if len(views) < ENOUGH:
        return None
    truth = np.repeat([1.0, 0.0], [len(views), len(strangers)])
    slope, offset = logistic(np.concatenate([views, strangers]), truth)
    if slope <= 0:
        return None
    middle = -offset / slope - FALL_OF_PHOTOS * float(strangers.std())
    return Curve(name, round(SLOPE_OF_PHOTOS * slope, 4), round(middle, 4))


def _with_categories(curve: Curve, viewed: Sequence[tuple[str, Cosines]]) -> Curve:
    """The curve with thresholds of their own for categories whose products' views are more or less alike than others'.

    Half of what their views lie above the shop's is added to the middle, as much of it as there are products to trust.
    """
    by_kind: dict[str, list[float]] = defaultdict(list)
    for kind, view in viewed:
        by_kind[kind].append(view[curve.evidence])
    mean = np.mean([view[curve.evidence] for _, view in viewed]) if viewed else 0.0
    moved = {
        kind: float(np.mean(values) - mean) / 2 * len(values) / (len(values) + STRENGTH)
        for kind, values in sorted(by_kind.items())
        if len(values) >= ENOUGH_OF_A_KIND
    }
    return replace(curve, by_category={kind: round(curve.middle + shift, 4) for kind, shift in moved.items()})
