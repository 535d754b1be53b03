"""Cache of picture files' content hashes and sizes, so that an unchanged file need not be read again.

A file with the same size and time of change counts as unchanged. A file that changed within seconds of being read is
not stored: a second change could leave the same time.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from catalog.home import ShopHome
from catalog.storage.sqlite import open_database, transaction

UNSURE_NS = 2_000_000_000  # some file systems count time in steps of two seconds
_CREATE_FILES = """CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL) WITHOUT ROWID"""
_DECODING = 1  # raised, here and in the statement, when pictures are decoded otherwise than before
_UPDATE_DECODING = "PRAGMA user_version = 1"
_SELECT_FILES = """SELECT path, bytes, mtime_ns, sha256, width, height FROM files
    WHERE path IN (SELECT value FROM json_each(?))"""
_REMOVE_OTHERS = "DELETE FROM files WHERE path NOT IN (SELECT value FROM json_each(?))"


class FileStat(NamedTuple):
    """A file's size and time of last change."""

    bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Content:
    """Content hash and upright size in pixels of a picture file."""

    sha256: str
    width: int
    height: int


class FileStatCache:
    """One shop's cache of picture files. It can be deleted at any time: files are then read again."""

    def __init__(self, home: Path, readonly: bool = False) -> None:
        self._path = ShopHome(home).file_stats
        self._readonly = readonly
        self._db = self._open()

    def __enter__(self) -> FileStatCache:
        return self

    def __exit__(self, *_: object) -> None:
        if self._db is not None:
            self._db.close()

    def known(self, paths: Sequence[str]) -> dict[str, Content]:
        """Return the content of those files that are unchanged since they were read."""
        if self._db is None:
            return {}
        try:
            rows = self._db.execute(_SELECT_FILES, (json.dumps(list(paths)),)).fetchall()
        except (sqlite3.Error, UnicodeEncodeError):
            return {}
        return {row[0]: Content(*row[3:]) for row in rows if stamp_of(row[0]) == row[1:3]}

    def remember(self, stamps: Mapping[str, FileStat], contents: Mapping[str, Content]) -> None:
        """Store the content of files under the stamps they had before they were read."""
        if self._db is None or self._readonly:
            return
        latest = time.time_ns() - UNSURE_NS
        rows = [
            (path, *stamps[path], content.sha256, content.width, content.height)
            for path, content in contents.items()
            if path in stamps and stamps[path].mtime_ns < latest
        ]
        with contextlib.suppress(sqlite3.Error, UnicodeEncodeError), transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)

    def keep_only(self, paths: Iterable[str]) -> int:
        """Remove every file but these; return how many were removed."""
        if self._db is None:
            return 0
        with transaction(self._db):
            return self._db.execute(_REMOVE_OTHERS, (json.dumps(list(paths)),)).rowcount

    def _open(self) -> sqlite3.Connection | None:
        if self._readonly and not self._path.is_file():
            return None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._connect()
        except sqlite3.DatabaseError:
            if self._readonly:
                return None
        for file in self._path.parent.glob(f"{self._path.name}*"):  # damaged, or no database: files are read again
            file.unlink(missing_ok=True)
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = open_database(self._path, ("PRAGMA synchronous = NORMAL",), () if self._readonly else (_CREATE_FILES,))
        try:
            db.execute("SELECT path FROM files LIMIT 1").fetchall()
            if not self._readonly and db.execute("PRAGMA user_version").fetchone()[0] < _DECODING:
                with transaction(db):  # pictures of these files may look otherwise now: they are read again
                    db.execute("DELETE FROM files")
                    db.execute(_UPDATE_DECODING)
        except BaseException:
            db.close()
            raise
        return db


def stamp_of(path: str) -> FileStat | None:
    """Return a file's stamp; None when it is not a readable regular file."""
    try:
        status = os.stat(path)  # noqa: PTH116  # called for every picture of a feed
    except (OSError, ValueError):
        return None
    return FileStat(status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None
