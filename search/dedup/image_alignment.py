"""Whether two pictures are one: laid over each other as well as can be, and then compared point by point.

Vectors cannot tell a plain black shirt from another one; where seams, folds and edges lie can. Pure functions in numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.encoders.colour_encoder import srgb_to_lab
from indexer.numeric import sigmoid
from indexer.types import Floats

SIDE = 64
LEVELS = (16, 32, 64)  # sides at which pictures are laid over each other, coarse to fine
STEPS = (8, 5, 4)  # of Gauss and Newton, at each of them
PROMISING = 0.75  # correlation at a level below which the next ones are left out
STARTS = (0.9, 1.0, 1.11)  # how much of the other picture's sides this one may show, to begin with
LARGEST, SMALLEST = 1.2, 0.82  # scales beyond which two pictures are not one that was cropped
FURTHEST = 0.3  # of half a side
INNER = 0.76  # share of a side that is compared: a border that was painted over says nothing
FEWEST_PIXELS = 48  # of the short side; where either picture has fewer, both are compared at half the detail
PATCHES = 8  # along a side, when colours are compared
FLAT = 0.5  # standard deviation of lightness below which there is nothing to lay over each other
# A logistic curve over -log(1 - correlation) of lightness and of fine detail, over the colours' difference,
# and for coarse pictures, which keep little detail; 0 is half sure. Chosen in docs/decisions.md.
OFFSET, LIGHTNESS, DETAIL, COLOUR, COARSE = -9.256, 1.112, 1.329, -0.668, 6.765
NO_BETTER = 1e-3  # what a correlation lacks at the least
FARTHEST = 30.0  # Lab units
LEAST_DETAIL = 0.9
STILL, STILL_COARSE = 0.01, 0.02  # how far from 1 the scale of a picture may be that was only saved or scaled anew
CROP = 0.045  # and how far that of one that was cropped must be, at the least
ONE_WAY = 0.02  # a picture that was cropped shows less across and down; never less one way and more the other
MOST_SHAPE = 1.13  # nor is it much longer or broader than what it was

Parameters = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AlignmentImage:
    """A picture for comparing: Lab, float32 (64, 64, 3), whatever its shape was; `coarse` when it had fewer pixels."""

    lab: Floats
    coarse: bool = False

    @classmethod
    def of(cls, picture: Image.Image) -> AlignmentImage:
        """The sketch of an RGB picture."""
        small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        values = np.asarray(small, np.float32).reshape(-1, 3) / 255
        lab = srgb_to_lab(values).reshape(SIDE, SIDE, 3).astype(np.float32)
        return cls(lab, min(picture.size) < FEWEST_PIXELS)

    def mirrored(self) -> AlignmentImage:
        """The same, left and right exchanged."""
        return AlignmentImage(np.ascontiguousarray(self.lab[:, ::-1]), self.coarse)

    def print(self, side: int) -> Floats:
        """Its lightness in few pixels without the border, (side, side), of mean 0 and unit length; side is at most 12.

        Two of one picture agree wherever it was saved or scaled anew; those of other pictures seldom do.
        """
        light = _pyramid(self.lab[None, ..., 0])[LEVELS[0]][0]
        edge = (LEVELS[0] - side) // 2
        inner = light[edge : edge + side, edge : edge + side]
        inner = inner - inner.mean()
        return np.asarray(inner / max(float(np.linalg.norm(inner)), side * FLAT))


@dataclass(frozen=True, slots=True)
class Alignment:
    """One picture laid over another: how alike their lightness and its fine detail are (correlations, -1 to 1).

    `colour` is the largest difference of a patch's mean in Lab units; `scale` (across, down) the part of the other
    picture's sides that the one shows, `mirrored` whether left and right are exchanged, `coarse` whether either had few
    pixels.
    """

    lightness: float
    detail: float
    colour: float
    scale: tuple[float, float]
    mirrored: bool

    coarse: bool = False

    @property
    def sure(self) -> float:
        """How sure it is that both are one picture, 0 to 1."""
        if self.lightness <= -1.0 or self.detail <= LEAST_DETAIL or not self._plausible():
            return 0.0
        light, fine = (-math.log(max(1 - like, NO_BETTER)) for like in (self.lightness, self.detail))
        value = OFFSET + LIGHTNESS * light + DETAIL * fine + COLOUR * min(self.colour, FARTHEST) + COARSE * self.coarse
        return sigmoid(value)

    def _plausible(self) -> bool:
        """Whether a picture that was saved anew lies as it lay, and one that was cropped shows less of both sides."""
        smaller, larger = min(self.scale), max(self.scale)
        askew = larger > 1 + ONE_WAY and smaller < 1 - ONE_WAY
        between = (STILL_COARSE if self.coarse else STILL) < max(larger - 1, 1 - smaller) < CROP
        return not (askew or between or larger > MOST_SHAPE * smaller)


def overlays(one: AlignmentImage, others: Sequence[AlignmentImage]) -> list[Alignment]:
    """One picture, as it is or mirrored, laid over each of the others as well as can be."""
    if not others:
        return []
    ours = np.stack([one.lab, one.mirrored().lab])
    theirs = np.stack([other.lab for other in others])
    # Every pair is tried from several scales and both ways round; the best start of each goes on.
    ways = [(flip, start) for flip in (0, 1) for start in STARTS]
    a = np.repeat([flip for flip, _ in ways], len(others))
    b = np.tile(np.arange(len(others)), len(ways))
    place = np.zeros((len(a), 4))
    place[:, 0] = place[:, 2] = np.repeat([start for _, start in ways], len(others)) - 1
    light_a, light_b = _pyramid(ours[..., 0]), _pyramid(theirs[..., 0])
    place, fit = _aligned(light_a[LEVELS[0]][a], light_b[LEVELS[0]][b], place, STEPS[0])
    best = fit.reshape(len(ways), len(others)).argmax(axis=0) * len(others) + np.arange(len(others))
    a, place = a[best], place[best]
    fit = fit[best]
    for side, steps in zip(LEVELS[1:], STEPS[1:], strict=True):
        worth = np.flatnonzero(fit > PROMISING)
        if len(worth):
            place[worth], fit[worth] = _aligned(light_a[side][a[worth]], light_b[side][worth], place[worth], steps)
    coarse = np.array([one.coarse or other.coarse for other in others])
    return _measured(_softened(ours[a], coarse), _softened(theirs, coarse), place, a == 1, coarse)


def _aligned(ours: Floats, theirs: Floats, place: Parameters, steps: int) -> tuple[Parameters, Floats]:
    """Places (n, 4) = scale - 1 and shift, across and down, at which pictures (n, side, side) fit best, and how well.

    Gauss and Newton's steps on scale, shift, brightness and contrast at once (Baker and Matthews 2004,
    doi:10.1023/B:VISI.0000011205.11775.fd).
    """
    side = ours.shape[1]
    inner = _inner(side)
    axis = _axis(side)[inner]
    count = len(axis)
    u, v = np.tile(axis, count), np.repeat(axis, count)
    slope_x, slope_y = np.gradient(theirs, axis=2) * (side / 2), np.gradient(theirs, axis=1) * (side / 2)
    target = ours[:, inner, inner].reshape(len(ours), -1)
    columns = np.empty((len(ours), 6, count * count), np.float32)
    columns[:, 5] = 1.0
    for _ in range(steps):
        weights, (seen, dx, dy) = _sampled((theirs, slope_x, slope_y), place, axis)
        gain, bias = _tone(target, seen, weights)
        dx, dy = dx * gain[:, None], dy * gain[:, None]
        columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3], columns[:, 4] = dx * u, dx, dy * v, dy, seen
        missing = (target - (gain[:, None] * seen + bias[:, None])) * weights
        normal = np.matmul(columns * weights[:, None], columns.transpose(0, 2, 1)).astype(np.float64)
        normal += np.eye(6) * (1e-4 * np.trace(normal, axis1=1, axis2=2)[:, None, None] / 6 + 1e-6)
        wanted = np.matmul(columns, missing[:, :, None]).astype(np.float64)
        step = np.linalg.solve(normal, wanted)[:, :4, 0]
        place = np.clip(place + np.clip(step, -0.1, 0.1), -FURTHEST, FURTHEST)
    weights, (seen,) = _sampled((theirs,), place, axis)
    return place, _correlation(target, seen, weights)


def _measured(
    ours: Floats, theirs: Floats, place: Parameters, mirrored: NDArray[np.bool_], coarse: NDArray[np.bool_]
) -> list[Alignment]:
    """The measures of pictures (n, 64, 64, 3) that are laid over each other at these places."""
    inner = _inner(SIDE)
    axis = _axis(SIDE)[inner]
    weights, channels = _sampled(tuple(theirs[..., i] for i in range(3)), place, axis)
    ours = ours[:, inner, inner]
    light = ours[..., 0].reshape(len(ours), -1)
    lightness = _correlation(light, channels[0], weights)
    square = (len(ours), len(axis), len(axis))
    detail = _correlation(_fine(light.reshape(square)), _fine(channels[0].reshape(square)), weights)
    total = np.maximum(weights.sum(axis=1), 1e-9)
    apart = [(ours[..., i].reshape(len(ours), -1) - channels[i]) * weights for i in range(3)]
    colour = np.sqrt(sum(_patches(part.reshape(square)) ** 2 for part in apart)).max(axis=(1, 2))
    scales = 1 + place[:, [0, 2]]
    inside = ((scales > SMALLEST) & (scales < LARGEST)).all(axis=1) & (total > 0.5 * len(axis) ** 2)
    return [
        Alignment(
            float(lightness[i]) if inside[i] else -1.0,
            float(detail[i]) if inside[i] else -1.0,
            float(colour[i]),
            (float(scales[i, 0]), float(scales[i, 1])),
            bool(mirrored[i]),
            bool(coarse[i]),
        )
        for i in range(len(ours))
    ]


def _sampled(images: Sequence[Floats], place: Parameters, axis: Floats) -> tuple[Floats, list[Floats]]:
    """Images (n, side, side) read at the places, bilinearly, on a grid of `axis` (m,) both ways.

    Returns which points lie inside, float32 (n, m²), and each image's values there.
    """
    n, side = images[0].shape[:2]
    x = ((axis[None] * (1 + place[:, :1]) + place[:, 1:2]) + 1) * side / 2 - 0.5
    y = ((axis[None] * (1 + place[:, 2:3]) + place[:, 3:4]) + 1) * side / 2 - 0.5
    inside = ((y > -0.5) & (y < side - 0.5))[:, :, None] & ((x > -0.5) & (x < side - 0.5))[:, None, :]
    # Reading is two products with sparse matrices of the bilinear shares, as scale and shift keep the axes apart.
    down, across = _shares(y, side), _shares(x, side).transpose(0, 2, 1)
    values = [np.matmul(np.matmul(down, image), across).reshape(n, -1) for image in images]
    return inside.reshape(n, -1).astype(np.float32), values


def _shares(points: Parameters, side: int) -> Floats:
    """What each pixel of a line gives to each point on it, (n, m, side)."""
    points = np.clip(points, 0, side - 1)
    away = np.abs(points[:, :, None] - np.arange(side)[None, None])
    return np.asarray(np.maximum(0, 1 - away), dtype=np.float32)


def _tone(target: Floats, seen: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Contrast and brightness that bring what is seen nearest to the target."""
    total = np.maximum(weights.sum(axis=1), 1e-9)
    mean_a, mean_b = (target * weights).sum(axis=1) / total, (seen * weights).sum(axis=1) / total
    a, b = target - mean_a[:, None], seen - mean_b[:, None]
    gain = (a * b * weights).sum(axis=1) / np.maximum((b * b * weights).sum(axis=1), 1e-6)
    gain = np.clip(gain, 0.5, 2.0)
    return gain, mean_a - gain * mean_b


