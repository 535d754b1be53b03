"""Compose pictures of several products from their cutouts, with the mask and the box of each."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from indexer.training.detection.cutouts import SIDE, Cutout, Rng, background, darkened, tinted
from indexer.types import Pixels

MASK_SIDE = 112  # pixels of an object's mask in the training data
COUNTS, SHARES = (1, 2, 3, 4), (0.25, 0.3, 0.3, 0.15)  # objects of a picture
SIZES = {1: (0.5, 0.85), 2: (0.25, 0.6), 3: (0.18, 0.45), 4: (0.18, 0.45)}  # longer side, as a share of the picture
MIXED_SHARE = 0.3  # of the pictures, with products of several sources
ATTEMPTS = 30  # to find a free place
LEAST_VISIBLE = 20  # pixels of a mask
Source = Sequence[Callable[[], Cutout | None]]


@dataclass(frozen=True, slots=True)
class ShownObject:
    """The visible part of an object, uint8 (MASK_SIDE, MASK_SIDE), and its box in fractions of the picture."""

    mask: Pixels
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Example:
    """A picture and its objects; None: it shows one object, and nobody knows where."""

    picture: Image.Image
    objects: tuple[ShownObject, ...] | None


def shown_object(mask: Image.Image) -> ShownObject | None:
    """Return the object of a mask of any size; None when nearly nothing of it is visible."""
    small = np.asarray(mask.resize((MASK_SIDE, MASK_SIDE), Image.Resampling.BOX))
    rows, columns = np.nonzero(small > 127)
    if len(rows) <= LEAST_VISIBLE:
        return None
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return ShownObject(small, (left / MASK_SIDE, top / MASK_SIDE, right / MASK_SIDE, bottom / MASK_SIDE))


def composite(rng: Rng, sources: Sequence[Source], photos: list[Path]) -> Example:
    """Place up to four products, mostly of one source, on a background drawn or taken from the photos."""
    picture, masks = background(rng, photos), list[Image.Image]()
    count = int(rng.choice(COUNTS, p=SHARES))
    source = sources[int(rng.integers(len(sources)))]
    if rng.random() < MIXED_SHARE:
        source = [cut for cuts in sources for cut in cuts]
    for _ in range(count):
        placed = _placed(rng, source, count, masks)
        if placed is None:
            continue
        layer, mask = placed
        if rng.random() < 0.6:
            picture = darkened(picture, mask, rng)
        picture = Image.composite(tinted(layer, rng), picture, mask.filter(ImageFilter.GaussianBlur(0.7)))
        masks = [_without(earlier, mask) for earlier in masks] + [mask]
    objects = [shown_object(mask) for mask in masks]
    return Example(_photographed(picture, rng), tuple(shown for shown in objects if shown is not None))


def _placed(rng: Rng, source: Source, count: int, masks: list[Image.Image]) -> tuple[Image.Image, Image.Image] | None:
    """Return a product and its mask in a free place of an empty picture; None when there is none."""
    covered = np.max([np.asarray(mask) for mask in masks] or [np.zeros((SIDE, SIDE), np.uint8)], axis=0)
    for attempt in range(ATTEMPTS):
        cutout = source[int(rng.integers(len(source)))]()
        if cutout is None:
            continue
        bounds = cutout.mask.getbbox()
        picture, mask = cutout.picture.crop(bounds), cutout.mask.crop(bounds)
        if rng.random() < 0.5:
            flip = Image.Transpose.FLIP_LEFT_RIGHT
            picture, mask = picture.transpose(flip), mask.transpose(flip)
        scale = rng.uniform(*SIZES[count]) * SIDE / max(picture.size)
        width = min(SIDE - 2, max(8, int(picture.size[0] * scale * rng.uniform(0.85, 1.15))))
        height = min(SIDE - 2, max(8, int(picture.size[1] * scale)))
        place = (int(rng.integers(0, SIDE - width)), int(rng.integers(0, SIDE - height)))
        layer, full = Image.new("RGB", (SIDE, SIDE)), Image.new("L", (SIDE, SIDE))
        layer.paste(picture.resize((width, height)), place)
        full.paste(mask.resize((width, height)), place)
        hidden = (covered > 0)[np.asarray(full) > 127]
        if hidden.size and hidden.mean() <= (0.0 if attempt < ATTEMPTS * 2 // 3 else 0.1):
            return layer, full
    return None


def _without(mask: Image.Image, other: Image.Image) -> Image.Image:
    return Image.fromarray(np.minimum(np.asarray(mask), 255 - np.asarray(other)))


def _photographed(picture: Image.Image, rng: Rng) -> Image.Image:
    """Blur a picture a little and compress it, as phones do."""
    if rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 1.4)))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=int(rng.integers(45, 92)))
    return Image.open(data).convert("RGB")
