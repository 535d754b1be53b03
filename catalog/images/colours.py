"""Convert a picture's colours to sRGB by its ICC profile; a profile that cannot be used is ignored, never an error."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from catalog.images.icc import MAX_PROFILE_BYTES

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

Colour = int | tuple[int, ...]

_CACHED_BYTES = 2**16  # transforms of larger profiles, those for printing, are made for each picture
_HEADER_BYTES = 128
_CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")
_SAME = 2  # of 255: largest difference to sRGB that nobody sees
_WHITE, _BLACK = 192, 128  # white must stay brighter, and black darker, or the profile is damaged
_GREY = ("1", "L", "LA")
_ENDS: dict[str, tuple[Colour, Colour]] = {
    "RGB": ((255, 255, 255), (0, 0, 0)),
    "L": (255, 0),
    "CMYK": ((0, 0, 0, 0), (255, 255, 255, 255)),
}


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Return the picture in sRGB, in mode RGB or RGBA; the picture itself where the profile changes nothing.

    May write into the picture. `profile` is an ICC profile, or b"" for none.
    """
    mode = _input_mode(picture, profile[16:20]) if profile else None
    if mode is None or (transform := _transform_of(profile, mode)) is None:
        return picture
    if mode in ("CMYK", "L"):
        alpha = picture.convert("LA").getchannel("A") if mode == "L" and picture.has_transparency_data else None
        converted = transform.apply(picture.convert(mode))
        if alpha is not None:
            converted.putalpha(alpha)
        return converted
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        alpha = layered.getchannel("A")
        converted = transform.apply_in_place(layered.convert("RGB"))
        converted.putalpha(alpha)
        return converted
    return transform.apply_in_place(picture if picture.mode == "RGB" else picture.convert("RGB"))


def changes_colours(profile: bytes) -> bool:
    """Return whether a profile makes a picture look different from one without: it is sound and not sRGB."""
    mode = {b"RGB ": "RGB", b"CMYK": "CMYK", b"GRAY": "L"}.get(profile[16:20])
    return mode is not None and _transform_of(profile, mode) is not None


def _input_mode(picture: Image.Image, space: bytes) -> str | None:
    """Return the mode that a profile of this colour space is for; None when the picture is of another kind."""
    if space == b"CMYK" or picture.mode == "CMYK":
        return "CMYK" if space == b"CMYK" and picture.mode == "CMYK" else None
    if space == b"GRAY":
        return "L" if picture.mode in _GREY else None
    return "RGB" if space == b"RGB " else None


def _transform_of(profile: bytes, mode: str) -> ImageCmsTransform | None:
    if not _HEADER_BYTES < len(profile) <= MAX_PROFILE_BYTES or profile[12:16] not in _CLASSES:
        return None
    if int.from_bytes(profile[:4], "big") > len(profile):  # cut off; browsers ignore it too
        return None
    return (_cached_transform if len(profile) <= _CACHED_BYTES else _make_transform)(profile, mode)


def _make_transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """Return a transform to sRGB; None when the profile is damaged, or when it is sRGB but for rounding."""
    from PIL import ImageCms  # here, so that decode workers start faster; few pictures need it

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", intent)
        assert isinstance(transform, ImageCms.ImageCmsTransform)
        white, black = (transform.apply(Image.new(mode, (1, 1), colour)) for colour in _ENDS[mode])
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if min(white.tobytes()) < _WHITE or max(black.tobytes()) > _BLACK:
        return None
    if mode == "CMYK":
        return transform
    probe = _probe() if mode == "RGB" else _probe().convert("L")
    change = ImageChops.difference(transform.apply(probe), probe.convert("RGB"))
    return None if max(change.tobytes()) <= _SAME else transform


_cached_transform = functools.lru_cache(maxsize=16)(_make_transform)


@functools.cache
def _probe() -> Image.Image:
    """Return a picture of many colours: a cube of six steps a side, and every grey."""
    steps = range(0, 256, 51)
    colours = [(red, green, blue) for red in steps for green in steps for blue in steps]
    colours += [(grey, grey, grey) for grey in range(256)]
    picture = Image.new("RGB", (len(colours), 1))
    picture.putdata(colours)
    return picture
