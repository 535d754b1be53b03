"""Thumbnails: small JPEGs without metadata, cached on disk after the first request."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from PIL import Image

from catalog import images
from catalog.errors import BadPicture, BadQuery, UnknownProduct
from catalog.files.atomic import draft
from catalog.storage.catalogue import Catalogue

MIN_SIZE = 64  # pixels
MAX_SIZE = 1280  # as large as a dense screen shows a picture that was enlarged
SIZE_STEP = 64  # sizes are rounded down to it, so that requests for every size cannot fill the disk
COLOURS = "srgb"  # folder of thumbnails in these colours; an earlier version wrote to the folder above it
SHA256 = re.compile(r"[0-9a-f]{64}")


class Thumbnails:
    """The thumbnails of a catalogue's pictures, cached in a folder; each file appears whole or not at all."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        self._catalogue = catalogue
        self._folder = folder

    def get(self, sha256: str, size: int) -> bytes:
        """Return a JPEG whose longest side is at most `size` pixels. Raises UnknownProduct, BadQuery, BadPicture."""
        if not MIN_SIZE <= size <= MAX_SIZE:
            hint = f"Ask for {MIN_SIZE} to {MAX_SIZE} pixels, such as 320."
            raise BadQuery(f"A thumbnail of {size} pixels is not offered.", hint)
        picture = self._catalogue.picture(sha256) if SHA256.fullmatch(sha256) else None
        if picture is None:
            raise UnknownProduct("No product has that picture.", "Take the picture's hash from a search hit.")
        size -= size % SIZE_STEP
        path = self._folder / COLOURS / sha256[:2] / f"{sha256}-{size}.jpg"
        try:
            return path.read_bytes()
        except OSError:
            try:
                data = images.thumbnail(self._original(Path(picture.path), sha256, size), size)
            except UnknownProduct:
                with contextlib.suppress(OSError):  # better in other colours than not at all
                    return (self._folder / sha256[:2] / path.name).read_bytes()
                raise
        with contextlib.suppress(OSError):  # a full disk costs speed, not the picture
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft(path, data, durable=False) as temporary:
                temporary.replace(path)
        return data

    def _original(self, path: Path, sha256: str, size: int) -> Image.Image:
        try:
            data = images.read_file(path)
        except BadPicture as error:
            raise _gone("is no longer where it was when the shop was indexed") from error
        if images.content_hash(data) != sha256:
            raise _gone("has changed since the shop was indexed")
        return images.decode(data, at_least=size)


def _gone(reason: str) -> UnknownProduct:
    return UnknownProduct(f"The file of that picture {reason}.", "Index the shop again.")
