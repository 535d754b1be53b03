"""Decide whether two pictures are copies of one: align one with the other, then compare them pixel by pixel.

Vectors cannot tell a plain black shirt from another one; the positions of seams, folds and edges can. The alignment is
our own numpy: OpenCV's ECC would be a new dependency, and every threshold below would have to be fitted again.
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

IMAGE_SIDE = 64
PYRAMID_SIDES = (16, 32, 64)  # sides of the pyramid's images, coarse to fine
ITERATIONS = (8, 5, 4)  # iterations of Gauss-Newton at each level
MIN_CORRELATION = 0.75  # correlation at a level below which the finer ones are left out
START_SCALES = (0.9, 1.0, 1.11)
MAX_SCALE, MIN_SCALE = 1.2, 0.82  # beyond them no picture is a crop of the other
MAX_OFFSET = 0.3  # largest offset of a crop, as a share of half a side
COMPARED_SHARE = 0.76  # share of a side that is compared: a border that was painted over proves nothing
MIN_FINE_PIXELS = 48  # where either picture's short side has fewer, both are compared at half the detail
PATCHES = 8  # along a side, when colours are compared
MIN_LIGHTNESS_DEVIATION = 0.5  # standard deviation of lightness below which there is nothing to align
# A logistic curve over -log(1 - correlation) of lightness and of fine detail, over the colours' difference,
# and for coarse pictures, which keep little detail; 0 is a confidence of 0.5.
# Chosen in docs/decisions/listing-suggestions.md.
OFFSET, LIGHTNESS, DETAIL, COLOUR, COARSE = -9.256, 1.112, 1.329, -0.668, 6.765
MIN_UNEXPLAINED = 1e-3  # lower bound of 1 - correlation
MAX_COLOUR_DIFFERENCE = 30.0  # Lab units
MIN_DETAIL = 0.9
RESAVED, RESAVED_COARSE = 0.01, 0.02  # how far from 1 the scale of a picture may be that was only re-encoded or resized
MIN_CROP = 0.045  # how far from 1 the scale of a cropped picture must be
ONE_WAY = 0.02  # a cropped picture shows less across and down; never less one way and more the other
MAX_STRETCH = 1.13  # nor is its shape much longer or broader

Parameters = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AlignmentImage:
    """A picture to align: Lab, float32 (64, 64, 3), whatever its shape was; `coarse` when it had few pixels."""

    lab: Floats
    coarse: bool = False

    @classmethod
    def of(cls, picture: Image.Image) -> AlignmentImage:
        """Shrink an RGB picture and convert it to Lab."""
        small = picture.convert("RGB").resize((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BILINEAR)
        values = np.asarray(small, np.float32).reshape(-1, 3) / 255
        lab = srgb_to_lab(values).reshape(IMAGE_SIDE, IMAGE_SIDE, 3).astype(np.float32)
        return cls(lab, min(picture.size) < MIN_FINE_PIXELS)

    def print(self, side: int) -> Floats:
        """Return the lightness at low resolution without the border, (side, side), of mean 0 and unit length.

        Prints of re-encoded or resized copies agree; those of different pictures seldom do. `side` is at most 12.
        """
        light = _pyramid(self.lab[None, ..., 0])[PYRAMID_SIDES[0]][0]
        edge = (PYRAMID_SIDES[0] - side) // 2
        inner = light[edge : edge + side, edge : edge + side]
        inner = inner - inner.mean()
        return np.asarray(inner / max(float(np.linalg.norm(inner)), side * MIN_LIGHTNESS_DEVIATION))


@dataclass(frozen=True, slots=True)
class Alignment:
    """One picture aligned with another: the correlations (-1 to 1) of their lightness and of its fine detail.

    `colour` is the largest difference of a patch's mean in Lab units; `scale` (across, down) the part of the other
    picture's sides that the first shows, `mirrored` whether left and right are exchanged, `coarse` whether either had
    few pixels.
    """

    lightness: float
    detail: float
    colour: float
    scale: tuple[float, float]
    mirrored: bool
    coarse: bool = False

    @property
    def confidence(self) -> float:
        """The probability, 0 to 1, that both are copies of one picture."""
        if self.lightness <= -1.0 or self.detail <= MIN_DETAIL or not self._plausible():
            return 0.0
        light, fine = (-math.log(max(1 - value, MIN_UNEXPLAINED)) for value in (self.lightness, self.detail))
        logit = OFFSET + LIGHTNESS * light + DETAIL * fine + COARSE * self.coarse
        return sigmoid(logit + COLOUR * min(self.colour, MAX_COLOUR_DIFFERENCE))

    def _plausible(self) -> bool:
        """Return whether the scale fits a picture that was only re-encoded, or one that was cropped on both sides."""
        smaller, larger = min(self.scale), max(self.scale)
        askew = larger > 1 + ONE_WAY and smaller < 1 - ONE_WAY
        between = (RESAVED_COARSE if self.coarse else RESAVED) < max(larger - 1, 1 - smaller) < MIN_CROP
        return not (askew or between or larger > MAX_STRETCH * smaller)


def align_images(image: AlignmentImage, others: Sequence[AlignmentImage]) -> list[Alignment]:
    """Align one picture, as it is or mirrored, with each of the others."""
    if not others:
        return []
    ours = np.stack([image.lab, image.lab[:, ::-1]])
    theirs = np.stack([other.lab for other in others])
    # Every pair is tried from several scales and both ways round; the best start of each goes on.
    every = np.arange(len(others))
    a, scales, b = (grid.ravel() for grid in np.meshgrid((0, 1), START_SCALES, every, indexing="ij"))
    place = np.outer(scales - 1, (1, 0, 1, 0))
    light_a, light_b = _pyramid(ours[..., 0]), _pyramid(theirs[..., 0])
    place, fit = _aligned(light_a[PYRAMID_SIDES[0]][a], light_b[PYRAMID_SIDES[0]][b], place, ITERATIONS[0])
    best = fit.reshape(-1, len(others)).argmax(axis=0) * len(others) + every
    a, place, fit = a[best], place[best], fit[best]
    for side, iterations in zip(PYRAMID_SIDES[1:], ITERATIONS[1:], strict=True):
        good = np.flatnonzero(fit > MIN_CORRELATION)
        if len(good):
            place[good], fit[good] = _aligned(light_a[side][a[good]], light_b[side][good], place[good], iterations)
    coarse = np.array([image.coarse or other.coarse for other in others])
    return _measured(_softened(ours[a], coarse), _softened(theirs, coarse), place, a == 1, coarse)


def _aligned(ours: Floats, theirs: Floats, place: Parameters, iterations: int) -> tuple[Parameters, Floats]:
    """Return the (scale - 1, shift) across and down, (n, 4), that fit pictures (n, side, side) best, and correlations.

    Gauss-Newton steps on scale, shift, brightness and contrast at once (Baker and Matthews 2004,
    doi:10.1023/B:VISI.0000011205.11775.fd).
    """
    side = ours.shape[1]
    inner, axis = _compared(side)
    count = len(axis)
    u, v = np.tile(axis, count), np.repeat(axis, count)
    slope_x, slope_y = np.gradient(theirs, axis=2) * (side / 2), np.gradient(theirs, axis=1) * (side / 2)
    target = ours[:, inner, inner].reshape(len(ours), -1)
    columns = np.empty((len(ours), 6, count * count), np.float32)
    columns[:, 5] = 1.0
    for _ in range(iterations):
        weights, (sampled, dx, dy) = _sampled((theirs, slope_x, slope_y), place, axis)
        gain, bias = _tone(target, sampled, weights)
        dx, dy = dx * gain[:, None], dy * gain[:, None]
        columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3], columns[:, 4] = dx * u, dx, dy * v, dy, sampled
        residual = (target - (gain[:, None] * sampled + bias[:, None])) * weights
        normal = np.matmul(columns * weights[:, None], columns.transpose(0, 2, 1)).astype(np.float64)
        normal += np.eye(6) * (1e-4 * np.trace(normal, axis1=1, axis2=2)[:, None, None] / 6 + 1e-6)
        descent = np.matmul(columns, residual[:, :, None]).astype(np.float64)
        step = np.linalg.solve(normal, descent)[:, :4, 0]
        place = np.clip(place + np.clip(step, -0.1, 0.1), -MAX_OFFSET, MAX_OFFSET)
    weights, (sampled,) = _sampled((theirs,), place, axis)
    return place, _correlation(target, sampled, weights)


def _measured(
    ours: Floats, theirs: Floats, place: Parameters, mirrored: NDArray[np.bool_], coarse: NDArray[np.bool_]
) -> list[Alignment]:
    """Measure how well pictures (n, 64, 64, 3) agree when aligned at these places (n, 4)."""
    inner, axis = _compared(IMAGE_SIDE)
    weights, channels = _sampled(tuple(theirs[..., i] for i in range(3)), place, axis)
    ours = ours[:, inner, inner]
    light = ours[..., 0].reshape(len(ours), -1)
    lightness = _correlation(light, channels[0], weights)
    square = (len(ours), len(axis), len(axis))
    detail = _correlation(_fine(light.reshape(square)), _fine(channels[0].reshape(square)), weights)
    total = np.maximum(weights.sum(axis=1), 1e-9)
    differences = [(ours[..., i].reshape(len(ours), -1) - channels[i]) * weights for i in range(3)]
    colour = np.sqrt(sum(_patches(channel.reshape(square)) ** 2 for channel in differences)).max(axis=(1, 2))
    scales = 1 + place[:, [0, 2]]
    inside = ((scales > MIN_SCALE) & (scales < MAX_SCALE)).all(axis=1) & (total > 0.5 * len(axis) ** 2)
    lightness, detail = (np.where(inside, correlation, -1.0) for correlation in (lightness, detail))
    measures = (lightness, detail, colour, scales[:, 0], scales[:, 1], mirrored, coarse)
    return [
        Alignment(light, fine, difference, (across, down), flipped, few)
        for light, fine, difference, across, down, flipped, few in zip(*(m.tolist() for m in measures), strict=True)
    ]


def _sampled(images: Sequence[Floats], place: Parameters, axis: Floats) -> tuple[Floats, list[Floats]]:
    """Sample images (n, side, side) at the places, bilinearly, on a grid of `axis` (m,) both ways.

    Returns which points lie inside, float32 (n, m²), and each image's values there.
    """
    n, side = images[0].shape[:2]
    x, y = (((axis * (1 + at[:, :1]) + at[:, 1:]) + 1) * side / 2 - 0.5 for at in (place[:, :2], place[:, 2:]))
    inside = ((y > -0.5) & (y < side - 0.5))[:, :, None] & ((x > -0.5) & (x < side - 0.5))[:, None, :]
    # Scale and shift keep the axes apart, so sampling is a product with a matrix of bilinear weights for each axis.
    down, across = _shares(y, side), _shares(x, side).transpose(0, 2, 1)
    values = [np.matmul(np.matmul(down, image), across).reshape(n, -1) for image in images]
    return inside.reshape(n, -1).astype(np.float32), values


def _shares(points: Parameters, side: int) -> Floats:
    """Return the bilinear weight of each pixel of a line for each point on it, (n, m, side)."""
    distances = np.abs(np.clip(points, 0, side - 1)[:, :, None] - np.arange(side))
    return np.asarray(np.maximum(0, 1 - distances), dtype=np.float32)


def _tone(target: Floats, sampled: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the contrast and brightness that bring the sampled values nearest to the target (least squares)."""
    total = np.maximum(weights.sum(axis=1), 1e-9)
    mean_a, mean_b = (target * weights).sum(axis=1) / total, (sampled * weights).sum(axis=1) / total
    a, b = target - mean_a[:, None], sampled - mean_b[:, None]
    gain = np.clip((a * b * weights).sum(axis=1) / np.maximum((b * b * weights).sum(axis=1), 1e-6), 0.5, 2.0)
    return gain, mean_a - gain * mean_b


