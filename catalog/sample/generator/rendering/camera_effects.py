"""Apply the effects of a phone and a chat to a photo: white balance, blur, grain, vignette, JPEG saved twice."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from catalog.sample.generator.shapes.tableware import Rng

STUDIO_QUALITY = 84


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """Return the picture as a JPEG file."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def studio_file(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return a studio picture as a file."""
    return jpeg(Image.fromarray(pixels), STUDIO_QUALITY)


def shopper_file(pixels: npt.NDArray[np.uint8], rng: Rng) -> bytes:
    """Return a shopper's photo as a file, with these effects."""
    light = pixels.astype(np.float64) * rng.uniform(0.93, 1.07, 3)
    h, w = light.shape[:2]
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    light *= (1 - rng.uniform(0, 0.22) * (x**2 + y**2) / 2)[..., None]
    picture = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
    chance = rng.random()
    if chance < 0.35:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.5)))
    elif chance < 0.5:
        row = [0.0] * 25
        for k in range(5):
            row[(2 * 5 + k) if rng.random() < 0.8 else 6 * k] = 1.0
        picture = picture.filter(ImageFilter.Kernel((5, 5), row, sum(row)))
    grain = rng.normal(0, rng.uniform(0.5, 7), (h, w, 1)) + rng.normal(0, 1.5, (h, w, 3))
    picture = Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))
    first = Image.open(io.BytesIO(jpeg(picture, int(rng.integers(45, 85)))))
    return jpeg(first.convert("RGB"), int(rng.integers(70, 84)))