def _correlation(a: Floats, b: Floats, weights: Floats) -> Floats:
    """The weighted correlation of each pair of rows; two that are flat are as alike as can be."""
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    a = a - (a * weights).sum(axis=1, keepdims=True) / total
    b = b - (b * weights).sum(axis=1, keepdims=True) / total
    a2, b2 = ((x * x * weights).sum(axis=1) / total[:, 0] for x in (a, b))
    both = (a * b * weights).sum(axis=1) / total[:, 0]
    floor = FLAT**2
    return np.asarray((both + floor) / np.sqrt((a2 + floor) * (b2 + floor)))


def _fine(light: Floats) -> Floats:
    """What a blur takes away, (n, side²): edges, seams and texture."""
    return np.asarray((_blurred(light, 0) - _blurred(light, 2)).reshape(len(light), -1))


def _blurred(light: Floats, times: int) -> Floats:
    for axis in (1, 2):
        for _ in range(times):
            padded = np.pad(light, [(0, 0)] + [(2, 2) if i == axis else (0, 0) for i in (1, 2)], mode="edge")
            parts = [np.take(padded, np.arange(i, i + light.shape[axis]), axis=axis) for i in range(5)]
            light = np.asarray(np.mean(parts, axis=0), dtype=np.float32)
    return light


