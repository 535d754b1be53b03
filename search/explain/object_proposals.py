"""Object proposals: boxes around the objects of a picture, from the encoder's own feature maps. Nothing is trained.

Every window of some sizes is scored by how it stands out: its contrast, in features and in colour, with what lies just
beyond each of its four sides, and whether what differs from the picture's border ends at its sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.images.crop import MARGIN_SHARE, crop_picture
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.encoders.colour_encoder import srgb_to_lab
from indexer.types import FeatureMaps, Floats

MAX_BOXES = 9
PRINCIPAL_COMPONENTS = 12  # principal components of the cells that are compared; more adds noise
SUBSPACE = 24
SUBSPACE_ITERATIONS = 3  # much faster than all components, and good enough
RIM_CELLS = 2  # cells beyond a side that a window is compared with
WINDOW_SIDES = (0.1, 0.14, 0.18, 0.21, 0.25, 0.32, 0.4, 0.5, 0.64)  # shares of the picture's sides
STRIDES_PER_SIDE = 5.0  # a window is moved by its shorter side over this
MAX_ASPECT = 4.0
MAX_OVERLAP = 0.35  # intersection over union, above which two boxes are one
MAX_INSIDE = 0.75  # share of the smaller box, above which it is part of the other
MIN_RELATIVE_SCORE = 0.45  # share of the best box's score that a box must reach
MAX_CANDIDATES = 1500
MIN_GRID = 4  # cells a side
# Weights of the cues; chosen on half of the sample shop's scenes.
CUE_WEIGHTS = {
    "size": 0.07,
    "fine_min": 0.06,
    "deep_mean": 0.3,
    "deep_min": 0.22,
    "colour_min": 0.12,
    "contrast_min": 0.4,
    "edge_mean": 1.0,
}

CUE_NAMES = ("fine", "deep", "colour", "contrast", "edge")
Ints = NDArray[np.int64]
Rectangle = tuple[int, int, int, int]
Rect = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture in fractions of its width and height, and its score (higher is better)."""

    left: float
    top: float
    right: float
    bottom: float
    score: float = 0.0

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom, as `catalog.images.decoder.decode` takes them."""
        return self.left, self.top, self.right, self.bottom


class _Size(NamedTuple):
    """All windows of one size in cells, `step` cells apart."""

    high: int
    wide: int
    step: int


def picture_maps(encoder: Encoder, picture: Image.Image) -> FeatureMaps | None:
    """Return the encoder's feature maps of one picture; None when it has none."""
    return encoder.feature_maps([picture]) if isinstance(encoder, BaseEncoder) else None


def propose_boxes(encoder: Encoder, picture: Image.Image, limit: int = MAX_BOXES) -> tuple[Box, ...]:
    """Return at most `limit` boxes around objects, best first; none when the encoder has no feature maps."""
    maps = picture_maps(encoder, picture)
    return () if maps is None else boxes_of(maps, picture, limit)


def boxes_of(maps: FeatureMaps, picture: Image.Image, limit: int = MAX_BOXES) -> tuple[Box, ...]:
    """Return boxes around the objects of a picture from its feature maps."""
    rows, columns = maps.fine.shape[1:3]
    if min(rows, columns) < MIN_GRID:
        return ()
    edges = _edges(rows, columns)
    values = cues(maps, picture)
    scores = np.asarray(sum(weight * values[name] for name, weight in CUE_WEIGHTS.items()), np.float32)
    chosen = _suppress(edges, scores, limit)
    boxes = np.column_stack([edges[:, chosen].T / (columns, rows, columns, rows), scores[chosen]])
    return tuple(Box(*box) for box in boxes.tolist())


def cues(maps: FeatureMaps, picture: Image.Image) -> dict[str, Floats]:
    """Return how each window stands out, float32 (windows,) by cue; 0 for not at all and at the picture's border.

    `fine`, `deep` and `colour`: the mean inside less that beyond each side, in units of how much cells differ.
    `contrast`: dissimilarity to the picture's border, inside less beyond; `edge`: the same, along the inside of each
    side less along its outside. Each is aggregated over the four sides by `mean` and `min`. `size`: log of the area.
    """
    rows, columns = maps.fine.shape[1:3]
    fine = _components(_smoothed(maps.fine[0].transpose(2, 0, 1)))
    deep = _components(maps.deep[0].transpose(2, 0, 1))
    small = np.asarray(picture.resize((columns, rows), Image.Resampling.BOX), np.float32)
    lab = srgb_to_lab(small.reshape(-1, 3) / 255).reshape(rows, columns, 3)
    colour = _scaled(_smoothed(lab.transpose(2, 0, 1)))
    unlike = np.sqrt(_border_distance(fine) * _enlarged(_border_distance(_halved(deep)), rows, columns))[None]
    table = _summed(np.concatenate([fine, deep, colour, unlike]))
    lines = _summed(unlike**4)  # the strongest cell of a line dominates its mean of fourth powers
    spans = np.cumsum([0, len(fine), len(deep), len(colour)])
    sides = np.concatenate([_sides(size, table, lines, spans) for size in _sizes(rows, columns)], axis=2)
    left, top, right, bottom = _edges(rows, columns)
    values = {"size": np.log((right - left) * (bottom - top) / (rows * columns)).astype(np.float32)}
    for name, cue in zip(CUE_NAMES, sides, strict=True):
        values |= {f"{name}_mean": cue.mean(axis=0), f"{name}_min": cue.min(axis=0)}
    return values


