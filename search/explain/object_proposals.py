"""Where the things in a picture are: boxes proposed from the encoder's own feature map, and what to cut out of them.

Nothing is trained. Every window of some sizes is judged by how it stands out: from what lies just beyond each of its
four sides, in features and in colour, and whether what differs from the picture's border ends at its sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.images.crop import MARGIN, crop_picture
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.encoders.colour_encoder import srgb_to_lab
from indexer.types import FeatureMaps, Floats

MAX_BOXES = 9
AXES = 12  # principal axes of the cells that are compared; more adds noise
BLOCK = 24
POWERS = 3  # rounds of subspace iteration: much faster than all axes, and good enough
RIM = 2  # cells beyond a side that a window is compared with
WINDOW_SIDES = (0.1, 0.14, 0.18, 0.21, 0.25, 0.32, 0.4, 0.5, 0.64)  # of a window, in shares of the picture
STRIDES_PER_SIDE = 5.0  # a window is moved by its shorter side over this
LONGEST = 4.0  # times as long as it is wide
OVERLAP = 0.35  # intersection over union from which two boxes are one
INSIDE = 0.75  # share of the smaller box from which it is part of the other
MIN_RELATIVE_SCORE = 0.45  # of the best box's score
CONTENDERS = 1500
SMALLEST_GRID = 4  # cells a side: in less nothing can be told apart
# How much each cue counts; chosen on half of the sample shop's scenes.
WEIGHTS = {
    "size": 0.07,
    "fine_min": 0.06,
    "deep_mean": 0.3,
    "deep_min": 0.22,
    "colour_min": 0.12,
    "contrast_min": 0.4,
    "edge_mean": 1.0,
}

CUES = ("fine", "deep", "colour", "contrast", "edge")

Ints = NDArray[np.int64]
Rectangle = tuple[int, int, int, int]
Rect = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture in fractions of its width and height, and how much it stands out (more is better)."""

    left: float
    top: float
    right: float
    bottom: float
    score: float = 0.0

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom: as `catalog.images.decoder.decode` takes it."""
        return self.left, self.top, self.right, self.bottom


@dataclass(frozen=True, slots=True)
class _Size:
    """All windows of one size in cells, `step` cells apart."""

    high: int
    wide: int
    step: int


def picture_maps(encoder: Encoder, picture: Image.Image) -> FeatureMaps | None:
    """The encoder's feature maps of one picture; None when it gives none."""
    return encoder.feature_maps([picture]) if isinstance(encoder, BaseEncoder) else None


def propose_boxes(encoder: Encoder, picture: Image.Image, limit: int = MAX_BOXES) -> tuple[Box, ...]:
    """Where things are in the picture, best first, at most `limit`; none when the encoder gives no feature maps."""
    maps = picture_maps(encoder, picture)
    return () if maps is None else boxes_of(maps, picture, limit)


def boxes_of(maps: FeatureMaps, picture: Image.Image, limit: int = MAX_BOXES) -> tuple[Box, ...]:
    """The boxes of a picture whose feature maps are known."""
    rows, columns = maps.fine.shape[1:3]
    if min(rows, columns) < SMALLEST_GRID:
        return ()
    edges = _edges(rows, columns)
    judged = cues(maps, picture)
    scores = np.asarray(sum(weight * judged[name] for name, weight in WEIGHTS.items()), np.float32)
    size = np.array([columns, rows, columns, rows])
    found = []
    for i in _apart(edges, scores, limit):
        left, top, right, bottom = (edges[:, i] / size).tolist()
        found.append(Box(left, top, right, bottom, float(scores[i])))
    return tuple(found)


def cues(maps: FeatureMaps, picture: Image.Image) -> dict[str, Floats]:
    """How each window stands out, float32 (windows,) by name; 0 is not at all, and so is a side at the picture's end.

    `fine`, `deep` and `colour`: the mean inside against that beyond each side, in units of how much cells differ.
    `contrast`: unlikeness to the picture's border, inside against beyond; `edge`: the same, along the inside of each
    side against along its outside. Of the four sides `mean` and `min` are taken. `size`: log of the picture's share.
    """
    rows, columns = maps.fine.shape[1:3]
    fine = _principal(_smoothed(maps.fine[0].transpose(2, 0, 1)))
    deep = _principal(maps.deep[0].transpose(2, 0, 1))
    small = np.asarray(picture.resize((columns, rows), Image.Resampling.BOX), np.float32)
    lab = srgb_to_lab(small.reshape(-1, 3) / 255).reshape(rows, columns, 3)
    colour = _scaled(_smoothed(lab.transpose(2, 0, 1)))
    unlike = np.sqrt(_unlike_border(fine) * _enlarged(_unlike_border(_halved(deep)), rows, columns))[None]
    table = _summed(np.concatenate([fine, deep, colour, unlike]))
    lines = _summed(unlike**4)
    spans = np.cumsum([0, len(fine), len(deep), len(colour)])
    sides = np.concatenate([_sides(size, table, lines, spans) for size in _sizes(rows, columns)], axis=2)
    left, top, right, bottom = _edges(rows, columns)
    found = {"size": np.log((right - left) * (bottom - top) / (rows * columns)).astype(np.float32)}
    for name, cue in zip(CUES, sides, strict=True):
        found |= {f"{name}_mean": cue.mean(axis=0), f"{name}_min": cue.min(axis=0)}
    return found


