"""Pictures without any product, drawn by other code than those that the verdict was fitted on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 256
LETTER = (
    "Dear Mrs Miller thank you for your letter of 3 May we have looked into the matter and found that the invoice was "
    "sent to a former address which we regret the amount is therefore not due before the end of the month"
)
Canvas = NDArray[np.float64]
Rng = np.random.Generator
Y, X = np.mgrid[0:SIDE, 0:SIDE] / SIDE


def drawn_pictures(kind: str, count: int, seed: int = 77) -> list[Image.Image]:
    """`count` different pictures of a kind in `PAINTERS`."""
    rng = np.random.default_rng([seed, sorted(PAINTERS).index(kind)])
    return [PAINTERS[kind](rng) for _ in range(count)]


def letter(rng: Rng) -> Image.Image:
    """Real words on paper or on a dark screen, in paragraphs."""
    dark = rng.random() < 0.3
    ink, paper = ((225, 225, 225), (25, 27, 33)) if dark else ((20, 20, 30), (252, 251, 246))
    page = Image.new("RGB", (int(rng.integers(300, 700)), int(rng.integers(400, 800))), paper)
    d, size = ImageDraw.Draw(page), int(rng.integers(11, 30))
    font, margin = ImageFont.load_default(size), int(rng.integers(15, 60))
    x, y = float(margin), float(margin)
    while y < page.height - margin:
        word = str(rng.choice(LETTER.split()))
        wide = font.getlength(word + " ")
        if x + wide > page.width - margin or rng.random() < 0.02:
            x, y = float(margin), y + size * (1.4 if rng.random() < 0.85 else 2.8)
        d.text((x, y), word, fill=ink, font=font)
        x += wide
    return page


def landscape(rng: Rng) -> Image.Image:
    """Ridges behind one another under a cloudy sky, lighter with distance."""
    sky = _mixed((90, 150, 230), (220, 230, 245), np.clip(Y / 0.6, 0, 1))
    canvas = _mixed(sky, (250, 250, 250), np.clip((_clouds(rng, 1.7) - 0.55) * 4, 0, 1))
    heights, base = _clouds(rng, 1.8), ((70, 110, 50), (130, 110, 70), (230, 235, 240), (30, 80, 110))[rng.integers(4)]
    for distance in np.linspace(1, 0.1, 14).tolist():
        ridge = 0.45 + 0.5 * (1 - distance) + (heights[int(distance * 200)] - 0.5) * 0.5 * distance
        shade = np.array(base) + _clouds(rng, 1.0)[..., None] * 80 - 40
        ground = _mixed(shade, (180, 195, 215), np.full((SIDE, SIDE), distance * 0.7))
        canvas = np.where((ridge[None] < Y)[..., None], ground, canvas)
    return _picture(canvas, rng)


def face(rng: Rng) -> Image.Image:
    """A head as a shaded ellipsoid, with hair, eyes, brows, nose and mouth, over shoulders."""
    skin = np.array(((236, 188, 160), (200, 140, 105), (120, 75, 50), (250, 215, 190))[rng.integers(4)], float)
    canvas = _clouds(rng, 1.9)[..., None] * rng.uniform(40, 200) + rng.uniform(0, 80, 3)
    cx, cy, a, b = 0.5 + rng.normal() * 0.03, 0.45, rng.uniform(0.2, 0.26), rng.uniform(0.28, 0.33)
    canvas[_ellipse(cx, 1.12, 0.42, 0.38)] = rng.uniform(20, 230, 3)
    canvas[_ellipse(cx, cy - 0.05, a * 1.25, b * 1.18)] = rng.uniform(10, 110) * np.array([1, 0.8, 0.6])
    u, v = (X - cx) / a, (Y - cy) / b
    head = (u * u + v * v < 1) & (v > -0.75)
    light = 0.35 + 0.65 * (np.sqrt(np.clip(1 - u * u - v * v, 0, 1)) * 0.8 + u * rng.uniform(-0.5, 0.5) - v * 0.2)
    canvas[head] = (skin * np.clip(light, 0.1, 1.2)[..., None])[head]
    for side in (-1, 1):
        eye = cx + side * a * 0.42
        canvas[_ellipse(eye, cy - b * 0.08, a * 0.17, b * 0.075)] = 240
        canvas[_ellipse(eye, cy - b * 0.08, a * 0.08, b * 0.065)] = rng.uniform(20, 90, 3)
        canvas[(abs(X - eye) < a * 0.25) & (abs(Y - cy + b * 0.25) < 0.012)] = 40
    canvas[_ellipse(cx, cy + b * 0.5, a * 0.4, b * 0.08)] = (170, 70, 75)
    canvas[_ellipse(cx, cy + b * 0.2, a * 0.13, b * 0.1)] *= 0.85
    return _picture(canvas, rng)


def room(rng: Rng) -> Image.Image:
    """A box in perspective, its floor tiled, with a window and a few blocks for furniture."""
    px, py = (X - 0.5) * 2, (Y - 0.5) * 1.6
    wide, high, deep = rng.uniform(1, 2), rng.uniform(0.7, 1.1), rng.uniform(2, 4)
    to_side, to_floor = wide / np.maximum(abs(px), 1e-3), high / np.maximum(abs(py), 1e-3)
    t = np.minimum(np.minimum(to_side, to_floor), deep)
    wall = np.where(t == deep, 0, np.where(t == to_side, np.where(px > 0, 1, 2), np.where(py > 0, 3, 4)))
    canvas = rng.uniform(90, 240, (5, 3))[wall]
    tiles = 0.75 + 0.25 * ((np.floor(px * t * rng.integers(2, 6)) + np.floor(t * 3)) % 2)
    canvas[wall == 3] *= tiles[wall == 3][:, None]
    canvas[(wall == 0) & (abs(px * t - rng.uniform(-0.5, 0.5)) < 0.4) & (abs(py * t + 0.2) < 0.3)] = (215, 235, 250)
    canvas *= (1.15 - 0.2 * t)[..., None]
    for _ in range(int(rng.integers(2, 6))):
        z, left, size = rng.uniform(1.2, deep), rng.uniform(-wide, wide * 0.6), rng.uniform(0.3, 1)
        block = (px * z > left) & (px * z < left + size) & (py * z > high - rng.uniform(0.3, 0.8)) & (py * z < high)
        canvas[block] = rng.uniform(30, 220, 3) * (1 - 0.3 * (px * z - left)[block] / size)[:, None]
    return _picture(canvas, rng)


PAINTERS: dict[str, Callable[[Rng], Image.Image]] = {
    "face": face,
    "landscape": landscape,
    "letter": letter,
    "room": room,
}


def _clouds(rng: Rng, exponent: float) -> Canvas:
    """Noise whose spectrum falls with frequency, from 0 to 1."""
    f = np.fft.fftfreq(SIDE)
    radius = np.hypot(f[:, None], f[None])
    radius[0, 0] = 1
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(SIDE, SIDE))) / radius**exponent).real
    scaled: Canvas = (noise - noise.min()) / np.ptp(noise)
    return scaled


def _ellipse(x: float, y: float, a: float, b: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = ((X - x) / a) ** 2 + ((Y - y) / b) ** 2 < 1
    return inside


def _mixed(one: object, other: object, share: Canvas) -> Canvas:
    mixed: Canvas = np.asarray(one) * (1 - share[..., None]) + np.asarray(other) * share[..., None]
    return mixed


def _picture(canvas: Canvas, rng: Rng) -> Image.Image:
    return Image.fromarray(np.clip(canvas + rng.normal(0, 4, canvas.shape), 0, 255).astype(np.uint8))
