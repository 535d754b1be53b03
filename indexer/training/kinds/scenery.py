"""Draw landscapes, faces, rooms and plain surfaces."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from indexer.training.kinds.strokes import SIDE, Colour, Rng, colour_of, gradient, size_of, texture

SKIN: tuple[Colour, ...] = ((241, 205, 178), (224, 172, 138), (198, 134, 96), (141, 85, 54), (92, 58, 40))
HAIR: tuple[Colour, ...] = ((30, 24, 22), (72, 46, 30), (120, 80, 44), (196, 160, 98), (150, 150, 150))
SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((70, 130, 210), (190, 215, 240)), ((40, 80, 160), (235, 170, 120)), ((150, 160, 170), (210, 212, 215)),
    ((10, 14, 40), (50, 50, 90)), ((90, 60, 120), (250, 150, 90)),
)  # fmt: skip
GROUNDS: tuple[Colour, ...] = (
    (60, 100, 45), (110, 130, 60), (150, 120, 80), (90, 85, 80), (225, 230, 235), (40, 90, 120), (200, 180, 130)
)  # fmt: skip


def landscape(rng: Rng) -> Image.Image:
    """Return a sky with clouds over ridges, water, fields, trees or houses."""
    width, height = size_of(rng)
    canvas = gradient(width, height, *SKIES[rng.integers(len(SKIES))])
    clouds = texture(rng, width, height, (0, 0, 0), 120).astype(np.float32).mean(axis=2, keepdims=True)
    canvas += np.clip(clouds - 20, 0, 90) * rng.uniform(0, 1.2)
    x = np.arange(width)
    horizon = height * rng.uniform(0.3, 0.75)
    for layer in range(int(rng.integers(1, 5))):
        strength = rng.uniform(0, 1)
        sines = [
            height * 0.12 / k * np.sin(x / width * k * rng.uniform(2, 9) + rng.uniform(0, 7)) for k in (1, 2, 4, 9)
        ]
        waves = strength * np.sum(sines, axis=0)
        edge = horizon + layer * height * 0.1 + waves
        ground = texture(rng, width, height, GROUNDS[rng.integers(len(GROUNDS))], rng.uniform(10, 50))
        below = np.arange(height)[:, None] > edge[None, :]
        canvas = np.where(below[..., None], ground.astype(np.float32), canvas)
    picture = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    d = ImageDraw.Draw(picture)
    for _ in range(int(rng.choice([0, 0, 4, 15, 40]))):
        left, size = float(rng.uniform(0, width)), float(rng.uniform(6, 40))
        _grow(d, rng, left, horizon + float(rng.uniform(0, height * 0.3)), size)
    return picture


def _grow(d: ImageDraw.ImageDraw, rng: Rng, x: float, base: float, size: float) -> None:
    """Draw a tree, a fir or a house that stands at (x, base)."""
    form = rng.random()
    if form < 0.4:  # a tree
        d.line((x, base, x, base - size), fill=(70, 50, 35), width=2)
        for _ in range(9):
            dx, dy = rng.normal(0, size / 4, 2).tolist()
            r = size / 5
            box = (x + dx - r, base - size + dy - r, x + dx + r, base - size + dy + r)
            d.ellipse(box, fill=colour_of(rng, 30, 120))
    elif form < 0.6:
        d.polygon([(x - size / 3, base), (x, base - 1.5 * size), (x + size / 3, base)], fill=colour_of(rng, 20, 100))
    else:  # a house with windows
        d.rectangle((x, base - size, x + size, base), fill=colour_of(rng, 90, 230))
        for wx in np.arange(x + 2, x + size - 3, 7).tolist():
            d.rectangle((wx, base - size + 4, wx + 3, base - size + 9), fill=colour_of(rng, 30, 90))


def face(rng: Rng) -> Image.Image:
    """Return one face or a few, with hair and shoulders before a background, shaded."""
    width, height = size_of(rng)
    back = texture(rng, width, height, colour_of(rng, 20, 240), rng.uniform(0, 60))
    picture = Image.fromarray(back)
    people = int(rng.choice([1, 1, 1, 2, 4]))
    for number in range(people):
        size = SIDE * rng.uniform(0.25, 0.42) / (1 if people == 1 else people**0.5)
        cx = width * (number + 0.5) / people + rng.normal(0, 8)
        _head(ImageDraw.Draw(picture), rng, float(cx), float(height * rng.uniform(0.38, 0.52)), float(size))
    shade = texture(rng, width, height, (128, 128, 128), 50).astype(np.float32) / 128
    smooth = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 3))))
    return Image.fromarray(
        np.clip(np.asarray(smooth, np.float32) * shade.mean(axis=2, keepdims=True), 0, 255).astype(np.uint8)
    )


def _head(d: ImageDraw.ImageDraw, rng: Rng, x: float, y: float, size: float) -> None:
    """Draw a head of height 2 * `size` with its middle at (x, y), and shoulders below it."""
    skin, hair = SKIN[rng.integers(len(SKIN))], HAIR[rng.integers(len(HAIR))]
    dark = tuple(int(c * 0.7) for c in skin)
    wide = size * rng.uniform(0.68, 0.85)
    d.ellipse((x - 2.2 * size, y + 1.2 * size, x + 2.2 * size, y + 5 * size), fill=colour_of(rng))
    d.rectangle((x - wide * 0.45, y + 0.5 * size, x + wide * 0.45, y + 1.5 * size), fill=dark)
    long = rng.uniform(0, 1.3)
    d.ellipse((x - wide * 1.2, y - size * 1.25, x + wide * 1.2, y + size * (0.2 + long)), fill=hair)
    d.ellipse((x - wide, y - size * 0.95, x + wide, y + size), fill=skin)
    if rng.random() < 0.6:
        d.pieslice((x - wide * 1.02, y - size * 1.1, x + wide * 1.02, y + size * 0.4), 190, 350, fill=hair)
    for side in (-1, 1):
        ex, ey, r = x + side * wide * 0.42, y - size * 0.1, size * 0.12
        d.ellipse((ex - 1.5 * r, ey - r * 0.8, ex + 1.5 * r, ey + r * 0.8), fill=(245, 245, 245))
        d.ellipse((ex - r * 0.7, ey - r * 0.7, ex + r * 0.7, ey + r * 0.7), fill=colour_of(rng, 10, 110))
        d.line((ex - 2 * r, ey - 2.2 * r, ex + 2 * r, ey - 2.4 * r), fill=hair, width=max(1, int(size / 14)))
    d.line((x, y - size * 0.05, x - size * 0.1, y + size * 0.3, x + size * 0.08, y + size * 0.32), fill=dark, width=2)
    mouth = (x - wide * 0.4, y + size * 0.4, x + wide * 0.4, y + size * 0.7)
    d.chord(mouth, 0, 180, fill=(170, 60, 60)) if rng.random() < 0.5 else d.arc(
        mouth, 20, 160, fill=(150, 60, 60), width=3
    )
    if rng.random() < 0.2:
        d.chord((x - wide * 0.95, y, x + wide * 0.95, y + size * 1.05), 0, 180, fill=hair)


def room(rng: Rng) -> Image.Image:
    """Return the inside of a room: walls, floor and ceiling, with windows, doors and furniture at a distance."""
    width, height = size_of(rng)
    wall = colour_of(rng, 120, 245)
    picture = Image.fromarray(texture(rng, width, height, wall, 10))
    d = ImageDraw.Draw(picture)
    west, r = width * rng.uniform(0.1, 0.35), width * rng.uniform(0.65, 0.9)
    t, b = height * rng.uniform(0.12, 0.3), height * rng.uniform(0.55, 0.75)
    darker = tuple(int(c * rng.uniform(0.7, 0.95)) for c in wall)
    d.polygon([(0, 0), (west, t), (west, b), (0, height)], fill=darker)
    d.polygon([(width, 0), (r, t), (r, b), (width, height)], fill=darker)
    d.polygon([(0, height), (west, b), (r, b), (width, height)], fill=colour_of(rng, 50, 200))
    d.polygon([(0, 0), (west, t), (r, t), (width, 0)], fill=colour_of(rng, 200, 255))
    for k in np.linspace(0, 1, int(rng.integers(3, 16))).tolist():  # boards of the floor
        d.line((west + (r - west) * k, b, width * (3 * k - 1), height), fill=colour_of(rng, 60, 170))
    for _ in range(int(rng.integers(0, 4))):  # windows, pictures, doors
        x0, y0 = rng.uniform(west, r - 20), rng.uniform(t, b - 30)
        x1, y1 = x0 + rng.uniform(15, 70), y0 + rng.uniform(20, 70)
        d.rectangle((x0, y0, x1, min(y1, b)), fill=colour_of(rng, 60, 250), outline=colour_of(rng, 0, 250), width=3)
        d.line(((x0 + x1) / 2, y0, (x0 + x1) / 2, min(y1, b)), fill=(240, 240, 240), width=2)
    _furnish(d, rng, width, (b, height))
    return picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 2))))


def _furnish(d: ImageDraw.ImageDraw, rng: Rng, width: int, floor: tuple[float, float]) -> None:
    """Draw two to eight boxes on legs that stand between two heights."""
    for _ in range(int(rng.integers(2, 9))):  # furniture
        x0, y1 = float(rng.uniform(0, width * 0.8)), float(rng.uniform(*floor))
        w, h = float(rng.uniform(30, 130)), float(rng.uniform(20, 110))
        colour = colour_of(rng, 20, 230)
        d.rectangle((x0, y1 - h, x0 + w, y1 - h * 0.3), fill=colour)
        d.polygon([(x0, y1 - h), (x0 + 15, y1 - h - 14), (x0 + w + 15, y1 - h - 14), (x0 + w, y1 - h)],
                  fill=tuple(min(255, c + 25) for c in colour))  # fmt: skip
        for leg in (x0 + 3, x0 + w - 6):
            d.rectangle((leg, y1 - h * 0.3, leg + 4, y1), fill=colour_of(rng, 10, 90))


def surface(rng: Rng) -> Image.Image:
    """Return a picture of nothing: a plain or rough surface, a gradient, darkness, noise, a repeated pattern."""
    width, height = size_of(rng)
    form = int(rng.integers(5))
    if form == 0:
        return Image.fromarray(texture(rng, width, height, colour_of(rng), rng.uniform(0, 90)))
    if form == 1:
        return Image.fromarray(gradient(width, height, colour_of(rng), colour_of(rng)).astype(np.uint8))
    if form == 2:
        return Image.fromarray(rng.integers(0, int(rng.integers(2, 256)), (height, width, 3)).astype(np.uint8))
    picture = Image.new("RGB", (width, height), colour_of(rng))
    d = ImageDraw.Draw(picture)
    step, inks = int(rng.integers(8, 60)), [colour_of(rng) for _ in range(2)]
    for i, x in enumerate(range(-height, width, step)):
        if form == 3:  # bricks or tiles
            for j, y in enumerate(range(0, height, step // 2 + 4)):
                d.rectangle(
                    (x + (j % 2) * step / 2, y, x + step - 2 + (j % 2) * step / 2, y + step // 2),
                    fill=inks[(i * j) % 2],
                )
        else:
            d.line((x, 0, x + height * rng.uniform(0.99, 1.01), height), fill=inks[i % 2], width=step // 2)
    return picture