def crop_object(picture: Image.Image, box: Box | Rect, margin: float = MARGIN) -> Image.Image:
    """What to search with for the thing in a box of a picture; see `expand_crop`."""
    return crop_picture(picture, box.sides if isinstance(box, Box) else box, margin)


@lru_cache(maxsize=8)
def _sizes(rows: int, columns: int) -> tuple[_Size, ...]:
    highs, wides = (sorted({max(2, round(edge * side)) for side in WINDOW_SIDES}) for edge in (rows, columns))
    pairs = [(high, wide) for high in highs for wide in wides if high <= rows and wide <= columns]
    return tuple(
        _Size(high, wide, max(1, round(min(high, wide) / STRIDES_PER_SIDE)))
        for high, wide in pairs
        if max(high, wide) <= LONGEST * min(high, wide)
    )


@lru_cache(maxsize=8)
def _edges(rows: int, columns: int) -> Ints:
    """The windows of all sizes in turn: left, top, right, bottom in cells, int (4, windows)."""
    grids = []
    for size in _sizes(rows, columns):
        spots = np.mgrid[0 : rows - size.high + 1 : size.step, 0 : columns - size.wide + 1 : size.step]
        down, across = spots.reshape(2, -1)
        grids.append(np.stack([across, down, across + size.wide, down + size.high]))
    return np.concatenate(grids, axis=1)


def _summed(maps: Floats) -> Floats:
    """Summed area table of maps (k, rows, columns) and of ones, with RIM empty cells around: (rows, columns, k + 1)."""
    counted = np.concatenate([maps, np.ones_like(maps[:1])])
    table = np.pad(counted, ((0, 0), (RIM + 1, RIM), (RIM + 1, RIM))).cumsum(axis=1).cumsum(axis=2)
    return np.ascontiguousarray(table.transpose(1, 2, 0), dtype=np.float32)


def _means(table: Floats, size: _Size, part: Rectangle) -> tuple[Floats, Floats]:
    """The mean over a rectangle of each window, (windows, k), and whether any of it lies in the picture, (windows,).

    `part` is left, top, right, bottom in cells from the window's own left and top.
    """
    rows, columns = table.shape[0] - 2 * RIM - size.high, table.shape[1] - 2 * RIM - size.wide
    left, top, right, bottom = (edge + RIM for edge in part)

    def corner(down: int, across: int) -> Floats:
        return table[down : down + rows : size.step, across : across + columns : size.step]

    total = corner(bottom, right) - corner(top, right) - corner(bottom, left) + corner(top, left)
    total = total.reshape(-1, table.shape[2])
    count = np.maximum(total[:, -1:], 1.0)
    return total[:, :-1] / count, (total[:, -1] > 0.5).astype(np.float32)


def _sides(size: _Size, table: Floats, lines: Floats, spans: Ints) -> Floats:
    """Each of CUES at each of the four sides of all windows of a size: float32 (cues, 4, windows)."""
    high, wide = size.high, size.wide
    inside, _ = _means(table, size, (0, 0, wide, high))
    found = []
    for inner, outer, rim in (
        ((0, 0, 1, high), (-1, 0, 0, high), (-RIM, 0, 0, high)),
        ((wide - 1, 0, wide, high), (wide, 0, wide + 1, high), (wide, 0, wide + RIM, high)),
        ((0, 0, wide, 1), (0, -1, wide, 0), (0, -RIM, wide, 0)),
        ((0, high - 1, wide, high), (0, high, wide, high + 1), (0, high, wide, high + RIM)),
    ):
        beyond, there = _means(table, size, rim)
        apart = inside - beyond
        far = np.sqrt(np.add.reduceat(apart**2, spans, axis=1))[:, :-1]
        ends, starts = (_root(_means(lines, size, line)[0][:, 0]) for line in (inner, outer))
        found.append(there * np.stack([*far.T, apart[:, -1], ends - starts]))
    return np.stack(found, axis=1).astype(np.float32)