def _correlation(a: Floats, b: Floats, weights: Floats) -> Floats:
    """Return the weighted correlation of each pair of rows; 1 for two flat ones."""
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    a = a - (a * weights).sum(axis=1, keepdims=True) / total
    b = b - (b * weights).sum(axis=1, keepdims=True) / total
    a2, b2 = ((x * x * weights).sum(axis=1) / total[:, 0] for x in (a, b))
    both = (a * b * weights).sum(axis=1) / total[:, 0]
    return np.asarray(
        (both + MIN_LIGHTNESS_DEVIATION**2)
        / np.sqrt((a2 + MIN_LIGHTNESS_DEVIATION**2) * (b2 + MIN_LIGHTNESS_DEVIATION**2))
    )


def _fine(light: Floats) -> Floats:
    """Return what a blur removes, (n, side²): edges, seams and texture."""
    blurred = light
    for axis in (1, 1, 2, 2):
        padded = np.pad(blurred, [(2, 2) if i == axis else (0, 0) for i in range(3)], mode="edge")
        parts = [padded.take(range(i, i + light.shape[axis]), axis) for i in range(5)]
        blurred = np.mean(parts, axis=0, dtype=np.float32)
    return np.asarray((light - blurred).reshape(len(light), -1))


def _softened(lab: Floats, coarse: NDArray[np.bool_]) -> Floats:
    """Blur pictures (n, 64, 64, 3) slightly, coarse ones more, so that all lack the detail that resizing removes."""
    for axis in (1, 2):
        padded = np.pad(lab, [(1, 1) if i == axis else (0, 0) for i in range(4)], mode="edge")
        before, after = (padded.take(range(i, i + IMAGE_SIDE), axis) for i in (0, 2))
        lab = np.asarray((before + 2 * lab + after) / 4, dtype=np.float32)
    if coarse.any():
        half = lab[coarse].reshape(-1, IMAGE_SIDE // 2, 2, IMAGE_SIDE // 2, 2, 3).mean(axis=(2, 4))
        lab[coarse] = half.repeat(2, axis=1).repeat(2, axis=2)
    return lab


def _patches(differences: Floats) -> Floats:
    """Return the means of patches (n, 8, 8): noise averages out, a part in another colour does not."""
    edges = np.linspace(0, differences.shape[1], PATCHES + 1).astype(np.int64)
    widths = np.diff(edges)
    sums = np.add.reduceat(np.add.reduceat(differences, edges[:-1], axis=1), edges[:-1], axis=2)
    return np.asarray(sums / (widths[:, None] * widths[None]), dtype=np.float32)


def _pyramid(light: Floats) -> dict[int, Floats]:
    """Average the lightness (n, 64, 64) down to every level."""
    sizes = ((side, IMAGE_SIDE // side) for side in PYRAMID_SIDES)
    return {side: light.reshape(-1, side, cells, side, cells).mean(axis=(2, 4)) for side, cells in sizes}


@cache
def _compared(side: int) -> tuple[slice, Floats]:
    """Return the pixels of a line that are compared, and their centres, -1 to 1."""
    border = round(side * (1 - COMPARED_SHARE) / 2)
    inner = slice(border, side - border)
    return inner, ((np.arange(side) + 0.5) * 2 / side - 1).astype(np.float32)[inner]
