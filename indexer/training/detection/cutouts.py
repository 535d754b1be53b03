"""Cut products out of catalogue pictures, and draw what they are placed on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from indexer.types import Pixels

SIDE = 320  # pixels of a composed picture
PLAIN_BORDER = 12  # mean difference of a border's pixels from their median, up to which a background is plain
DIFFERENT = 16  # difference of a pixel from the background, from which it shows the product
COVERED = (0.04, 0.9)  # share of a picture that a product may cover
OUTSIDE = 128
Rng = np.random.Generator
Floats64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cutout:
    """A picture and the mask of the product in it, 0 to 255, of the same size."""

    picture: Image.Image
    mask: Image.Image


def cut_from_plain(path: Path) -> Cutout | None:
    """Cut out what differs from the plain background of a catalogue picture; None where there is no such background."""
    picture = Image.open(path).convert("RGB")
    pixels = np.asarray(picture, int)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    background = np.median(border, axis=0)
    if np.abs(border - background).max(axis=1).mean() > PLAIN_BORDER:
        return None
    differs = np.abs(pixels - background).max(axis=2) > DIFFERENT
    framed = Image.fromarray(np.pad(differs * np.uint8(255), 1)).copy()  # of an array it cannot be drawn on
    ImageDraw.floodfill(framed, (0, 0), OUTSIDE)  # holes of the product, of the background's colour, stay its own
    filled = framed.point(lambda value: 0 if value == OUTSIDE else 255).crop((1, 1, *np.add(picture.size, 1)))
    mask = filled.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.MaxFilter(3))
    if not COVERED[0] < np.asarray(mask).mean() / 255 < COVERED[1]:
        return None
    return Cutout(picture, mask)


def background(rng: Rng, photos: list[Path]) -> Image.Image:
    """Draw a plain colour or clouds, or enlarge the corner of a photo: a corner seldom shows its product."""
    kind = rng.random()
    if kind < 0.2:
        pixels = (
            np.tile(rng.uniform(60, 255, 3), (SIDE, SIDE, 1)) * np.linspace(rng.uniform(0.7, 1), 1, SIDE)[:, None, None]
        )
    elif kind < 0.45:
        pixels = _clouds(rng)
    else:
        return _corner(rng, photos[int(rng.integers(len(photos)))])
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def text_page(rng: Rng) -> Image.Image:
    """Draw a page of text, of bars for words: it shows no object."""
    page = Image.new("RGB", (240, SIDE), tuple(int(value) for value in rng.uniform(225, 256, 3)))
    draw = ImageDraw.Draw(page)
    top = 20
    while top < SIDE - 20:
        left = 20
        while left < 210 and rng.random() > 0.04:
            right = left + int(rng.uniform(8, 34))
            draw.rectangle(
                (left, top, min(right, 222), top + int(rng.uniform(3, 6))), fill=(int(rng.uniform(0, 90)),) * 3
            )
            left = right + 5
        top += int(rng.uniform(9, 13)) * (1 if rng.random() > 0.15 else 2)
    return page


def _clouds(rng: Rng) -> Floats64:
    """Return coloured noise over a plain colour, below a plain wall every other time, (SIDE, SIDE, 3)."""
    frequency = np.fft.fftfreq(SIDE)
    radius = np.hypot(frequency[None], frequency[:, None]) + 1 / SIDE
    noise = np.fft.ifft2(np.fft.fft2(rng.standard_normal((SIDE, SIDE))) / radius ** rng.uniform(0.5, 1.8)).real
    pixels = rng.uniform(50, 220, 3) + (noise / noise.std())[..., None] * rng.uniform(5, 30, 3)
    if rng.random() < 0.5:
        pixels[: int(rng.uniform(0.2, 0.6) * SIDE)] = rng.uniform(80, 240, 3)
    return np.asarray(pixels)


def _corner(rng: Rng, path: Path) -> Image.Image:
    photo = Image.open(path).convert("RGB")
    share = rng.uniform(0.15, 0.4)
    left, top = (float(rng.choice([0.0, 1 - share])) * edge for edge in photo.size)
    box = (int(left), int(top), int(left + share * photo.size[0]), int(top + share * photo.size[1]))
    return photo.crop(box).resize((SIDE, SIDE)).filter(ImageFilter.GaussianBlur(rng.uniform(0, 6)))


def darkened(picture: Image.Image, mask: Image.Image, rng: Rng) -> Image.Image:
    """Draw the soft shadow of a mask on a picture."""
    strength = rng.uniform(0.15, 0.5)
    soft = mask.filter(ImageFilter.GaussianBlur(rng.uniform(3, 10))).point(lambda value: int(value * strength))
    shadow = Image.new("L", picture.size)
    shadow.paste(soft, (int(rng.integers(-8, 9)), int(rng.integers(0, 9))))
    return Image.composite(Image.new("RGB", picture.size), picture, shadow)


def tinted(picture: Image.Image, rng: Rng) -> Image.Image:
    """Return a picture in other light."""
    light = rng.uniform(0.75, 1.2, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0.8, 1.15))
    pixels: Pixels = np.clip(np.asarray(picture) * light, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)