def _softened(lab: Floats, coarse: NDArray[np.bool_]) -> Floats:
    """Pictures (n, 64, 64, 3) slightly blurred, the coarse ones more: so all lack what scaling takes away."""
    for axis in (1, 2):
        padded = np.pad(lab, [(0, 0)] + [(1, 1) if i == axis else (0, 0) for i in (1, 2, 3)], mode="edge")
        before, after = (np.take(padded, np.arange(i, i + SIDE), axis=axis) for i in (0, 2))
        lab = np.asarray((before + 2 * lab + after) / 4, dtype=np.float32)
    if coarse.any():
        half = lab[coarse].reshape(-1, SIDE // 2, 2, SIDE // 2, 2, 3).mean(axis=(2, 4))
        lab[coarse] = half.repeat(2, axis=1).repeat(2, axis=2)
    return lab


def _patches(differences: Floats) -> Floats:
    """The means (n, 8, 8) of patches: noise goes, a part in another colour stays."""
    side = differences.shape[1]
    edges = np.linspace(0, side, PATCHES + 1).astype(np.int64)
    widths = np.diff(edges)
    sums = np.add.reduceat(np.add.reduceat(differences, edges[:-1], axis=1), edges[:-1], axis=2)
    return np.asarray(sums / (widths[:, None] * widths[None]), dtype=np.float32)


def _pyramid(light: Floats) -> dict[int, Floats]:
    """The lightness (n, 64, 64) at every level, averaged."""
    n = len(light)
    return {side: light.reshape(n, side, SIDE // side, side, SIDE // side).mean(axis=(2, 4)) for side in LEVELS}


@cache
def _axis(side: int) -> Floats:
    """The middles of pixels, -1 to 1."""
    return ((np.arange(side) + 0.5) * 2 / side - 1).astype(np.float32)


def _inner(side: int) -> slice:
    """The pixels of a line that are compared."""
    left_out = round(side * (1 - INNER) / 2)
    return slice(left_out, side - left_out)
