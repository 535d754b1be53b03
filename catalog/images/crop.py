"""Compute crops around boxes, and load a picture file or a crop of it."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image

from catalog.images.decoder import Box, decode, read_file, size_of

SHORT_SIDE = 512  # big JPEGs may be decoded smaller, but never below what any encoder looks at
MARGIN_SHARE = 0.1  # share of a box's sides that is added around it


def expand_crop(box: Box, size: tuple[int, int], margin: float = MARGIN_SHARE) -> Box:
    """Return what to cut out of a picture of that width and height for the object in a box, both in fractions.

    The shorter side is half-way lengthened to the longer one, so that the encoder's square does not distort the object,
    and there is a margin (a share of each side) all round. The result ends at the picture's edges.
    """
    left, top, right, bottom = box
    width, height = size
    wide, high = (right - left) * width, (bottom - top) * height
    longer = max(wide, high)
    across, down = 0.5 * (wide + longer) * (0.5 + margin) / width, 0.5 * (high + longer) * (0.5 + margin) / height
    middle, centre = (left + right) / 2, (top + bottom) / 2
    return max(0.0, middle - across), max(0.0, centre - down), min(1.0, middle + across), min(1.0, centre + down)


def crop_picture(picture: Image.Image, box: Box, margin: float = MARGIN_SHARE) -> Image.Image:
    """Cut the object in a box out of a picture; see `expand_crop`."""
    width, height = picture.size
    left, top, right, bottom = expand_crop(box, picture.size, margin)
    return picture.crop((int(left * width), int(top * height), math.ceil(right * width), math.ceil(bottom * height)))


def load_picture(path: Path, box: Box | None = None) -> Image.Image:
    """Load the picture in a file, or what a box of it shows, decoded as shoppers' uploads are. Raises BadPicture."""
    data = read_file(path)
    if box is not None:
        box = expand_crop(box, size_of(data))
    return decode(data, box, at_least=SHORT_SIDE)