def crop_object(picture: Image.Image, box: Box | Rect, margin: float = MARGIN_SHARE) -> Image.Image:
    """Crop the object in a box of a picture, with the context that `expand_crop` adds."""
    return crop_picture(picture, box.sides if isinstance(box, Box) else box, margin)


@lru_cache(maxsize=8)
def _sizes(rows: int, columns: int) -> tuple[_Size, ...]:
    highs, wides = (sorted({max(2, round(edge * side)) for side in WINDOW_SIDES}) for edge in (rows, columns))
    pairs = [(high, wide) for high in highs for wide in wides if high <= rows and wide <= columns]
    return tuple(
        _Size(high, wide, max(1, round(min(high, wide) / STRIDES_PER_SIDE)))
        for high, wide in pairs
        if max(high, wide) <= MAX_ASPECT * min(high, wide)
    )


@lru_cache(maxsize=8)
def _edges(rows: int, columns: int) -> Ints:
    """Return the windows of all sizes in turn: left, top, right, bottom in cells, int (4, windows)."""
    grids = []
    for size in _sizes(rows, columns):
        positions = np.mgrid[0 : rows - size.high + 1 : size.step, 0 : columns - size.wide + 1 : size.step]
        down, across = positions.reshape(2, -1)
        grids.append(np.stack([across, down, across + size.wide, down + size.high]))
    return np.concatenate(grids, axis=1)


def _summed(maps: Floats) -> Floats:
    """Return the summed area table of maps (k, rows, columns) and of ones, RIM_CELLS padded: (rows, columns, k + 1)."""
    with_count = np.concatenate([maps, np.ones_like(maps[:1])])
    table = (
        np.pad(with_count, ((0, 0), (RIM_CELLS + 1, RIM_CELLS), (RIM_CELLS + 1, RIM_CELLS)))
        .cumsum(axis=1)
        .cumsum(axis=2)
    )
    return np.ascontiguousarray(table.transpose(1, 2, 0), dtype=np.float32)


def _means(table: Floats, size: _Size, part: Rectangle) -> tuple[Floats, Floats]:
    """Return the mean over a rectangle of each window, (windows, k), and whether it meets the picture, (windows,).

    `part` is left, top, right, bottom in cells from the window's own left and top.
    """
    rows, columns = table.shape[0] - 2 * RIM_CELLS - size.high, table.shape[1] - 2 * RIM_CELLS - size.wide
    left, top, right, bottom = (edge + RIM_CELLS for edge in part)

    def corner(down: int, across: int) -> Floats:
        return table[down : down + rows : size.step, across : across + columns : size.step]

    total = corner(bottom, right) - corner(top, right) - corner(bottom, left) + corner(top, left)
    total = total.reshape(-1, table.shape[2])
    count = np.maximum(total[:, -1:], 1.0)
    return total[:, :-1] / count, (total[:, -1] > 0.5).astype(np.float32)


def _sides(size: _Size, table: Floats, lines: Floats, spans: Ints) -> Floats:
    """Return each of CUE_NAMES at each of the four sides of all windows of a size: float32 (cues, 4, windows)."""
    high, wide = size.high, size.wide
    inside, _ = _means(table, size, (0, 0, wide, high))
    cues_of_sides = []
    for inner, outer, rim in (
        ((0, 0, 1, high), (-1, 0, 0, high), (-RIM_CELLS, 0, 0, high)),
        ((wide - 1, 0, wide, high), (wide, 0, wide + 1, high), (wide, 0, wide + RIM_CELLS, high)),
        ((0, 0, wide, 1), (0, -1, wide, 0), (0, -RIM_CELLS, wide, 0)),
        ((0, high - 1, wide, high), (0, high, wide, high + 1), (0, high, wide, high + RIM_CELLS)),
    ):
        beyond, in_picture = _means(table, size, rim)
        difference = inside - beyond
        distance = np.sqrt(np.add.reduceat(difference**2, spans, axis=1))[:, :-1]
        along = np.stack([_means(lines, size, line)[0][:, 0] for line in (inner, outer)])
        ends, starts = np.sqrt(np.sqrt(np.maximum(along, 0.0)))
        cues_of_sides.append(in_picture * np.stack([*distance.T, difference[:, -1], ends - starts]))
    return np.stack(cues_of_sides, axis=1).astype(np.float32)


