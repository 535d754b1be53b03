"""Pictures in the shop's own folder that nothing needs any more: those put with single products, and those fetched.

A picture is needed by the products that show it, and by a generation that may be rolled back to: whoever goes back
may want the feed of then as well, and its server may have other pictures by now.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.fetching.fetched_store import FetchedPictures
from catalog.files.locks import exclusive_lock
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.generations import store
from indexer.numeric import batches

PUT, FETCHED = ShopHome(Path()).pictures.name, ShopHome(Path()).fetched.name
FOLDERS = (PUT, FETCHED)
YOUNG_SECONDS = 3_600
BATCH = 500  # files removed before those who wait to write have their turn
_NAME = re.compile(r"([0-9a-f]{64})(\.jpg)?")


@dataclass(frozen=True, slots=True)
class PictureUsage:
    """The pictures of one folder, how many of them nothing needs, and their bytes."""

    folder: str
    files: int
    bytes: int
    unused: int
    unused_bytes: int


@dataclass(frozen=True, slots=True)
class RemovedPictures:
    """How many pictures were removed, their bytes, and the folders that were in use and so left as they are."""

    files: int = 0
    bytes: int = 0
    busy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    sha256: str
    bytes: int
    changed: float


def picture_stock(home: Path, catalogue: Catalogue) -> list[PictureUsage]:
    """What lies in each of the folders that there are."""
    needs, stocks = _Needs(home, catalogue), []
    for name in FOLDERS:
        if (home / name).is_dir():
            found = list(_files(home / name))
            unused = [each for each in found if needs.nobody(each)]
            sizes = [sum(each.bytes for each in some) for some in (found, unused)]
            stocks.append(PictureUsage(name, len(found), sizes[0], len(unused), sizes[1]))
    return stocks


def sweep_pictures(home: Path, catalogue: Catalogue) -> RemovedPictures:
    """Remove the pictures that nothing needs; the caller keeps other builds out, so that generations stay."""
    needs, files, removed, busy = _Needs(home, catalogue), 0, 0, []
    for name in FOLDERS:
        folder = home / name
        if not folder.is_dir():
            continue
        gone = []
        for part in batches((each for each in _files(folder) if needs.nobody(each)), BATCH):
            with exclusive_lock(folder) as free:
                if not free:
                    busy.append(name)
                    break
                for each in filter(needs.nobody_still, part):  # asked again: now no product is about to show it
                    each.path.unlink(missing_ok=True)
                    gone.append(each)
        if gone and name == FETCHED:
            with closing(FetchedPictures(folder)) as kept:
                kept.forget(each.sha256 for each in gone)
        files, removed = files + len(gone), removed + sum(each.bytes for each in gone)
    return RemovedPictures(files, removed, tuple(busy))


class _Needs:
    """Who needs a picture: the catalogue as it is when asked, the generations as they were at the start."""

    def __init__(self, home: Path, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._indexed: list[NDArray[np.bytes_]] = []
        for number in store.numbers(home):
            with contextlib.suppress(OSError, ValueError):  # a damaged generation is not rolled back to
                path = store.folder_of(home, number) / store.PICTURES
                self._indexed.append(np.unique(np.load(path, allow_pickle=False)))

    def nobody(self, file: _Found) -> bool:
        """Whether nothing needs the picture, and it has been there for a while."""
        return time.time() - file.changed > YOUNG_SECONDS and self._unknown(file.sha256)

    def nobody_still(self, file: _Found) -> bool:
        """As `nobody`, of the file as it is now."""
        try:
            status = file.path.stat()
        except OSError:
            return False
        return time.time() - status.st_mtime > YOUNG_SECONDS and self._unknown(file.sha256)

    def _unknown(self, sha256: str) -> bool:
        return self._catalogue.picture(sha256) is None and not any(_holds(each, sha256) for each in self._indexed)


def _holds(hashes: NDArray[np.bytes_], sha256: str) -> bool:
    place = int(np.searchsorted(hashes, sha256.encode()))
    return place < len(hashes) and bool(hashes[place] == sha256.encode())


def _files(folder: Path) -> Iterator[_Found]:
    for path in sorted(folder.glob("[0-9a-f][0-9a-f]/*")):
        if name := _NAME.fullmatch(path.name):
            with contextlib.suppress(OSError):
                status = path.stat()
                yield _Found(path, name[1], status.st_size, status.st_mtime)
