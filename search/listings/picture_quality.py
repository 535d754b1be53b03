"""Find faults of listing pictures: simple measures on pixels, and their limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.types import Floats

MEASURED_SIDE = 256  # pixels of the longer side, to which pictures are reduced
MIN_SHORT_SIDE = 100  # pixels; encoders read 224, so a smaller picture shows hardly a detail
MAX_BLUR = 0.54  # 99 of 100 real photos lie below 0.51, 97 of 100 blurred by two pixels above
MIN_CONTRAST = 6.0  # standard deviation of grey, below which a picture is blank
MAX_BUSYNESS = 0.42  # 99 of 100 studio pictures lie below 0.39, all photos of shelves above 0.6
MIN_BACKGROUND_DISTANCE = 30.0  # RGB distance from the usual colour, above which a pixel is no background
MAX_TEXT = 0.5  # 95 of 100 pictures lie below 0.47, words of 14 to 20 pixels mostly above 0.75
BORDER_SHARE = 0.06  # share of each side that is border
_BUSY = "The background is busy; a plain one shows the product better."
NOISE_LEVEL = 2.0  # differences of adjacent pixels up to this are noise


@dataclass(frozen=True, slots=True)
class PictureNote:
    """A fault of a picture: its kind, the measure, the limit that it passes, and the sentence to show."""

    picture: int
    kind: str
    measure: float
    limit: float
    message: str


def picture_notes(picture: Image.Image, number: int = 0) -> tuple[PictureNote, ...]:
    """Find faults in the pixels: too_small, blank, blurred, busy_background, text."""
    short = min(picture.size)
    pixels = shrunk(picture)
    notes = []
    if short < MIN_SHORT_SIDE:
        notes.append(
            PictureNote(number, "too_small", float(short), MIN_SHORT_SIDE, f"Only {short} pixels on its short side.")
        )
    flatness = float(_grey(pixels).std())
    if flatness < MIN_CONTRAST:
        return (*notes, PictureNote(number, "blank", flatness, MIN_CONTRAST, "There is nothing to be seen."))
    for kind, measure, limit, message in (
        ("blurred", blur(pixels), MAX_BLUR, "It is blurred."),
        ("busy_background", busyness(pixels), MAX_BUSYNESS, _BUSY),
        ("text", overlaid_text(pixels), MAX_TEXT, "There seems to be text, or a watermark, on it."),
    ):
        if measure > limit:
            notes.append(PictureNote(number, kind, measure, limit, message))
    return tuple(notes)


def shrunk(picture: Image.Image) -> Floats:
    """Return the picture as float32 (h, w, 3), 0 to 255, at most 256 pixels a side."""
    small = picture.convert("RGB")
    small.thumbnail((MEASURED_SIDE, MEASURED_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(small, np.float32)


def blur(pixels: Floats) -> float:
    """Measure blur from 0 (sharp) to 1 by the effect of blurring again (Crete et al. 2007, doi:10.1117/12.702790)."""
    grey = _grey(pixels)
    return max(_reblurred(grey), _reblurred(np.ascontiguousarray(grey.T)))


def busyness(pixels: Floats) -> float:
    """Return the share of border pixels that differ from the border's median colour, 0 to 1."""
    border = pixels[_border(pixels.shape[0], pixels.shape[1])]
    usual = np.median(border, axis=0)
    return float((np.linalg.norm(border - usual, axis=1) > MIN_BACKGROUND_DISTANCE).mean())


def overlaid_text(pixels: Floats) -> float:
    """Measure how much a band of rows looks like a line of text on an even background, 0 to 1.

    Text is many thin strokes of one brightness side by side, with rows without strokes above and below.
    """
    grey = _grey(pixels)
    return max(_line(_strokes(grey, bright)) for bright in (True, False))


def _reblurred(grey: Floats) -> float:
    kernel = 9
    padded = np.pad(grey, ((kernel // 2, kernel // 2), (0, 0)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0, dtype=np.float64)
    blurred = (sums[kernel:] - sums[:-kernel]) / kernel
    own, after = np.abs(np.diff(grey, axis=0)), np.abs(np.diff(blurred, axis=0))
    edges = own > NOISE_LEVEL
    total = float(own[edges].sum())
    lost = float(np.maximum(own - after, 0)[edges].sum())
    return 1.0 - lost / total if total else 0.0


def _strokes(grey: Floats, bright: bool) -> NDArray[np.bool_]:
    """Mark pixels of thin strokes that are brighter (or darker) than their surroundings."""
    image = grey if bright else 255.0 - grey
    opened = _slide(_slide(image, 7, np.minimum), 7, np.maximum)
    return np.asarray(image - opened > 18.0)


def _slide(image: Floats, size: int, take: np.ufunc) -> Floats:
    """Return the smallest or largest value in a window of `size` pixels along each row."""
    half = size // 2
    padded = np.pad(image, ((0, 0), (half, half)), mode="edge")
    result = padded[:, : image.shape[1]]
    for shift in range(1, size):
        result = take(result, padded[:, shift : shift + image.shape[1]])
    return np.asarray(result, np.float32)


def _line(strokes: NDArray[np.bool_]) -> float:
    """Score the best band of 6 to 38 rows: many changes between stroke and ground, few in the rows around it."""
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
    down, across = max(1, round(height * BORDER_SHARE)), max(1, round(width * BORDER_SHARE))
    border[down : height - down, across : width - across] = False
    return border


def _grey(pixels: Floats) -> Floats:
    return np.asarray(pixels @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def notes_dict(notes: Sequence[PictureNote]) -> list[dict[str, object]]:
    """Return JSON values."""
    return [
        {"picture": n.picture, "kind": n.kind, "measure": round(n.measure, 3), "limit": n.limit, "message": n.message}
        for n in notes
    ]
