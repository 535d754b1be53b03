"""Which file a feed means by a picture's name; nothing outside the feed's folder is ever looked at."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from catalog.errors import BadRow
from catalog.formats import ENDINGS

_WEB = re.compile(r"https?:", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://|data:|file:", re.IGNORECASE)
_ABSOLUTE = re.compile(r"/|[a-z]:/", re.IGNORECASE)
_REMEMBERED = 10_000


class PictureFolder:
    """The folder a feed lies in, and the pictures in it."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._folders: dict[str, str] = {}

    def find(self, name: str) -> str:
        """Return the absolute path of a picture named in the feed; BadRow when it is absent or lies outside."""
        shown = f"picture {name[:120]!r}"
        if _WEB.match(name):
            raise BadRow(f"{shown} is a web address: fetching is off; download the pictures and give paths")
        if _SCHEME.match(name):
            raise BadRow(f"{shown} is an address, not a path; give a path relative to the feed")
        name = name.replace("\\", "/")
        if _ABSOLUTE.match(name):
            raise BadRow(f"{shown} is an absolute path; give one relative to the feed, within its folder")
        folder, _, leaf = name.rpartition("/")
        try:
            path = f"{self._real_folder(folder)}/{leaf}"
            if leaf in ("", ".", ".."):
                raise BadRow(f"{shown} is a folder")
            self._check_inside(path, shown)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                path = os.path.realpath(path)
                self._check_inside(path, shown)
                mode = os.lstat(path).st_mode
        except (OSError, ValueError):
            raise BadRow(f"{shown} does not exist") from None
        if not stat.S_ISREG(mode):
            raise BadRow(f"{shown} is not a file")
        return path

    def split(self, cell: str) -> list[str]:
        """Split a cell into picture names: at | or ; always, at commas only when each piece looks like a picture."""
        if not any(mark in cell for mark in "|;,") or self._exists(cell):
            return [cell]
        for mark in "|;":
            if mark in cell:
                return [piece for piece in map(str.strip, cell.split(mark)) if piece]
        pieces = [piece for piece in map(str.strip, cell.split(",")) if piece]
        alike = all(piece.lower().endswith(ENDINGS) or self._exists(piece) for piece in pieces)
        return pieces if alike and pieces else [cell]

    def _exists(self, name: str) -> bool:
        try:
            return bool(self.find(name))
        except BadRow:
            return False

    def _real_folder(self, folder: str) -> str:
        """Resolve a folder once: following every link for every picture would take longer than reading the feed."""
        real = self._folders.get(folder)
        if real is None:
            if len(self._folders) >= _REMEMBERED:
                self._folders.clear()
            real = self._folders[folder] = os.path.realpath(os.path.join(self._root, folder))  # noqa: PTH118
        return real

    def _check_inside(self, path: str, shown: str) -> None:
        if not path.startswith(self._root.rstrip("/") + "/"):
            raise BadRow(f"{shown} lies outside the feed's folder")
