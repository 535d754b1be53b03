"""Photos that a shop offers on its front page, so that the search can be tried without one of one's own."""

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

KEY = "windowshop.try_photos"
SIZE = 320


@dataclass(frozen=True, slots=True)
class DemoPhoto:
    """One photo to try: its name in addresses, its file, and in words what it shows."""

    name: str
    file: Path
    shows: str


def read_try_photos(table: Path | None) -> dict[str, DemoPhoto]:
    """The photos of a CSV file (photo, shows) by name, in its order; none without a file. Raises BadFeed."""
    if table is None:
        return {}
    photos: dict[str, DemoPhoto] = {}
    for sample in read_labelled_csv(table, ("photo", "shows")):
        file = table.parent / sample.values["photo"]
        if not file.is_file():
            raise BadFeed(f"{table.name}:{sample.line}: there is no file {file}.", "Correct the path, or leave it out.")
        if file.stem in photos:
            raise BadFeed(f"{table.name}:{sample.line}: a second photo is called {file.stem!r}.", "Rename one of them.")
        photos[file.stem] = DemoPhoto(file.stem, file, sample.values["shows"])
    return photos


def init_app(app: Flask, settings: Settings) -> None:
    """Read which photos the shop offers."""
    app.extensions[KEY] = read_try_photos(settings.try_photos)


def try_photos() -> Mapping[str, DemoPhoto]:
    """The photos that this shop offers, by name."""
    photos: Mapping[str, DemoPhoto] = current_app.extensions[KEY]
    return photos


def get_try_photo(name: str) -> DemoPhoto:
    """The photo of that name; answers 404 when there is none."""
    return try_photos().get(name) or abort(404)


def picture_of(photo: DemoPhoto) -> Image.Image:
    """The photo decoded as an upload would be. Raises BadPicture."""
    return load_picture(photo.file)


@lru_cache(maxsize=64)
def thumbnail_of(photo: DemoPhoto) -> bytes:
    """The photo re-encoded by us as a JPEG of at most 320 pixels a side. Raises BadPicture."""
    return images.thumbnail(picture_of(photo), SIZE)
