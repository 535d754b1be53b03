"""Augment pictures for training: flips, crops, light, tilt."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageEnhance, ImageOps

VIEW_NAMES = ("plain", "flip", "shot 1", "shot 2")


def view(picture: Image.Image, name: str, seed: int) -> Image.Image:
    """Return the named view of the picture; "shot" views are random from the seed."""
    if name == "plain":
        return picture
    if name == "flip":
        return ImageOps.mirror(picture)
    return another_shot(picture, random.Random(f"{name} {seed}"))  # noqa: S311 - augmentation, not a secret


def another_shot(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return the picture as if taken again by hand: cropped, perhaps mirrored or tilted, in other light."""
    width, height = picture.size
    share, stretch = rng.uniform(0.45, 1.0), math.exp(rng.uniform(-0.25, 0.25))
    crop_width = min(width, max(1, int(width * math.sqrt(share) * stretch)))
    crop_height = min(height, max(1, int(height * math.sqrt(share) / stretch)))
    left, top = rng.randint(0, width - crop_width), rng.randint(0, height - crop_height)
    picture = picture.crop((left, top, left + crop_width, top + crop_height))
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    if rng.random() < 0.3:
        corner = picture.getpixel((0, 0))
        picture = picture.rotate(rng.uniform(-15, 15), Image.Resampling.BILINEAR, fillcolor=corner)
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = change(picture).enhance(rng.uniform(0.75, 1.25))
    return picture
