"""Open and load picture files with the one decoder of their format, within limits of size and memory."""

from __future__ import annotations

import functools

from PIL import Image, ImageFile, features

from catalog.errors import BadPicture, PictureTooLarge, UnsupportedFormat
from catalog.images import limits
from catalog.images.colours import to_srgb
from catalog.images.formats import webp_size
from catalog.images.jpeg import PROGRESSIVE, JpegFile, Piece, read_jpeg, truncated
from catalog.images.jpeg_end import pieces_to_end
from catalog.images.metadata import Stripped, open_pieces, orientation, strip

# Pillow's own limit warns from half of where it raises, and a warning cannot be caught in one thread alone.
# `open_picture` checks the size of every picture instead.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False

_STRIP_PIXELS = 2**20


def open_picture(pieces: tuple[Piece, ...], kind: str) -> ImageFile.ImageFile:
    """Open with the one plugin for `kind`, which reads only the header; refuse a size over the limit."""
    _check_plugin(kind)
    if kind == "WEBP":  # this decoder takes memory for the whole canvas as soon as it opens
        limits.check_size(webp_size(bytes(pieces[0][:64])) or (1, 1), kind)
    picture = Image.open(open_pieces(pieces), formats=[kind])
    try:
        limits.check_size(picture.size, kind)
    except BadPicture:
        picture.close()
        raise
    return picture


def load_jpeg(data: bytes, side: int) -> tuple[Image.Image, int]:
    """Return a JPEG in RGB, its short side at least `side` where it has so many pixels, and its orientation.

    Above the limits of memory it comes smaller.
    """
    file = read_jpeg(data)
    if file.frame is not None:
        limits.check_size((file.frame.width, file.frame.height), "JPEG")
    if not file.could_hold(len(data)):
        raise truncated()
    with open_picture(pieces_to_end(data, file), "JPEG") as opened:
        coefficients = file.coefficient_bytes(data)
        if coefficients > limits.MAX_COEFFICIENT_BYTES:
            with limits.one_at_a_time(True):
                picture: Image.Image = _load_eighth(data, file)
        else:
            size, factor = opened.size, limits.reduction(opened.size, limits.MAX_DECODED_PIXELS)
            if side or factor > 1:
                wanted = [min(side or length, max(1, length // factor)) for length in size]
                opened.draft("RGB", (wanted[0], wanted[1]))
            with limits.one_at_a_time(limits.is_big(opened.size) or coefficients > limits.BIG_COEFFICIENT_BYTES):
                opened.load()
            picture = opened
        return _flatten(to_srgb(picture, file.profile)), orientation(file.exif)


def _load_eighth(data: bytes, file: JpegFile) -> Image.Image:
    if file.frame is None or file.frame.marker != PROGRESSIVE:
        problem = "The picture is too large for a JPEG of its kind, which is decoded in several passes"
        raise PictureTooLarge(f"{problem}.", "Save it again as an ordinary JPEG.")
    from catalog.images.progressive import decode_eighth  # NumPy: decode workers start faster without it

    return decode_eighth(data, file)


def load_other(data: bytes, kind: str, side: int) -> tuple[Image.Image, int]:
    """Return a picture of any other format in RGB, and its orientation; a big one smaller, but for `side`."""
    stripped = strip(data, kind)
    if kind == "WEBP":
        claimed = webp_size(data) or (1, 1)
    else:
        with open_picture(stripped.pieces, kind) as opened:
            claimed = opened.size
    with limits.one_at_a_time(limits.is_big(claimed)):
        return _load_whole(stripped, kind, side)  # its memory is free again when the next picture begins


def _load_whole(stripped: Stripped, kind: str, side: int) -> tuple[Image.Image, int]:
    with open_picture(stripped.pieces, kind) as opened:
        opened.load()
        turn, profile = turn_of(opened, stripped.exif), profile_of(opened, stripped)
        if not limits.is_big(opened.size):
            return _flatten(to_srgb(_simple(opened), profile)), turn
        return _flatten_by_strips(opened, profile, max(1, min(opened.size) // side if side else 1)), turn


def profile_of(picture: Image.Image, stripped: Stripped) -> bytes:
    """Return the picture's ICC profile: the one that its decoder found, else what its header says in other ways."""
    found = picture.info.get("icc_profile")
    return found if isinstance(found, bytes) and found else stripped.profile


def _simple(picture: Image.Image) -> Image.Image:
    """Return a picture of 8 bits a channel, without a palette: in mode L, LA, RGB or RGBA."""
    if picture.mode.startswith("I"):
        return _from_16_bits(picture)
    if picture.mode in ("1", "P", "PA"):
        plain = "L" if picture.mode == "1" else "RGB"
        return picture.convert("RGBA" if picture.has_transparency_data else plain)
    return picture


def _flatten(picture: Image.Image) -> Image.Image:
    """Convert any mode to a new RGB picture; transparent parts become white."""
    if not picture.has_transparency_data:
        # `convert` would copy an RGB picture; this one shares its pixels.
        return picture._new(picture.im) if picture.mode == "RGB" else picture.convert("RGB")
    layered = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    white = Image.new("RGB", layered.size, (255, 255, 255))
    white.paste(layered, mask=layered)
    return white


def _flatten_by_strips(picture: Image.Image, profile: bytes, factor: int) -> Image.Image:
    """Return a big picture in RGB, averaged down by a factor, without a second copy of all its pixels on the way."""
    if factor == 1 and picture.mode == "RGB" and not picture.has_transparency_data:
        return _flatten(to_srgb(picture, profile))
    width, height = picture.size
    rows = max(1, _STRIP_PIXELS // (width * factor)) * factor
    flat = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, rows):
        part = _simple(picture.crop((0, top, width, min(top + rows, height))))
        if factor > 1:
            part = part.reduce(factor)
        flat.paste(_flatten(to_srgb(part, profile)), (0, top // factor))
    return flat


def _from_16_bits(picture: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; Pillow's own conversion would clip nearly everything to white."""
    import numpy as np  # here, so that decode workers start twice as fast; few pictures need it

    values = np.asarray(picture)
    grey = Image.fromarray((values >> 8).clip(0, 255).astype(np.uint8))
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return grey


def turn_of(picture: ImageFile.ImageFile, exif: bytes) -> int:
    """Return the orientation of an opened picture, 1 to 8."""
    if picture.format == "HEIF":
        return 1  # libheif has turned it already
    return orientation(exif or picture.info.get("exif") or b"")


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
