"""Read a folder of pictures as a feed: every picture is a product, its subfolders are the category."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from catalog.errors import BadFeed, BadRow
from catalog.feeds.field_mapping import CONTROLS, checked_id
from catalog.feeds.picture_paths import PictureResolver
from catalog.images.formats import ENDINGS
from catalog.product import CATEGORY_SEPARATOR, Picture, Product, Rejected
from catalog.text.strings import natural_key

_CAMERA_NAME = re.compile(r"(img|image|dsc|dscf|dscn|pxl|photo|pic|picture|screenshot)?[0-9\s]+", re.IGNORECASE)
_HEX = re.compile(r"(?=.*[0-9])[0-9a-f]+", re.IGNORECASE)


def read_folder(root: Path) -> Iterator[Product | Rejected]:
    """Yield a product for every picture under `root`, in natural order; skip hidden files."""
    pictures = PictureResolver(root)
    names: dict[str, str] = {}
    for name, fault in _files(root):
        if fault is not None:
            yield fault
            continue
        stem = os.path.splitext(name)[0]  # noqa: PTH122
        try:
            product = _product(name, stem, pictures)
            if stem in names:
                raise BadRow(f"duplicate id {stem!r}: {names[stem]} has it too")
            names[stem] = name
            yield product
        except BadRow as error:
            yield Rejected(name, 0, error.message, stem)


def _product(name: str, stem: str, pictures: PictureResolver) -> Product:
    path = pictures.find(name)
    *folders, leaf = stem.split("/")
    category = CATEGORY_SEPARATOR.join(folders)
    return Product(checked_id(stem), _title(leaf, folders), (Picture(path),), category, origin=name)


def _title(leaf: str, folders: list[str]) -> str:
    """Return a title from a file name, or from its folder when the name is only a number."""
    words = " ".join(re.split(r"[\s_.\-+]+", leaf)).strip()
    if folders and (not words or _CAMERA_NAME.fullmatch(words) or _HEX.fullmatch(words.replace(" ", ""))):
        words = " ".join(re.split(r"[\s_]+", folders[-1]))
    return words[:1].upper() + words[1:] or leaf


def _files(root: Path) -> Iterator[tuple[str, Rejected | None]]:
    """Yield (name relative to `root`, why it is none or None) of every file; files come before subfolders."""
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as scan:
                shown = (entry for entry in scan if not entry.name.startswith("."))
                entries = sorted(shown, key=lambda entry: natural_key(entry.name))
        except OSError as error:
            if not folder:
                raise BadFeed(f"The folder {root} cannot be read: {error.strerror}.", "Check its rights.") from error
            unread = Rejected(_shown(folder.rstrip("/")), 0, f"the folder cannot be read: {error.strerror}")
            yield folder, unread  # nobody knows which products it lists
            continue
        below = []
        for entry in entries:
            name = folder + entry.name
            if entry.is_dir(follow_symlinks=False):
                below.append(name + "/")
            else:
                fault = _fault(entry)
                yield name, Rejected(_shown(name), 0, fault, lists_product=False) if fault else None
        pending.extend(reversed(below))


def _shown(name: str) -> str:
    return name.encode(errors="replace").decode()


def _fault(entry: os.DirEntry[str]) -> str:
    if os.path.isdir(entry.path):  # noqa: PTH112  # DirEntry.is_dir raises on circular links
        return "a link to a folder, which is not followed"
    if CONTROLS.search(entry.name):
        return "the file name holds control characters or bytes that are not text"
    if not entry.name.lower().endswith(ENDINGS):
        return "not a picture by its name; a feed is read by giving its own path"
    return ""
