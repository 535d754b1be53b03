"""Resolve the picture names of a feed to files, without a look at anything outside the feed's folder."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import BadInput, BadRow
from catalog.feeds.picture_names import FolderNames, unescaped
from catalog.images.formats import ENDINGS

if TYPE_CHECKING:
    from catalog.fetching.fetcher import PictureFetcher

_WEB = re.compile(r"https?:", re.IGNORECASE)
# An address may hold commas and semicolons itself; they separate only where the next address begins.
_NEXT_ADDRESS = re.compile(r"(?<![\s,;])[\s,;]+(?=https?:)", re.IGNORECASE)
# "//cdn.example/1.jpg", an address without its scheme; a host without a point is a share of a local network.
_NO_SCHEME = re.compile(r"(?:(?<=[\s,;|])|^)//(?=[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?/)", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://|data:|file:", re.IGNORECASE)
_ABSOLUTE = re.compile(r"/|[a-z]:/", re.IGNORECASE)
_MARKS = "|;,"  # between names; the first that a cell has counts
_MAX_PATH = 4_000  # characters
_MAX_CACHED = 10_000  # folders
_MAX_CACHED_PATH = 500  # characters


class PictureResolver:
    """Finds the pictures that a feed names: in the feed's folder and, with a fetcher, by web address.

    `unsettled` is set where names may mean other files tomorrow: a link led to one, or another file was not there.
    Whoever asks for it resets it before. It is not set by a cell of several names, which `is_one_file` may become.
    """

    def __init__(self, root: Path, fetcher: PictureFetcher | None = None) -> None:
        self._root = os.path.realpath(root)
        self._folders: dict[str, str] = {}
        self._names = FolderNames()
        self._fetcher = fetcher
        self._linked: set[str] = set()  # folders in `_folders` that were reached by a link
        self.unsettled = False

    def find(self, name: str) -> str:
        """Return the absolute path of a picture named in the feed. Raises BadRow when it is missing or outside."""
        if not _WEB.match(name):
            return self._find_file(name)
        if self._fetcher is None:
            hint = "download the pictures and give paths, or switch fetching on with --fetch-pictures"
            raise BadRow(f"picture {name[:120]!r} is a web address: fetching is off; {hint}")
        try:
            return str(self._fetcher.fetch(name))
        except BadInput as error:
            raise BadRow(str(error)) from None

    def why_stale(self, name: str) -> str:
        """Return why a picture that was found is from an earlier import; "" when it is the newest."""
        return self._fetcher.why_stale(name) if self._fetcher is not None and _WEB.match(name) else ""

    def _find_file(self, name: str) -> str:
        shown = f"picture {name[:120]!r}"
        if _SCHEME.match(name):
            raise BadRow(f"{shown} is an address, not a path; give a path relative to the feed")
        name = name.replace("\\", "/")
        if _ABSOLUTE.match(name):
            raise BadRow(f"{shown} is an absolute path; give one relative to the feed, within its folder")
        if len(name) > _MAX_PATH:
            raise BadRow(f"{shown} does not exist: its name is longer than any path")
        if ".." in name and os.path.normpath(name).split("/", 1)[0] == "..":
            raise BadRow(f"{shown} lies outside the feed's folder")  # decided without a look at the file system
        path = self._existing(name, shown)
        if not path:
            self.unsettled = True
            if other := self._other_spelling(name, shown):
                path = self._existing(other, shown)
        if not path:
            raise BadRow(f"{shown} does not exist")
        return path

    def _existing(self, name: str, shown: str) -> str:
        """Return the path of a file in the folder, "" when there is none. Raises BadRow for what is no file inside."""
        folder, _, leaf = name.rpartition("/")
        try:
            path = f"{self._real_folder(folder)}/{leaf}"
            if leaf in ("", ".", ".."):
                raise BadRow(f"{shown} is a folder")
            self._check_inside(path, shown)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                self.unsettled = True
                path = os.path.realpath(path)
                self._check_inside(path, shown)
                mode = os.lstat(path).st_mode
        except (OSError, ValueError):
            return ""
        if not stat.S_ISREG(mode):
            raise BadRow(f"{shown} is not a file")
        return path

    def _other_spelling(self, name: str, shown: str) -> str:
        """Return the name of the one file that `name` means by another spelling; "" without one.

        Raises BadRow when there are several.
        """
        for spelling in (name, *unescaped(name)):
            parts = [part for part in spelling.replace("\\", "/").split("/") if part not in ("", ".")]
            if ".." not in parts and "\0" not in spelling and len(spelling) <= _MAX_PATH:
                found = self._walk(parts, shown)
                if found:
                    return found
        return ""

    def _walk(self, parts: list[str], shown: str) -> str:
        """Return the path of these parts as the folders spell them, "" when one of them has none."""
        found = ""
        for part in parts:
            folder = self._real_folder(found)
            self._check_inside(f"{folder}/", shown)
            name = part
            if not os.path.lexists(f"{folder}/{part}"):
                names = self._names.alike(folder, part)
                if len(names) > 1:
                    alike = " and ".join(repr(other[:120]) for other in sorted(names)[:3])
                    raise BadRow(f"{shown} does not exist, and {alike} are spelled alike; name one of them")
                if not names:
                    return ""
                name = names[0]
            found = f"{found}/{name}" if found else name
        return found

    def split(self, cell: str) -> list[str]:
        """Split a cell into picture names: at lines, | and ; always, at commas only when each piece looks like one."""
        if "\n" in cell or "\r" in cell:
            return [piece for line in cell.splitlines() if line.strip() for piece in self.split(line.strip())]
        if "//" in cell:
            cell = _NO_SCHEME.sub("https://", cell)
        if ":" in cell and (_WEB.match(cell) or _NEXT_ADDRESS.search(cell)):
            pieces = [piece.strip(" ,;") for part in cell.split("|") for piece in _NEXT_ADDRESS.split(part.strip())]
            return [piece for piece in pieces if piece]
        mark = next((mark for mark in _MARKS if mark in cell), "")
        if not mark or self._exists(cell):
            return [cell]
        pieces = [piece for piece in map(str.strip, cell.split(mark)) if piece]
        if mark != "," or (pieces and all(piece.lower().endswith(ENDINGS) or self._exists(piece) for piece in pieces)):
            return pieces
        return [cell]

    def is_one_file(self, cell: str) -> bool:
        """Tell whether a cell, or a line of it, that has marks between names is itself the name of a file."""
        return any(self._exists(line.strip()) for line in cell.splitlines() if any(mark in line for mark in _MARKS))

    def _exists(self, name: str) -> bool:
        before = self.unsettled
        try:
            return bool(self._find_file(name))
        except BadRow:
            self.unsettled = before  # where the row is recognised, `is_one_file` looks again
            return False

    def _real_folder(self, folder: str) -> str:
        """Resolve a folder once: doing so for every picture would take longer than reading the feed."""
        real = self._folders.get(folder)
        if real is None:
            if len(self._folders) >= _MAX_CACHED:
                self._folders.clear()
                self._linked.clear()
            named = os.path.join(self._root, folder) if folder else self._root  # noqa: PTH118
            real = os.path.realpath(named)
            is_linked = real != os.path.normpath(named)
            if len(folder) <= _MAX_CACHED_PATH:
                self._folders[folder] = real
                if is_linked:
                    self._linked.add(folder)
        else:
            is_linked = folder in self._linked
        self.unsettled |= is_linked
        return real

    def _check_inside(self, path: str, shown: str) -> None:
        if not path.startswith(self._root.rstrip("/") + "/"):
            raise BadRow(f"{shown} lies outside the feed's folder")
