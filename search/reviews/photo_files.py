"""Photos in reviews: re-encoded without metadata before they are stored."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from catalog import images
from catalog.errors import BadPicture
from catalog.reviews.photo_store import PhotoStore

LONGEST_SIDE = 1_600  # pixels
JPEG_QUALITY = 88
MAX_PHOTOS = 4  # of a review


def store_photos(store: PhotoStore, files: Iterable[bytes]) -> tuple[str, ...]:
    """Store picture files as JPEGs of at most LONGEST_SIDE, and return their digests, each once.

    All are decoded before the first is stored. Raises BadPicture and its subclasses, StoreError.
    """
    encoded = dict(map(_encoded, files))
    for sha256, data in encoded.items():
        store.put(sha256, data)
    return tuple(encoded)


def resized_photo(path: Path, size: int) -> bytes:
    """Return a stored photo as a JPEG of at most `size` pixels a side. Raises BadPicture."""
    return images.thumbnail(images.decode(path.read_bytes(), at_least=size), size)


def _encoded(data: bytes) -> tuple[str, bytes]:
    if not data:
        raise BadPicture("A photo is empty (0 bytes).", "Choose another file.")
    picture = images.decode(data, at_least=LONGEST_SIDE)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return images.content_hash(out.getvalue()), out.getvalue()