def _smoothed(maps: Floats) -> Floats:
    """Blur with the kernel 1 2 1 either way."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    return np.asarray((rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16)


def _scaled(maps: Floats) -> Floats:
    """Centre maps, and divide by the root mean square distance of cells from the mean."""
    centred = maps - maps.mean(axis=(1, 2), keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).sum(axis=0).mean() + 1e-6))


def _components(maps: Floats) -> Floats:
    """Project maps (k, rows, columns) on their first PRINCIPAL_COMPONENTS components, `_scaled`."""
    centred = maps - maps.mean(axis=(1, 2), keepdims=True)
    flat = (centred / (centred.std(axis=(1, 2), keepdims=True) + 1e-6)).reshape(len(maps), -1)
    block = flat[:, :: max(1, flat.shape[1] // SUBSPACE)][:, :SUBSPACE]
    for _ in range(SUBSPACE_ITERATIONS):
        block, _ = np.linalg.qr(flat @ (flat.T @ block))
    projected = block.T @ flat
    _, axes = np.linalg.eigh(projected @ projected.T)
    return _scaled((axes[:, : -PRINCIPAL_COMPONENTS - 1 : -1].T @ projected).reshape(-1, *maps.shape[1:]))


def _border_distance(maps: Floats) -> Floats:
    """Return how far each cell is from the three most similar cells of the picture's border, about 0 to 1."""
    border = np.concatenate([maps[:, 0], maps[:, -1], maps[:, 1:-1, 0], maps[:, 1:-1, -1]], axis=1)
    flat = maps.reshape(len(maps), -1)
    squares = (flat**2).sum(axis=0)[:, None] + (border**2).sum(axis=0)[None] - 2 * flat.T @ border
    nearest = np.partition(np.maximum(squares, 0), 3, axis=1)[:, :3]
    distances = np.sqrt(nearest.mean(axis=1)).reshape(maps.shape[1:])
    low, high = np.percentile(distances, (10, 98))
    return np.asarray(np.clip((distances - low) / (high - low + 1e-6), 0.0, 1.2), np.float32)


def _halved(maps: Floats) -> Floats:
    """Average two by two cells: deep maps resolve no finer detail, and their border is compared at that size."""
    rows, columns = (edge // 2 * 2 for edge in maps.shape[1:])
    return np.asarray(maps[:, :rows, :columns].reshape(-1, rows // 2, 2, columns // 2, 2).mean(axis=(2, 4)))


def _enlarged(cells: Floats, rows: int, columns: int) -> Floats:
    """Interpolate cells linearly to `rows` and `columns`."""
    for axis, edge in ((0, rows), (1, columns)):
        positions = np.clip((np.arange(edge) + 0.5) * cells.shape[axis] / edge - 0.5, 0, cells.shape[axis] - 1)
        below = positions.astype(np.int64)
        above = np.minimum(below + 1, cells.shape[axis] - 1)
        share = np.expand_dims((positions - below).astype(np.float32), 1 - axis)
        cells = cells.take(below, axis) * (1 - share) + cells.take(above, axis) * share
    return cells


def _suppress(edges: Ints, scores: Floats, limit: int) -> list[int]:
    """Choose the best windows by non-maximum suppression; none scores far below the best."""
    order = np.argpartition(-scores, min(MAX_CANDIDATES, len(scores) - 1))[:MAX_CANDIDATES]
    order = order[np.lexsort((order, -scores[order]))]
    order = order[scores[order] >= MIN_RELATIVE_SCORE * scores[order[0]]]
    left, top, right, bottom = edges[:, order]
    area = (right - left) * (bottom - top)
    chosen: list[int] = []
    alive = np.ones(len(order), bool)
    while alive.any() and len(chosen) < limit:
        i = int(alive.argmax())
        chosen.append(int(order[i]))
        wide = np.minimum(right, right[i]) - np.maximum(left, left[i])
        high = np.minimum(bottom, bottom[i]) - np.maximum(top, top[i])
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        alive &= shared <= MAX_OVERLAP * (area + area[i] - shared)
        alive &= shared <= MAX_INSIDE * np.minimum(area, area[i])
    return chosen
