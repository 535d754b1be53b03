"""Decode bytes to an upright RGB picture: allowed formats only, limits before pixels, BadPicture on any failure."""

from __future__ import annotations

import functools
import hashlib
import io
import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageFile, features

from catalog.errors import BadPicture, PictureTooLarge, UnsupportedFormat
from catalog.images.formats import orientation, scrub, sniff, webp_size

MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000
MAX_FILE_BYTES = 50 * 1024 * 1024

Box = tuple[float, float, float, float]

# Pillow's own limit warns from half of where it raises, and a warning cannot be caught in one thread alone.
# `_open` checks the size of every picture instead.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SEND_AGAIN = "Save or send the picture again."


def decode(data: bytes, box: Box | None = None, at_least: int = 0) -> Image.Image:
    """Decode a picture file to RGB: turned upright, alpha on white, first frame, cropped to `box`.

    `box` is (left, top, right, bottom) in fractions of the turned picture. With `at_least`, a big JPEG may come
    back smaller, its short side (of the crop) no less than that many pixels: much faster for phone photos.
    Raises BadPicture, UnsupportedFormat or PictureTooLarge, and nothing else, whatever the bytes.
    """
    if box is not None:
        _check_box(box)
    with _guarded(data) as kind:
        scrubbed, exif = scrub(data, kind)
        with _open(scrubbed, kind) as picture:
            if kind == "JPEG" and at_least > 0:
                share = min(box[2] - box[0], box[3] - box[1]) if box else 1.0
                side = math.ceil(at_least / share)
                picture.draft("RGB", (side, side))
            picture.load()
            rgb = _flatten(picture)
            turn = _TURNS.get(_orientation(picture, exif))
        rgb.info = {}
        upright = rgb.transpose(turn) if turn is not None else rgb
        return upright.crop(_pixels(box, upright.size)) if box else upright


def size_of(data: bytes) -> tuple[int, int]:
    """Return (width, height) of a picture file once it is turned upright, from its header alone.

    Raises as `decode` does; damage beyond the header is not noticed.
    """
    with _guarded(data) as kind:
        scrubbed, exif = scrub(data, kind)
        with _open(scrubbed, kind) as picture:
            width, height = picture.size
            lies_on_its_side = _orientation(picture, exif) >= 5
        return (height, width) if lies_on_its_side else (width, height)


def content_hash(data: bytes) -> str:
    """Return the SHA-256 of a picture file's bytes, in hex: the picture's name everywhere."""
    return hashlib.sha256(data).hexdigest()


def read_file(path: Path) -> bytes:
    """Read a picture file whole; BadPicture when it cannot be read, PictureTooLarge when it is over the limit."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device might never end
            raise BadPicture(f"{path.name} is not a regular file.", "Give the path of a picture file.")
        if status.st_size > MAX_FILE_BYTES:
            raise _too_many_bytes(status.st_size)
        return path.read_bytes()
    except OSError as error:
        raise BadPicture(f"{path.name} cannot be read: {error.strerror}.", "Check the file.") from error
    except ValueError:  # a NUL character, or one that file names here cannot hold
        raise BadPicture(f"{path.name!r} cannot be a file's name.", "Check the name.") from None


def thumbnail(picture: Image.Image, size: int) -> bytes:
    """Return the picture as a JPEG whose longest side is at most `size` pixels, without any metadata."""
    small = picture.convert("RGB")
    small.info = {}
    small.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=3.0)
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


def _open(data: bytes, kind: str) -> ImageFile.ImageFile:
    """Open with the one plugin for `kind`, which reads only the header; refuse a size over the limit."""
    _check_plugin(kind)
    if kind == "WEBP":  # this decoder takes memory for the whole canvas as soon as it opens
        _check_size(webp_size(data) or (1, 1))
    picture = Image.open(io.BytesIO(data), formats=[kind])
    try:
        _check_size(picture.size)
    except BadPicture:
        picture.close()
        raise
    return picture


def _flatten(picture: Image.Image) -> Image.Image:
    """Convert any mode to a new RGB picture; transparent parts become white."""
    if picture.mode.startswith("I"):
        picture = _from_16_bits(picture)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    white = Image.new("RGB", layered.size, (255, 255, 255))
    white.paste(layered, mask=layered)
    return white


def _from_16_bits(picture: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; Pillow's own conversion would clip nearly everything to white."""
    import numpy as np  # here, so that decode workers start twice as fast; few pictures need it

    values = np.asarray(picture)
    grey = Image.fromarray((values >> 8).clip(0, 255).astype(np.uint8))
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return grey


def _orientation(picture: ImageFile.ImageFile, exif: bytes) -> int:
    if picture.format == "HEIF":
        return 1  # libheif has turned it already
    return orientation(exif or picture.info.get("exif") or b"")


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise BadPicture("The picture has no pixels.", _SEND_AGAIN)
    shown = f"The picture has {width:,} x {height:,} pixels"
    hint = "Make it smaller; a long side of 1,000 pixels is plenty."
    if max(size) > MAX_SIDE:
        raise PictureTooLarge(f"{shown}; the limit is {MAX_SIDE:,} a side.", hint)
    if width * height > MAX_PIXELS:
        millions = f"{width * height / 1e6:,.1f} million; the limit is {MAX_PIXELS / 1e6:,.0f} million"
        raise PictureTooLarge(f"{shown}, {millions}.", hint)


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


@functools.cache
def _check_plugin(kind: str) -> None:
    """Raise UnsupportedFormat when this installation has no decoder for the format."""
    if kind == "HEIF":
        try:
            import pillow_heif  # an optional package
        except ModuleNotFoundError as error:
            if error.name != "pillow_heif":
                raise
            hint = "Install it with pip install '.[heif]', or save the picture as JPEG."
            raise UnsupportedFormat("HEIF and HEIC pictures need a package that is not installed.", hint) from None
        pillow_heif.register_heif_opener()
    elif kind in ("WEBP", "AVIF") and not features.check(kind.lower()):
        raise UnsupportedFormat(f"The Pillow installed here cannot read {kind}.", "Save the picture as JPEG or PNG.")


def _too_many_bytes(length: int) -> PictureTooLarge:
    problem = f"The picture file has {length / 2**20:,.1f} MiB; the limit is {MAX_FILE_BYTES // 2**20} MiB."
    return PictureTooLarge(problem, "Make the picture smaller or save it as JPEG.")
