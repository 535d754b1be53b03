"""Denoise path-traced light without blurring edges, and map its tones to a screen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from catalog.sample.generator.shapes.meshes import Array

Light = npt.NDArray[np.float32]

DARK = 0.04
# Each round looks twice as far as the one before and trusts brightness more, as less noise is left.
ROUNDS = ((1, 0.35), (2, 0.2), (4, 0.12), (8, 0.08))


def _guard(light: Light) -> Light:
    """Limit single glaring pixels to a little more than the third-brightest of their neighbours."""
    bright = light.max(axis=2)
    wide = np.pad(bright, 1, mode="reflect")
    h, w = bright.shape
    around = [wide[y : y + h, x : x + w] for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    limit = np.sort(np.stack(around), axis=0)[-3] * 1.3 + 0.02
    return np.asarray(light * np.minimum(1, limit / np.maximum(bright, 1e-6))[..., None])


def calm(colour: Array, albedo: Array, normal: Array) -> Array:
    """Average each pixel's light with neighbours of similar surface, direction and brightness.

    The surface's own colour is divided out first and multiplied in again, so that patterns stay sharp.
    """
    surface: Light = albedo.astype(np.float32)
    facing: Light = normal.astype(np.float32)
    base: Light = np.clip(surface, DARK, 1.0).astype(np.float32)
    light = _guard((colour / base).astype(np.float32))
    for step, trust in ROUNDS:
        light = _round(light, surface, facing, step, trust)
    return np.asarray(light * base, dtype=np.float64)


def _round(light: Light, albedo: Light, normal: Light, step: int, trust: float) -> Light:
    key = np.log1p(light.mean(axis=2, keepdims=True))
    guide = np.concatenate([normal / 0.15, albedo / 0.2, key / trust], axis=2) * np.float32(np.sqrt(0.5))
    h, w = key.shape[:2]
    both = np.pad(np.concatenate([light, guide], axis=2), ((step, step), (step, step), (0, 0)), mode="reflect")
    total, weights = light * np.float32(4), np.full((h, w, 1), 4, dtype=np.float32)
    for y in range(3):
        for x in range(3):
            if (y, x) != (1, 1):
                there = both[y * step : y * step + h, x * step : x * step + w]
                apart = there[..., 3:] - guide
                near = 2.0 if 1 in (y, x) else 1.0
                weight = np.float32(near) * np.exp(-np.einsum("hwc,hwc->hw", apart, apart))[..., None]
                total += weight * there[..., :3]
                weights += weight
    return np.asarray(total / weights, dtype=np.float32)


def tones(light: Array) -> npt.NDArray[np.uint8]:
    """Convert linear light to 8-bit sRGB with a soft shoulder, as a camera does."""
    knee = 0.7
    over = np.maximum(light - knee, 0)
    soft = np.where(light > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), light)
    soft = np.clip(soft, 0, 1)
    srgb = np.where(soft <= 0.0031308, 12.92 * soft, 1.055 * soft ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(srgb * 255), dtype=np.uint8)
