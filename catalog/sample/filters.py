"""From path-traced light to a picture: a filter that calms noise but keeps edges, and tones for the screen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from catalog.sample.shapes import Array

RADIUS = 3
DARK = 0.04


def _guard(light: Array) -> Array:
    """Tame single glaring pixels: none may be far brighter than the third-brightest of its neighbours."""
    bright = light.max(axis=2)
    wide = np.pad(bright, 1, mode="reflect")
    h, w = bright.shape
    around = [wide[y : y + h, x : x + w] for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    limit = np.sort(np.stack(around), axis=0)[-3] * 1.3 + 0.02
    return np.asarray(light * np.minimum(1, limit / np.maximum(bright, 1e-6))[..., None])


def calm(colour: Array, albedo: Array, normal: Array) -> Array:
    """Average each pixel's light with neighbours of like surface, direction and brightness.

    The surface's own colour is divided out first and multiplied in again, so that patterns stay sharp.
    """
    base = np.clip(albedo, DARK, 1.0)
    light = _guard(colour / base)
    key = np.log1p(light.mean(axis=2))
    h, w = key.shape
    r = RADIUS
    pads = [np.pad(a, ((r, r), (r, r), (0, 0)), mode="reflect") for a in (light, normal, key[..., None], albedo)]
    total, weights = np.zeros_like(light), np.zeros((h, w, 1))
    for y in range(2 * r + 1):
        for x in range(2 * r + 1):
            there = [p[y : y + h, x : x + w] for p in pads]
            far = ((y - r) ** 2 + (x - r) ** 2) / (2 * 1.7**2)
            turn = ((there[1] - normal) ** 2).sum(axis=2) / (2 * 0.12**2)
            step = (there[2][..., 0] - key) ** 2 / (2 * 0.09**2)
            tint = ((there[3] - albedo) ** 2).sum(axis=2) / (2 * 0.25**2)
            weight = np.exp(-(far + turn + step + tint))[..., None]
            total += weight * there[0]
            weights += weight
    return np.asarray(total / weights * base)


def tones(light: Array) -> npt.NDArray[np.uint8]:
    """Linear light to 8-bit sRGB with a soft shoulder, as a camera's picture has."""
    knee = 0.7
    over = np.maximum(light - knee, 0)
    soft = np.where(light > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), light)
    soft = np.clip(soft, 0, 1)
    srgb = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * soft ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(srgb * 255), dtype=np.uint8)
