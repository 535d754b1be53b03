"""Which region of a hit's picture matched, and which of the picture that was asked: from the two feature maps."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.types import FeatureMaps, Floats

SIDE = 14  # cells of an overlay, each way
BEYOND = 1.0  # standard deviations above the mean from which a cell belongs to the box
VEIL = 170  # of 255: how dark the rest becomes; a colour would not show on things of that colour


@dataclass(frozen=True, slots=True)
class MatchHeatmap:
    """How much each cell of a picture matched: uint8 (rows, columns), 255 the most; and the box of those that did.

    `box` is left, top, right, bottom in fractions; None when no cell stands out.
    """

    cells: NDArray[np.uint8]
    box: tuple[float, float, float, float] | None


def matched_regions(asked: FeatureMaps, hit: FeatureMaps) -> tuple[MatchHeatmap, MatchHeatmap]:
    """What matched in the picture that was asked, and in the hit's: each the first of its maps.

    A cell counts as much as it is like the best cell of the other picture (cosine of the cells of both depths, less
    their picture's mean), times how unlike it is to its own picture's border.
    """
    ours, theirs = _cells(asked), _cells(hit)
    likeness = np.maximum(ours.reshape(-1, ours.shape[-1]) @ theirs.reshape(-1, theirs.shape[-1]).T, 0.0)
    own, other = foreground(ours), foreground(theirs)
    # What matches only the other picture's background has not matched the thing.
    forth = (likeness * other.reshape(1, -1)).max(axis=1).reshape(own.shape) * own
    back = (likeness * own.reshape(-1, 1)).max(axis=0).reshape(other.shape) * other
    return _overlay(forth), _overlay(back)


def foreground(cells: Floats) -> Floats:
    """How unlike each unit cell is to the cell of the picture's border it is most like: (rows, columns), 0 to 1."""
    edge = np.concatenate([cells[0], cells[-1], cells[1:-1, 0], cells[1:-1, -1]])
    nearest = (cells.reshape(-1, cells.shape[-1]) @ edge.T).max(axis=1).reshape(cells.shape[:2])
    apart = np.maximum(1.0 - nearest, 0.0)
    apart[[0, -1]] = apart[:, [0, -1]] = apart.min()
    shares: Floats = (apart / max(float(apart.max()), 1e-6)).astype(np.float32)
    return shares


def overlay_png(overlay: MatchHeatmap, size: tuple[int, int]) -> bytes:
    """A translucent PNG of that width and height, to lie over the picture: what did not match is darkened.

    16 steps of darkness keep it to a few kilobytes.
    """
    light = Image.fromarray(overlay.cells).resize(size, Image.Resampling.BICUBIC)
    veil = light.point(lambda value: (255 - value) // 17 * 17 * VEIL // 255)
    layer = Image.new("LA", size, 0)
    layer.putalpha(veil)
    out = io.BytesIO()
    layer.save(out, "PNG", optimize=True)
    return out.getvalue()


def _cells(maps: FeatureMaps) -> Floats:
    """The first picture's cells at the overlay's resolution, both depths side by side, of unit length."""
    parts = []
    for depth in (maps.fine[0], maps.deep[0]):
        coarse = _coarse(depth)
        centred = coarse - coarse.mean(axis=(0, 1))
        parts.append(centred / (np.linalg.norm(centred, axis=2, keepdims=True) + 1e-6))
    cells: Floats = (np.concatenate(parts, axis=2) / np.float32(np.sqrt(2))).astype(np.float32)
    return cells


def _coarse(depth: Floats) -> Floats:
    """Averages of whole blocks of cells; a map no finer than an overlay stays as it is."""
    step = max(1, depth.shape[0] // SIDE)
    rows, columns = (edge // step for edge in depth.shape[:2])
    blocks = depth[: rows * step, : columns * step].reshape(rows, step, columns, step, -1)
    coarse: Floats = blocks.mean(axis=(1, 3))
    return coarse


def _overlay(strength: Floats) -> MatchHeatmap:
    low, high = float(np.median(strength)), float(strength.max())
    if high - low < 1e-6:
        return MatchHeatmap(np.zeros(strength.shape, np.uint8), None)
    cells = (np.clip((strength - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    down, across = np.nonzero(strength >= strength.mean() + BEYOND * strength.std())
    rows, columns = strength.shape
    left, right = float(across.min() / columns), float((across.max() + 1) / columns)
    return MatchHeatmap(cells, (left, float(down.min() / rows), right, float((down.max() + 1) / rows)))
