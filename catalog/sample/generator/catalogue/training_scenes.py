"""Scenes of training products, from which the detection head learns; the sample shop has none of these pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from catalog.sample.generator.catalogue.plan import SEED, TRAIN, Item, items, split
from catalog.sample.generator.catalogue.shopper_photos import Photo

FIRST_SEED = 100_000  # no photo of the sample shop has so high a seed
SINGLE_EVERY = 4  # every so many scenes show one product
MIXED = 320  # scenes after which all show one product, often with clutter, which is harder to tell from products
SMALLEST, LARGEST = 0.55, 1.8  # size of a product, as a share of that of the first one of its scene


def training_scenes(count: int) -> Iterator[Photo]:
    """Yield photos of two or three standing products each, and of one product of any view."""
    chosen = [item for item in items() if split(item) == TRAIN]
    standing = [item for item in chosen if item.family.view == "stand"]
    sizes = {item.id: max(item.measures) for item in standing}
    for number in range(count):
        if number >= MIXED or number % SINGLE_EVERY == SINGLE_EVERY - 1:
            rng = np.random.default_rng([SEED, 8, number])
            shown: tuple[Item, ...] = (chosen[int(rng.integers(len(chosen)))],)
        else:
            shown = _together(standing, sizes, 2 + number % 2, np.random.default_rng([SEED, 7, number]))
        yield Photo(f"t{number:04}", shown, seed=FIRST_SEED + number)


def _together(standing: list[Item], sizes: dict[str, float], count: int, rng: np.random.Generator) -> tuple[Item, ...]:
    """Return products of similar size, each of another family."""
    shown = [standing[int(rng.integers(len(standing)))]]
    for index in rng.permutation(len(standing)):
        other = standing[index]
        similar = SMALLEST < sizes[other.id] / sizes[shown[0].id] < LARGEST
        if similar and other.family.key not in [item.family.key for item in shown]:
            shown.append(other)
        if len(shown) == count:
            break
    return tuple(shown)
