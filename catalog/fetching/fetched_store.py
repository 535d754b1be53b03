"""The store of fetched pictures: one file each, named by its content hash, and a table of their web addresses."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from catalog.fetching.http_download import Version
from catalog.files.atomic import SHARED, draft
from catalog.files.locks import shared_lock
from catalog.storage.sqlite import DISK_ERRORS, open_database, store_errors

_DATABASE_FILE = "fetched.sqlite"
_PARTIAL_FOLDER = "partial"
_ABANDONED_SECONDS = 3_600
_TIMEOUT_S = 30.0
_CREATE_FETCHED = """CREATE TABLE IF NOT EXISTS fetched (
    url TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    import_id TEXT NOT NULL) WITHOUT ROWID"""

_SELECT_FETCHED = "SELECT sha256, etag, last_modified, import_id FROM fetched WHERE url = ?"
_DELETE_FETCHED = "DELETE FROM fetched WHERE sha256 IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """A picture on disk, its version by its server's headers, and the import that requested it last."""

    path: Path
    version: Version
    import_id: str


class FetchedPictures:
    """A folder of fetched pictures. While it is open, nobody removes its files.

    A file is written whole or not at all, and before the row that names it. A kill at any moment leaves at worst a
    file that no row names; the picture is then fetched again.
    """

    def __init__(self, folder: Path) -> None:
        """Open the folder, created when absent. Raises StoreError."""
        self._folder = folder.resolve()
        self._lock = threading.Lock()
        with self._checked(), ExitStack() as opened:
            (self._folder / _PARTIAL_FOLDER).mkdir(parents=True, exist_ok=True)
            opened.enter_context(shared_lock(self._folder))
            self._sweep()
            setup = ("PRAGMA synchronous = NORMAL",)
            self._db = open_database(self._folder / _DATABASE_FILE, setup, (_CREATE_FETCHED,), timeout_s=_TIMEOUT_S)
            opened.callback(self._db.close)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Close the table and release the lock, so that others may remove files."""
        with self._lock:
            self._opened.close()

    def find(self, url: str) -> FetchedPicture | None:
        """Return the picture fetched from `url`; None when there is none, or its file is missing or damaged."""
        with self._checked(), self._lock:
            row = self._db.execute(_SELECT_FETCHED, (url,)).fetchone()
        if row is None:
            return None
        sha256, etag, last_modified, import_id = row
        path = self._path(sha256)
        return FetchedPicture(path, Version(etag, last_modified), import_id) if _is_whole(path, sha256) else None

    def confirm(self, url: str, import_id: str) -> None:
        """Record that this import found the picture at `url` unchanged."""
        with self._checked(), self._lock:
            self._db.execute("UPDATE fetched SET import_id = ? WHERE url = ?", (import_id, url))

    def save(self, url: str, data: bytes, version: Version, import_id: str) -> Path:
        """Write a picture's file, unless it exists, then its row; return the file's path."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        with self._checked():
            path.parent.mkdir(exist_ok=True)
            if not _is_whole(path, sha256):  # a new time of change would have the file read again
                with draft(path, data, folder=self._folder / _PARTIAL_FOLDER, mode=SHARED) as written:
                    written.replace(path)
            with self._lock:
                row = (url, sha256, version.etag, version.last_modified, import_id)
                self._db.execute("INSERT OR REPLACE INTO fetched VALUES (?, ?, ?, ?, ?)", row)
        return path

    def forget(self, hashes: Iterable[str]) -> None:
        """Delete the rows of pictures with these content hashes, so that they are fetched again when needed."""
        with self._checked(), self._lock:
            self._db.execute(_DELETE_FETCHED, (json.dumps(list(hashes)),))

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _sweep(self) -> None:
        """Remove drafts that killed imports left; those of imports that run now are younger."""
        for path in (self._folder / _PARTIAL_FOLDER).iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                    path.unlink()

    def _checked(self) -> AbstractContextManager[None]:
        return store_errors(
            f"The folder of fetched pictures {self._folder}",
            "Check its rights and the room on its disk; it may be removed, pictures are then fetched again.",
            errors=DISK_ERRORS,
        )


def _is_whole(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False
