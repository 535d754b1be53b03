"""Draw pictures that show no product: pages of text, screens, charts, faces, landscapes, rooms and plain surfaces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from indexer.training.kinds.documents import chart, screen, text_page
from indexer.training.kinds.scenery import face, landscape, room, surface
from indexer.training.kinds.strokes import Colour, Rng


def draw(kind: str, rng: Rng) -> Image.Image:
    """Return a drawing of a kind in `KINDS`, as a camera or a screenshot would show it."""
    picture = KINDS[kind](rng)
    if rng.random() < 0.4:
        angle, outside = float(rng.normal(0, 4)), _mean_colour(picture)
        picture = picture.rotate(angle, Image.Resampling.BILINEAR, fillcolor=outside)
    if rng.random() < 0.4:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.6))))
    pixels = np.asarray(picture, np.float64)
    if rng.random() < 0.6:  # uneven light and the sensor's noise
        light = np.linspace(rng.uniform(0.6, 1.1), rng.uniform(0.8, 1.15), pixels.shape[1])[None, :, None]
        pixels = pixels * light + rng.normal(0, rng.uniform(1, 9), pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _mean_colour(picture: Image.Image) -> Colour:
    red, green, blue = np.asarray(picture).reshape(-1, 3).mean(axis=0).astype(int).tolist()
    return red, green, blue


KINDS: dict[str, Callable[[Rng], Image.Image]] = {
    "text": text_page,
    "screen": screen,
    "chart": chart,
    "face": face,
    "landscape": landscape,
    "room": room,
    "surface": surface,
}
