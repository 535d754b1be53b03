"""What is wrong with a picture for a shop window: simple measures on its pixels, and their limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.types import Floats

SIDE = 256  # pictures are measured with no longer a side
TOO_SMALL = 100  # pixels of the short side; encoders look at 224, so that such a picture shows hardly a detail
BLURRED = 0.54  # 99 of 100 real photos lie below 0.51, 97 of 100 blurred by two pixels above
FLAT = 6.0  # standard deviation of grey: nothing is to be seen
BUSY = 0.42  # 99 of 100 studio pictures lie below 0.39, all photos of shelves above 0.6
APART = 30.0  # RGB distance at which a pixel is no longer background
TEXT = 0.5  # 95 of 100 pictures lie below 0.47, words of 14 to 20 pixels mostly above 0.75
BORDER = 0.06  # of a side
FAINT = 2.0  # differences of neighbouring pixels below this are noise


@dataclass(frozen=True, slots=True)
class PictureNote:
    """One fault of a picture: which (`kind`), the measure, the limit that it passes, and the sentence to show."""

    picture: int
    kind: str
    measure: float
    limit: float
    message: str


def picture_notes(picture: Image.Image, number: int = 0) -> tuple[PictureNote, ...]:
    """The faults that pixels show: too_small, blank, blurred, busy_background, text."""
    short = min(picture.size)
    pixels = shrunk(picture)
    notes = []
    if short < TOO_SMALL:
        notes.append(
            PictureNote(number, "too_small", float(short), TOO_SMALL, f"Only {short} pixels on its short side.")
        )
    flatness = float(_grey(pixels).std())
    if flatness < FLAT:
        return (*notes, PictureNote(number, "blank", flatness, FLAT, "There is nothing to be seen."))
    for kind, measure, limit, message in (
        ("blurred", blur(pixels), BLURRED, "It is blurred."),
        ("busy_background", busyness(pixels), BUSY, "The background is busy; a plain one shows the product better."),
        ("text", overlaid_text(pixels), TEXT, "There seems to be text, or a watermark, on it."),
    ):
        if measure > limit:
            notes.append(PictureNote(number, kind, measure, limit, message))
    return tuple(notes)


def shrunk(picture: Image.Image) -> Floats:
    """The picture as float32 (h, w, 3), 0 to 255, at most 256 pixels a side."""
    small = picture.convert("RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(small, np.float32)


def blur(pixels: Floats) -> float:
    """How little a further blur takes away, 0 (crisp) to 1: after Crete et al. 2007, doi:10.1117/12.702790."""
    grey = _grey(pixels)
    return max(_reblurred(grey), _reblurred(np.ascontiguousarray(grey.T)))


def busyness(pixels: Floats) -> float:
    """The share of the border's pixels that are not of the border's usual colour, 0 to 1."""
    border = pixels[_border(pixels.shape[0], pixels.shape[1])]
    usual = np.median(border, axis=0)
    return float((np.linalg.norm(border - usual, axis=1) > APART).mean())


def overlaid_text(pixels: Floats) -> float:
    """How much a band of rows looks like a line of letters on even ground, 0 to 1.

    A line of letters is many thin strokes of one brightness side by side, with rows without any above and below.
    """
    grey = _grey(pixels)
    return max(_line(_strokes(grey, bright)) for bright in (True, False))


def _reblurred(grey: Floats) -> float:
    kernel = 9
    padded = np.pad(grey, ((kernel // 2, kernel // 2), (0, 0)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0, dtype=np.float64)
    blurred = (sums[kernel:] - sums[:-kernel]) / kernel
    own, after = np.abs(np.diff(grey, axis=0)), np.abs(np.diff(blurred, axis=0))
    seen = own > FAINT
    total = float(own[seen].sum())
    lost = float(np.maximum(own - after, 0)[seen].sum())
    return 1.0 - lost / total if total else 0.0


def _strokes(grey: Floats, bright: bool) -> NDArray[np.bool_]:
    """Pixels of thin things that are brighter (or darker) than what is around them."""
    image = grey if bright else 255.0 - grey
    opened = _slid(_slid(image, 7, np.minimum), 7, np.maximum)
    return np.asarray(image - opened > 18.0)


def _slid(image: Floats, size: int, take: np.ufunc) -> Floats:
    """The smallest, or largest, value of each row's window of that size."""
    half = size // 2
    padded = np.pad(image, ((0, 0), (half, half)), mode="edge")
    result = padded[:, : image.shape[1]]
    for shift in range(1, size):
        result = take(result, padded[:, shift : shift + image.shape[1]])
    return np.asarray(result, np.float32)


def _line(strokes: NDArray[np.bool_]) -> float:
    """The best band of 6 to 38 rows: how often they change between stroke and ground, and those around do not."""
    changes = np.count_nonzero(strokes[:, 1:] != strokes[:, :-1], axis=1).astype(np.float64)
    height = len(changes)
    sums = np.concatenate([[0.0], np.cumsum(changes)])
    best = 0.0
    for rows in (6, 9, 13, 18, 26, 38):
        gap = max(2, rows // 4)
        if rows + 2 * gap > height:
            break
        first = np.arange(gap, height - rows - gap + 1)
        inside = (sums[first + rows] - sums[first]) / rows
        above, below = (sums[first] - sums[first - gap]) / gap, (sums[first + rows + gap] - sums[first + rows]) / gap
        quiet = np.maximum(above, below)
        best = max(best, float(((inside - 2 * quiet) / 24).max()))
    return min(1.0, max(0.0, best))


def _border(height: int, width: int) -> NDArray[np.bool_]:
    border = np.ones((height, width), np.bool_)
    down, across = max(1, round(height * BORDER)), max(1, round(width * BORDER))
    border[down : height - down, across : width - across] = False
    return border


def _grey(pixels: Floats) -> Floats:
    return np.asarray(pixels @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def notes_dict(notes: Sequence[PictureNote]) -> list[dict[str, object]]:
    """As JSON values."""
    return [
        {"picture": n.picture, "kind": n.kind, "measure": round(n.measure, 3), "limit": n.limit, "message": n.message}
        for n in notes
    ]
