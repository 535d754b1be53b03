"""Decode picture files into an encoder's input."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from catalog import images
from catalog.errors import BadPicture
from indexer.encoders.base import Encoder
from indexer.types import Pixels

DECODE_MARGIN = 2  # decode big JPEGs at no less than twice the encoder's input, so that resizing still averages


def prepared_file(path: Path, sha256: str, encoder: Encoder, at_least: int) -> Pixels:
    """Decode a picture file in this process and return the encoder's input.

    Raises BadPicture, also when the file's content has another hash.
    """
    data = images.read_file(path)
    if images.content_hash(data) != sha256:
        raise BadPicture("The picture's file changed after it was catalogued.", "Send the product again.")
    return encoder.prepare(images.decode(data, at_least=at_least))


def decode_side(encoder: Encoder) -> int:
    """Return the fewest pixels a side that a picture may be decoded to for this encoder."""
    return DECODE_MARGIN * input_side(encoder)


def input_side(encoder: Encoder) -> int:
    """Return how many pixels a side the encoder's input has."""
    return int(encoder.prepare(Image.new("RGB", (8, 8))).shape[0])