def _root(means: Floats) -> Floats:
    """The fourth root: of the mean of fourth powers along a line, in which one cell that sticks out counts most."""
    root: Floats = np.sqrt(np.sqrt(np.maximum(means, 0.0)))
    return root


def _smoothed(maps: Floats) -> Floats:
    """Each cell with its eight neighbours, 1 2 1 either way."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    smoothed: Floats = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16
    return smoothed


def _scaled(maps: Floats) -> Floats:
    """Centred, and in units of how far a cell is from the mean one."""
    centred = maps - maps.mean(axis=(1, 2), keepdims=True)
    scaled: Floats = centred / np.sqrt((centred**2).sum(axis=0).mean() + 1e-6)
    return scaled


def _principal(maps: Floats) -> Floats:
    """The maps (k, rows, columns) on their first AXES principal axes, `_scaled`."""
    centred = maps - maps.mean(axis=(1, 2), keepdims=True)
    flat = (centred / (centred.std(axis=(1, 2), keepdims=True) + 1e-6)).reshape(len(maps), -1)
    block = flat[:, :: max(1, flat.shape[1] // BLOCK)][:, :BLOCK]
    for _ in range(POWERS):
        block, _ = np.linalg.qr(flat @ (flat.T @ block))
    within = block.T @ flat
    _, turns = np.linalg.eigh(within @ within.T)
    return _scaled((turns[:, : -AXES - 1 : -1].T @ within).reshape(-1, *maps.shape[1:]))


def _unlike_border(axes: Floats) -> Floats:
    """How far each cell is from the three cells of the picture's border that it is most like: about 0 to 1."""
    border = np.concatenate([axes[:, 0], axes[:, -1], axes[:, 1:-1, 0], axes[:, 1:-1, -1]], axis=1)
    flat = axes.reshape(len(axes), -1)
    squares = (flat**2).sum(axis=0)[:, None] + (border**2).sum(axis=0)[None] - 2 * flat.T @ border
    nearest = np.partition(np.maximum(squares, 0), 3, axis=1)[:, :3]
    far = np.sqrt(nearest.mean(axis=1)).reshape(axes.shape[1:])
    low, high = np.percentile(far, (10, 98))
    unlike: Floats = np.clip((far - low) / (high - low + 1e-6), 0.0, 1.2).astype(np.float32)
    return unlike


def _halved(maps: Floats) -> Floats:
    """Means of two by two cells: the border of deep maps is judged on cells as large as what such a map can tell."""
    rows, columns = (edge // 2 * 2 for edge in maps.shape[1:])
    halved: Floats = maps[:, :rows, :columns].reshape(len(maps), rows // 2, 2, columns // 2, 2).mean(axis=(2, 4))
    return halved


def _enlarged(cells: Floats, rows: int, columns: int) -> Floats:
    """Cells, linearly interpolated to so many rows and columns."""
    for axis, edge in ((0, rows), (1, columns)):
        spots = np.clip((np.arange(edge) + 0.5) * cells.shape[axis] / edge - 0.5, 0, cells.shape[axis] - 1)
        below = spots.astype(np.int64)
        above = np.minimum(below + 1, cells.shape[axis] - 1)
        share = np.expand_dims((spots - below).astype(np.float32), 1 - axis)
        cells = cells.take(below, axis) * (1 - share) + cells.take(above, axis) * share
    return cells


def _apart(edges: Ints, scores: Floats, limit: int) -> list[int]:
    """The best windows, none of them much in another (non-maximum suppression); none far below the best."""
    order = np.argpartition(-scores, min(CONTENDERS, len(scores) - 1))[:CONTENDERS]
    order = order[np.lexsort((order, -scores[order]))]
    order = order[scores[order] >= MIN_RELATIVE_SCORE * scores[order[0]]]
    left, top, right, bottom = edges[:, order]
    area = (right - left) * (bottom - top)
    kept: list[int] = []
    alive = np.ones(len(order), bool)
    while alive.any() and len(kept) < limit:
        i = int(alive.argmax())
        kept.append(int(order[i]))
        wide = np.minimum(right, right[i]) - np.maximum(left, left[i])
        high = np.minimum(bottom, bottom[i]) - np.maximum(top, top[i])
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        alive &= (shared <= OVERLAP * (area + area[i] - shared)) & (shared <= INSIDE * np.minimum(area, area[i]))
    return kept
