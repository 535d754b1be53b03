"""What all drawings are made of: sizes, colours, words, textures and gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Rng = np.random.Generator
Colour = tuple[int, int, int]
SIDE = 288  # pixels of a drawing's shorter side
LETTERS = "etaoinshrdlucmfwypvbgk"


def size_of(rng: Rng) -> tuple[int, int]:
    """Return width and height, portrait or landscape."""
    longer = int(SIDE * rng.uniform(1, 1.8))
    return (SIDE, longer) if rng.random() < 0.5 else (longer, SIDE)


def colour_of(rng: Rng, low: int = 0, high: int = 256) -> Colour:
    """Return a colour whose channels lie from `low` to below `high`."""
    red, green, blue = rng.integers(low, high, 3).tolist()
    return red, green, blue


def words(rng: Rng, count: int) -> str:
    """Return made-up words of one to nine letters."""
    return " ".join("".join(rng.choice(list(LETTERS), rng.integers(1, 10))) for _ in range(count))


def theme(rng: Rng) -> tuple[Colour, Colour]:
    """Return a background and a colour of text that can be read on it."""
    if rng.random() < 0.25:
        return colour_of(rng, 0, 50), colour_of(rng, 170, 256)
    return colour_of(rng, 225, 256), colour_of(rng, 0, 90)


def font_of(size: float) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """Return Pillow's own font in a size in pixels."""
    return ImageFont.load_default(size)


def fill_lines(d: ImageDraw.ImageDraw, box: tuple[int, int, int, int], rng: Rng, ink: Colour, size: int) -> None:
    """Fill a box with lines of words, some of them short."""
    left, top, right, bottom = box
    font, step = font_of(size), size * rng.uniform(1.2, 1.8)
    for y in np.arange(top, bottom - size, step).tolist():
        if rng.random() < 0.12:
            continue
        text = words(rng, 30)
        end = right if rng.random() < 0.75 else left + (right - left) * rng.uniform(0.2, 0.9)
        while len(text) > 1 and font.getlength(text) > end - left:
            text = text[: int(len(text) * 0.9)]
        d.text((left, y), text, fill=ink, font=font)


def texture(rng: Rng, width: int, height: int, colour: Colour, rough: float = 40) -> NDArray[np.uint8]:
    """Return noise of several scales round a colour, uint8 (height, width, 3)."""
    noise = np.zeros((height, width), np.float32)
    for cells, share in ((3, 0.5), (9, 0.3), (30, 0.15), (90, 0.1)):
        coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        noise += share * np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    tint = np.array(colour, np.float32) + noise[..., None] * rough * rng.uniform(0.6, 1.2, 3)
    return np.clip(tint, 0, 255).astype(np.uint8)


def gradient(width: int, height: int, top: Colour, bottom: Colour) -> NDArray[np.float32]:
    """Return a gradient from top to bottom, float32 (height, width, 3)."""
    part = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    mixed = np.array(top, np.float32) * (1 - part) + np.array(bottom, np.float32) * part
    return np.broadcast_to(mixed, (height, width, 3)).copy()
