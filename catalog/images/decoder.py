"""Decode bytes to an upright RGB picture: allowed formats only, limits before pixels, BadPicture on any failure."""

from __future__ import annotations

import hashlib
import io
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from catalog.errors import BadPicture, PictureTooLarge
from catalog.images import colours
from catalog.images.formats import sniff
from catalog.images.limits import MAX_FILE_BYTES
from catalog.images.loading import load_jpeg, load_other, open_picture, profile_of, turn_of
from catalog.images.metadata import Stripped, strip

Box = tuple[float, float, float, float]

REDUCING_GAP = 3.0  # a thumbnail's picture is averaged down to so many times its size, then resampled

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# A pipe without a writer is opened at once, and a terminal does not become that of this process. Windows has neither.
_FLAGS = ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
_OPEN_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in _FLAGS)
_SEND_AGAIN = "Save or send the picture again."


def decode(data: bytes, box: Box | None = None, at_least: int = 0) -> Image.Image:
    """Decode a picture file to RGB: turned upright, colours in sRGB, alpha on white, first frame, cropped to `box`.

    `box` is (left, top, right, bottom) in fractions of the turned picture. With `at_least`, a big picture may come
    back smaller, its short side (of the crop) no less than that many pixels: much faster for phone photos. Without
    it, only a JPEG of more than MAX_DECODED_PIXELS comes back smaller.
    Raises BadPicture, UnsupportedFormat or PictureTooLarge, and nothing else, whatever the bytes.
    """
    if box is not None:
        _check_box(box)
    with _guarded(data) as kind:
        share = min(box[2] - box[0], box[3] - box[1]) if box else 1.0
        side = math.ceil(at_least / share)
        picture, turn = load_jpeg(data, side) if kind == "JPEG" else load_other(data, kind, side)
        if box is not None:
            picture = picture.crop(_stored(_pixels(box, _turned(picture.size, turn)), picture.size, turn))
        picture.info = {}
        return picture.transpose(_TURNS[turn]) if turn in _TURNS else picture


def size_of(data: bytes) -> tuple[int, int]:
    """Return (width, height) of a picture file once it is turned upright, from its header alone.

    Raises as `decode` does; damage beyond the header is not noticed.
    """
    with _guarded(data) as kind:
        return _size(strip(data, kind), kind)


def size_and_colours(data: bytes) -> tuple[tuple[int, int], bool]:
    """Return what `size_of` and `changes_colours` do, reading the header once. Raises as `decode` does."""
    with _guarded(data) as kind:
        stripped = strip(data, kind)
        return _size(stripped, kind), _changes_colours(stripped, kind)


def changes_colours(data: bytes) -> bool:
    """Return whether a picture file has a colour profile that makes it look different from one without."""
    try:
        with _guarded(data) as kind:
            return _changes_colours(strip(data, kind), kind)
    except BadPicture:
        return False


def _size(stripped: Stripped, kind: str) -> tuple[int, int]:
    with open_picture(stripped.pieces, kind) as picture:
        return _turned(picture.size, turn_of(picture, stripped.exif))


def _changes_colours(stripped: Stripped, kind: str) -> bool:
    if stripped.profile or kind in ("JPEG", "PNG", "GIF"):
        return colours.changes_colours(stripped.profile)
    with open_picture(stripped.pieces, kind) as picture:
        return colours.changes_colours(profile_of(picture, stripped))


def content_hash(data: bytes) -> str:
    """Return the SHA-256 of a picture file's bytes, in hex: the picture's name everywhere."""
    return hashlib.sha256(data).hexdigest()


def read_file(path: Path) -> bytes:
    """Read a picture file whole; BadPicture when it cannot be read, PictureTooLarge when it is over the limit."""
    try:
        file = os.open(path, _OPEN_FLAGS)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device might never end
                raise BadPicture(f"{path.name} is not a regular file.", "Give the path of a picture file.")
            if status.st_size > MAX_FILE_BYTES:
                raise _too_many_bytes(status.st_size)
            data = os.read(file, status.st_size + 1)
            while len(data) < status.st_size and (more := os.read(file, status.st_size - len(data))):
                data += more
            return data
        finally:
            os.close(file)
    except OSError as error:
        raise BadPicture(f"{path.name} cannot be read: {error.strerror}.", "Check the file.") from error
    except ValueError:  # a NUL character, or one that file names here cannot hold
        raise BadPicture(f"{path.name!r} cannot be a file's name.", "Check the name.") from None


def thumbnail(picture: Image.Image, size: int) -> bytes:
    """Return the picture as a JPEG whose longest side is at most `size` pixels, without any metadata."""
    gap = max(1, int(max(picture.size) / size / REDUCING_GAP))
    small = picture.convert("RGB") if gap == 1 else picture.reduce(gap).convert("RGB")
    small.info = {}
    small.thumbnail((size, size), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


@contextmanager
def _guarded(data: bytes) -> Iterator[str]:
    """Yield the format of the data; raise any failure of the block as BadPicture."""
    if len(data) > MAX_FILE_BYTES:
        raise _too_many_bytes(len(data))
    kind = sniff(data)
    try:
        yield kind
    except BadPicture:
        raise
    except MemoryError:
        raise PictureTooLarge(f"There is not enough memory for this {kind} picture.", "Make it smaller.") from None
    except Exception as error:
        # Decoders meet hostile bytes with nearly any exception; to the caller they all mean the same.
        text = str(error)
        helps = type(error) is OSError and text.isascii() and len(text) < 80  # else it speaks of a decoder's internals
        raise BadPicture(f"The {kind} picture is damaged{f': {text}' if helps else ''}.", _SEND_AGAIN) from error


def _turned(size: tuple[int, int], turn: int) -> tuple[int, int]:
    """Return the size of a picture once it is turned upright."""
    return (size[1], size[0]) if turn >= 5 else size


def _stored(box: tuple[int, int, int, int], size: tuple[int, int], turn: int) -> tuple[int, int, int, int]:
    """Return where a box of the upright picture, in pixels, lies in the picture as it is stored."""
    width, height = size
    left, top, right, bottom = box
    if turn >= 5:  # lying on its side: the upright picture's columns are the stored one's rows
        left, top, right, bottom = top, left, bottom, right
    if turn in (2, 3, 7, 8):
        left, right = width - right, width - left
    if turn in (3, 4, 6, 7):
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def lies_inside(box: Box) -> bool:
    """Return whether a box in fractions lies inside the picture and is not empty; NaN does not."""
    left, top, right, bottom = box
    return 0 <= left < right <= 1 and 0 <= top < bottom <= 1


def _check_box(box: Box) -> None:
    if not lies_inside(box):
        hint = "Give left, top, right, bottom as fractions from 0 to 1, left < right and top < bottom."
        raise BadPicture(f"The crop box {box} lies outside the picture or is empty.", hint)


def _pixels(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Convert fractions to whole pixels, rounding outwards so that at least one pixel is left."""
    (left, top, right, bottom), (width, height) = box, size
    x, y = min(int(left * width), width - 1), min(int(top * height), height - 1)
    return x, y, max(math.ceil(right * width), x + 1), max(math.ceil(bottom * height), y + 1)


def _too_many_bytes(length: int) -> PictureTooLarge:
    problem = f"The picture file has {length / 2**20:,.1f} MiB; the limit is {MAX_FILE_BYTES // 2**20} MiB."
    return PictureTooLarge(problem, "Make the picture smaller or save it as JPEG.")
