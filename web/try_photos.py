"""Photos to try: a shop offers them on its front page to shoppers without a photo of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Flask, abort, current_app
from PIL import Image

from catalog import images
from catalog.errors import BadFeed
from catalog.images.crop import load_picture
from catalog.text.labelled_csv import read_labelled_csv
from web.settings import Settings

EXTENSION = "windowshop.try_photos"
PHOTO_SIDE_PX = 320  # pixels a side


@dataclass(frozen=True, slots=True)
class DemoPhoto:
    """One photo to try: its name in URLs, its file, and a description of what it shows."""

    name: str
    file: Path
    shows: str


def read_try_photos(table: Path | None) -> dict[str, DemoPhoto]:
    """Return the photos of a CSV file (photo, shows) by name, in its order; none without a file. Raises BadFeed."""
    if table is None:
        return {}
    photos: dict[str, DemoPhoto] = {}
    for sample in read_labelled_csv(table, ("photo", "shows")):
        file = table.parent / sample.values["photo"]
        if not file.is_file():
            raise BadFeed(
                f"{table.name}:{sample.line}: there is no file {file}.", "Correct the path, or remove the row."
            )
        if file.stem in photos:
            raise BadFeed(
                f"{table.name}:{sample.line}: a second photo has the name {file.stem!r}.", "Rename one of them."
            )
        photos[file.stem] = DemoPhoto(file.stem, file, sample.values["shows"])
    return photos


def init_app(app: Flask, settings: Settings) -> None:
    """Read the photos to try into the app."""
    app.extensions[EXTENSION] = read_try_photos(settings.try_photos)


def try_photos() -> Mapping[str, DemoPhoto]:
    """Return the photos to try, by name."""
    photos: Mapping[str, DemoPhoto] = current_app.extensions[EXTENSION]
    return photos


def get_try_photo(name: str) -> DemoPhoto:
    """Return the photo of that name; abort with 404 when there is none."""
    return try_photos().get(name) or abort(404)


def picture_of(photo: DemoPhoto) -> Image.Image:
    """Decode a photo to try as an upload. Raises BadPicture."""
    return load_picture(photo.file)


@lru_cache(maxsize=64)
def thumbnail_of(photo: DemoPhoto) -> bytes:
    """Re-encode a photo to try as a JPEG of at most SIZE pixels a side. Raises BadPicture."""
    return images.thumbnail(picture_of(photo), PHOTO_SIDE_PX)
