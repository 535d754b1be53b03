"""Colour encoder: a Lab histogram of the foreground. Needs no weights."""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
from PIL import Image

from indexer.encoders.base import BaseEncoder
from indexer.types import Block, EncoderSpec, Floats, Pixels

IMAGE_SIDE_PX = 56
RGB_LEVELS = 16  # RGB levels a channel; Lab bins are soft, so a finer table makes no measurable difference
BACKGROUND_DISTANCE = 9.0  # delta E within which a pixel counts as the colour of the picture's border
BACKGROUND_SHARE = 0.08
BIN_WIDTH = 11.0  # delta E from a bin's centre at which its share has fallen to 61 %
COLOUR_VERSION = "lab-1"


class ColourEncoder(BaseEncoder):
    """Colours of a picture as one block of soft Lab bins; cosine is the Bhattacharyya coefficient."""

    def __init__(self, spec: EncoderSpec) -> None:
        self.spec = spec
        self.blocks = (Block("colour", colour_dim()),)
        self.preprocessing = {"side": IMAGE_SIDE_PX, "fit": "squash", "interpolation": "box"}
        self.fingerprint = hashlib.sha256(f"{COLOUR_VERSION} {IMAGE_SIDE_PX} {RGB_LEVELS}".encode()).hexdigest()

    def prepare(self, picture: Image.Image) -> Pixels:
        """Squash one RGB picture to uint8 (56, 56, 3)."""
        return np.asarray(picture.resize((IMAGE_SIDE_PX, IMAGE_SIDE_PX), Image.Resampling.BOX))

    def _image_rows(self, pixels: Pixels) -> Floats:
        return colour_rows(pixels)


def colour_dim() -> int:
    """Return the length of the colour block."""
    return len(_bins())


def colour_rows(pixels: Pixels) -> Floats:
    """Return soft Lab histograms, float32 (n, bins) of unit length, of uint8 pictures (n, side, side, 3).

    A row holds the square root of each bin's share, so a dot product is the Bhattacharyya coefficient of two
    histograms. Pixels near the border's median colour, and far from the centre, count less.
    """
    step = max(1, pixels.shape[1] // IMAGE_SIDE_PX)
    small = pixels[:, ::step, ::step]
    n, side = small.shape[0], small.shape[1]
    levels = (small // (256 // RGB_LEVELS)).astype(np.int64)
    codes = levels[..., 0] * RGB_LEVELS**2 + levels[..., 1] * RGB_LEVELS + levels[..., 2]
    lab, table = _tables()
    border = np.concatenate([codes[:, 0], codes[:, -1], codes[:, :, 0], codes[:, :, -1]], axis=1)
    middle = 2 * side  # of the border's pixels; their number is even
    background = np.sort(lab[border], axis=1)[:, middle - 1 : middle + 1].mean(axis=1)
    places = codes + np.arange(n)[:, None, None] * RGB_LEVELS**3
    present = np.flatnonzero(np.bincount(codes.ravel(), minlength=RGB_LEVELS**3))  # some hundred of the 4,096 codes
    apart = lab[present] - background[:, None]
    factors = np.zeros((n, RGB_LEVELS**3))
    factors[:, present] = np.where(np.sqrt(np.square(apart).sum(axis=-1)) < BACKGROUND_DISTANCE, BACKGROUND_SHARE, 1.0)
    weight = factors.take(places) * _centre(side)
    counts = np.bincount(places.ravel(), weight.ravel(), n * RGB_LEVELS**3).reshape(n, -1)
    shares = counts[:, present].astype(np.float32) @ table[present]
    rows: Floats = np.sqrt(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12))
    return rows


@cache
def _centre(side: int) -> Floats:
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    bell = np.exp(-(axis**2) / (2 * 0.55**2))
    return np.outer(bell, bell)


@cache
def _tables() -> tuple[Floats, Floats]:
    """Return the Lab value, float32 (RGB_LEVELS**3, 3), of each RGB code and its soft share of each bin."""
    axis = (np.arange(RGB_LEVELS) + 0.5) / RGB_LEVELS
    lab = srgb_to_lab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3))
    squared = ((lab[:, None] - _bins()[None]) ** 2).sum(axis=-1)
    shares = np.exp(-squared / (2 * BIN_WIDTH**2))
    shares[shares < 0.02] = 0
    return lab, (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


@cache
def _bins() -> Floats:
    """Return the bin centres in Lab: a lattice without the points that are far from every displayable colour."""
    lattice = np.stack(np.meshgrid([8, 28, 48, 68, 88], range(-80, 81, 20), range(-80, 81, 20), indexing="ij"), axis=-1)
    centres = lattice.reshape(-1, 3).astype(np.float32)
    axis = np.linspace(0, 1, 18)
    displayable = srgb_to_lab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3))
    near = [np.linalg.norm(displayable - centre, axis=1).min() < 10 for centre in centres]
    bins: Floats = centres[np.array(near)]
    return bins


def srgb_to_lab(rgb: np.ndarray) -> Floats:
    """Convert sRGB in 0..1, (n, 3), to CIE L*a*b* under D65, float32 (n, 3) (IEC 61966-2-1 and CIE 15)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)
    return lab.astype(np.float32)
