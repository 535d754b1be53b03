"""Remove unused pictures from the shop's own folders: uploaded with single products, or fetched.

A picture is used by the products that show it, by every generation on disk, and by the products that a rollback or the
undo of a job's publication can restore.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.fetching.fetched_store import FetchedPictures
from catalog.files.locks import exclusive_lock
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from catalog.storage.sqlite import open_database
from indexer.generations import store
from indexer.numeric import batches

UPLOADED, FETCHED = ShopHome.pictures.path, ShopHome.fetched.path
MIN_AGE_S = 3_600
BATCH_SIZE = 500  # files removed before waiting writers get the lock
_SELECT_REPLACED = """SELECT DISTINCT json_extract(picture.value, '$[1]')
    FROM publications, json_each(publications.before, '$.pictures') AS picture"""
_FILE_NAME = re.compile(r"([0-9a-f]{64})(\.jpg)?")


@dataclass(frozen=True, slots=True)
class PictureUsage:
    """The pictures of one folder: how many, how many unused, and their bytes."""

    folder: str
    files: int
    bytes: int
    unused: int
    unused_bytes: int


@dataclass(frozen=True, slots=True)
class RemovedPictures:
    """How many pictures were removed, their bytes, and the folders left alone because they were in use."""

    files: int = 0
    bytes: int = 0
    busy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _PictureFile:
    path: Path
    sha256: str
    bytes: int
    changed: float


def picture_usage(home: Path, catalogue: Catalogue) -> list[PictureUsage]:
    """Return the usage of each folder that exists."""
    references, usages = _References(home, catalogue), []
    for name in (UPLOADED, FETCHED):
        if (home / name).is_dir():
            files = list(_picture_files(home / name))
            unused = [file for file in files if references.unused(file)]
            usages.append(PictureUsage(name, len(files), _total_bytes(files), len(unused), _total_bytes(unused)))
    return usages


def remove_unused_pictures(home: Path, catalogue: Catalogue) -> RemovedPictures:
    """Remove the pictures that nothing uses; the caller must hold the build lock, so that generations stay."""
    references, removed, busy = _References(home, catalogue), list[_PictureFile](), []
    for name in (UPLOADED, FETCHED):
        folder = home / name
        if not folder.is_dir():
            continue
        removed_here = []
        for part in batches(filter(references.unused, _picture_files(folder)), BATCH_SIZE):
            with exclusive_lock(folder) as free:
                if not free:
                    busy.append(name)
                    break
                for file in filter(references.still_unused, part):  # under the lock no product can begin to show it
                    file.path.unlink(missing_ok=True)
                    removed_here.append(file)
        if removed_here and name == FETCHED:
            with closing(FetchedPictures(folder)) as fetched:
                fetched.forget(file.sha256 for file in removed_here)
        removed += removed_here
    return RemovedPictures(len(removed), _total_bytes(removed), tuple(busy))


class _References:
    """What uses a picture: the catalogue at the time of the call, the generations as they were at the start."""

    def __init__(self, home: Path, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        hashes = [np.array(sorted(catalogue.history.pictures() | _replaced_pictures(home)), "S64")]
        for number in store.numbers(home):
            with contextlib.suppress(OSError, ValueError):  # nobody rolls back to a damaged generation
                path = ShopHome(home).generation(number) / store.PICTURES_FILE
                hashes.append(np.load(path, allow_pickle=False))
        self._indexed = np.unique(np.concatenate(hashes))

    def unused(self, file: _PictureFile) -> bool:
        """Return whether nothing uses the picture, and the file is at least an hour old."""
        if time.time() - file.changed <= MIN_AGE_S or self._catalogue.picture(file.sha256) is not None:
            return False
        place = np.searchsorted(self._indexed, file.sha256.encode())
        return not np.any(self._indexed[place : place + 1] == file.sha256.encode())

    def still_unused(self, file: _PictureFile) -> bool:
        """Return the same for the file as it is now."""
        try:
            return self.unused(replace(file, changed=file.path.stat().st_mtime))
        except OSError:
            return False


def _replaced_pictures(home: Path) -> set[str]:
    """Return the content hashes of the pictures that publications of bulk jobs replaced."""
    found: set[str] = set()
    for path in ShopHome(home).jobs.glob("*/job.sqlite"):
        # nothing can be taken back of a damaged job, or of one of a version that had no publications
        with contextlib.suppress(sqlite3.Error), closing(open_database(path)) as db:
            found.update(sha256 for (sha256,) in db.execute(_SELECT_REPLACED))
    return found


def _total_bytes(files: Iterable[_PictureFile]) -> int:
    return sum(file.bytes for file in files)


def _picture_files(folder: Path) -> Iterator[_PictureFile]:
    for path in sorted(folder.glob("[0-9a-f][0-9a-f]/*")):
        if name := _FILE_NAME.fullmatch(path.name):
            with contextlib.suppress(OSError):
                status = path.stat()
                yield _PictureFile(path, name[1], status.st_size, status.st_mtime)
