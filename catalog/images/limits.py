"""How large a picture may be: limits of memory and time, and so of pixels where a format cannot be decoded smaller.

What it takes to decode is measured in docs/decisions/pictures.md.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from catalog.errors import BadPicture, PictureTooLarge

MAX_FILE_BYTES = 64 * 2**20
MAX_SIDE = 65_535  # what a JPEG can have; a resampling filter takes memory for each pixel of a side
MAX_PIXELS = 40_000_000  # of formats that are decoded whole
MAX_JPEG_PIXELS = 250_000_000  # a JPEG is decoded at a half, a quarter or an eighth; this takes its second
MAX_HEIF_PIXELS = 52_000_000  # phones save 48 and 50 million
_MOST = {"JPEG": MAX_JPEG_PIXELS, "HEIF": MAX_HEIF_PIXELS}
MAX_DECODED_PIXELS = 25_000_000  # of what a JPEG is decoded to, at 4 bytes each
MAX_COEFFICIENT_BYTES = 120 * 10**6  # a decoder's for a JPEG of several scans; above it, an eighth is decoded
BIG_PIXELS = 16_000_000  # bigger pictures are decoded one by one, and made smaller before anything else
BIG_COEFFICIENT_BYTES = 40 * 10**6
REDUCTIONS = (1, 2, 4, 8)  # of a side, that a JPEG can be decoded at

_big = threading.RLock()


def check_size(size: tuple[int, int], kind: str) -> None:
    """Raise BadPicture for a picture without pixels, and PictureTooLarge for a side or an area over the limit."""
    (width, height), most = size, _MOST.get(kind, MAX_PIXELS)
    if width < 1 or height < 1:
        raise BadPicture("The picture has no pixels.", "Save or send the picture again.")
    shown = f"The picture has {width:,} x {height:,} pixels"
    hint = "Make it smaller; a long side of 1,000 pixels is plenty."
    if max(size) > MAX_SIDE:
        raise PictureTooLarge(f"{shown}; the limit is {MAX_SIDE:,} a side.", hint)
    if width * height > most:
        hint = hint if kind == "JPEG" else "Make it smaller, or save it as JPEG: that may have more pixels."
        millions = f"{width * height / 1e6:,.1f} million; the limit is {most / 1e6:,.0f} million"
        raise PictureTooLarge(f"{shown}, {millions}.", hint)


def is_big(size: tuple[int, int]) -> bool:
    """Return whether so many pixels take much memory."""
    return size[0] * size[1] > BIG_PIXELS


def reduction(size: tuple[int, int], pixels: int) -> int:
    """Return the least of the reductions that makes a JPEG of this size at most so many pixels; else the greatest."""
    fitting = (factor for factor in REDUCTIONS if size[0] * size[1] <= pixels * factor**2)
    return next(fitting, REDUCTIONS[-1])


@contextmanager
def one_at_a_time(big: bool) -> Iterator[None]:
    """Let one thread at a time into the block when `big`, so that the memory of many big pictures does not add up."""
    if big:
        with _big:
            yield
    else:
        yield
