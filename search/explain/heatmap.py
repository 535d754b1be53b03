"""Heatmaps of which parts of the query's picture and of the hit's picture match, from their feature maps."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.types import FeatureMaps, Floats

HEATMAP_SIDE = 14  # cells each way
BOX_DEVIATIONS = 1.0  # standard deviations above the mean from which a cell belongs to the box
MAX_DARKNESS = 170  # darkness of 255 where nothing matched; a colour would not show on things of that colour


@dataclass(frozen=True, slots=True)
class MatchHeatmap:
    """How much each cell of a picture matched, uint8 (rows, columns), 255 the most, and the box of the matching cells.

    `box` is left, top, right, bottom in fractions; None when no cell stands out.
    """

    cells: NDArray[np.uint8]
    box: tuple[float, float, float, float] | None


def matched_regions(query: FeatureMaps, hit: FeatureMaps) -> tuple[MatchHeatmap, MatchHeatmap]:
    """Return the heatmaps of the query's picture and of the hit's, each the first picture of its maps.

    The strength of a cell is its similarity to the best cell of the other picture (cosine of the cells of both depths,
    less their picture's mean), times how unlike its own picture's border it is.
    """
    ours, theirs = _cells(query), _cells(hit)
    similarity = np.maximum(ours.reshape(-1, ours.shape[-1]) @ theirs.reshape(-1, theirs.shape[-1]).T, 0.0)
    our_object, their_object = foreground_cells(ours), foreground_cells(theirs)
    # Weighted by the other picture's foreground too: matching its background is no match of the object.
    our_strength = (similarity * their_object.reshape(1, -1)).max(axis=1).reshape(our_object.shape) * our_object
    their_strength = (similarity * our_object.reshape(-1, 1)).max(axis=0).reshape(their_object.shape) * their_object
    return _heatmap(our_strength), _heatmap(their_strength)


def foreground_cells(cells: Floats) -> Floats:
    """Return how unlike each unit cell is to the most similar cell of the picture's border, (rows, columns), 0 to 1."""
    edge = np.concatenate([cells[0], cells[-1], cells[1:-1, 0], cells[1:-1, -1]])
    nearest = (cells.reshape(-1, cells.shape[-1]) @ edge.T).max(axis=1).reshape(cells.shape[:2])
    distances = np.maximum(1.0 - nearest, 0.0)
    distances[[0, -1]] = distances[:, [0, -1]] = distances.min()
    return np.asarray(distances / max(float(distances.max()), 1e-6), np.float32)


def overlay_png(heatmap: MatchHeatmap, size: tuple[int, int]) -> bytes:
    """Return a translucent PNG of that width and height to lay over the picture; it darkens what did not match.

    16 levels of darkness keep it to a few kilobytes.
    """
    light = Image.fromarray(heatmap.cells).resize(size, Image.Resampling.BICUBIC)
    layer = Image.new("LA", size, 0)
    layer.putalpha(light.point(lambda value: (255 - value) // 17 * 17 * MAX_DARKNESS // 255))
    out = io.BytesIO()
    layer.save(out, "PNG", optimize=True)
    return out.getvalue()


def _cells(maps: FeatureMaps) -> Floats:
    """Return the first picture's cells at the heatmap's resolution, both depths concatenated, of unit length."""
    parts = []
    for depth in (maps.fine[0], maps.deep[0]):
        step = max(1, depth.shape[0] // HEATMAP_SIDE)  # a map no finer than a heatmap stays unchanged
        rows, columns = (edge // step for edge in depth.shape[:2])
        blocks = depth[: rows * step, : columns * step].reshape(rows, step, columns, step, -1)
        coarse = blocks.mean(axis=(1, 3))
        centred = coarse - coarse.mean(axis=(0, 1))
        parts.append(centred / (np.linalg.norm(centred, axis=2, keepdims=True) + 1e-6))
    return np.asarray(np.concatenate(parts, axis=2) / np.float32(np.sqrt(2)), np.float32)


def _heatmap(strength: Floats) -> MatchHeatmap:
    low, high = float(np.median(strength)), float(strength.max())
    if high - low < 1e-6:
        return MatchHeatmap(np.zeros(strength.shape, np.uint8), None)
    cells = (np.clip((strength - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    down, across = np.nonzero(strength >= strength.mean() + BOX_DEVIATIONS * strength.std())
    rows, columns = strength.shape
    left, right = float(across.min() / columns), float((across.max() + 1) / columns)
    return MatchHeatmap(cells, (left, float(down.min() / rows), right, float((down.max() + 1) / rows)))
