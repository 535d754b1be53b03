"""Numbered, immutable folders, of which a pointer file names the current one.

A folder is filled under a hidden name, synced, given its number, and then the pointer moves: a crash between any two
steps leaves the old version or the new one current, never a mixture. What a folder holds, and its manifest, is the
caller's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.files.atomic import FileRecord, record, sync, write_atomically
from catalog.files.failpoints import failpoint

BUILDING_PREFIX = ".building-"
MAX_READERS = 4  # files that are read at once to be checked
LARGE_BYTES = 1 << 20  # of a smaller file the digest takes less time than to hand it to another thread
_NUMBER = re.compile(r"\d{6,}")


@dataclass(frozen=True, slots=True)
class VersionFolders:
    """The numbered folders in `folder`; the file `pointer` has the number of the current one.

    `retained` versions stay on disk, from the current one back.
    """

    folder: Path
    pointer: Path
    retained: int

    def path(self, number: int) -> Path:
        """Return the folder of one version."""
        return self.folder / f"{number:06d}"

    def numbers(self) -> list[int]:
        """Return the numbers of the versions on disk, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(int(path.name) for path in self.folder.iterdir() if _NUMBER.fullmatch(path.name))

    def current(self) -> int:
        """Return the number in the pointer. Raises OSError when it cannot be read, ValueError when it has no number."""
        text = self.pointer.read_text(encoding="ascii").strip()
        if not _NUMBER.fullmatch(text):
            raise ValueError("it does not hold a version's number")
        return int(text)

    def current_or_none(self) -> int | None:
        """Return the number in the pointer; None when there is none that can be read."""
        with contextlib.suppress(OSError, ValueError):
            return self.current()
        return None

    def begin(self) -> tuple[int, Path]:
        """Return the next number and an empty folder to fill; remove what an interrupted one left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.remove_unfinished()
        number = max([*self.numbers(), self.current_or_none() or 0]) + 1
        building = self._building(number)
        building.mkdir()
        return number, building

    def exists(self, number: int) -> bool:
        """Return whether a version is on the disk, under its number or still hidden."""
        return self.path(number).is_dir() or self._building(number).is_dir()

    def remove_unfinished(self) -> None:
        """Remove versions that were begun and not finished."""
        for leftover in self.folder.glob(f"{BUILDING_PREFIX}*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def finalise(self, number: int) -> None:
        """Give a filled folder its final name, unless it has it."""
        final = self.path(number)
        if not final.exists():
            self._building(number).rename(final)
            failpoint("adopt.renamed")
            sync(self.folder)

    def move_pointer(self, number: int) -> None:
        """Make a version current, and remove none."""
        write_atomically(self.pointer, lambda path: path.write_text(f"{number:06d}\n"))
        failpoint("pointer.moved")

    def make_current(self, number: int) -> None:
        """Move the pointer to a version, and remove those that are too old.

        Versions between the former current one and a newer one were rolled back from: they are removed as well.
        """
        former = self.current_or_none() or number
        self.move_pointer(number)
        for withdrawn in [other for other in self.numbers() if former < other < number]:
            self.drop(withdrawn)
        self.prune()
        failpoint("pointer.pruned")

    def prune(self) -> None:
        """Remove the versions that are older than those to be retained."""
        current = self.current()
        for number in [number for number in self.numbers() if number <= current][: -self.retained]:
            self.drop(number)
            failpoint("prune.dropped")

    def drop(self, number: int) -> None:
        """Remove a version; rename it first, so that half of one is never opened."""
        folder = self.path(number)
        removed = folder.with_name(f"{BUILDING_PREFIX}{folder.name}-gone")
        shutil.rmtree(removed, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.rename(removed)
        shutil.rmtree(removed, ignore_errors=True)

    def _building(self, number: int) -> Path:
        return self.folder / f"{BUILDING_PREFIX}{number:06d}"


def seal(building: Path, files: Mapping[str, FileRecord], manifest_name: str, manifest: str) -> None:
    """Sync every file of a folder to the disk, then write the manifest, which lists them, last of all."""
    for name in files:
        sync(building / name)
    failpoint("seal.files-synced")
    write_atomically(building / manifest_name, lambda path: path.write_text(manifest))
    failpoint("seal.manifest-written")


def records(folder: Path) -> dict[str, FileRecord]:
    """Return length and SHA-256 of every file in a folder and those below it, by its path in it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): record(path) for path in paths}


def damage(folder: Path, files: Mapping[str, FileRecord]) -> tuple[Path, str] | None:
    """Return the first file that differs from its record, and in what; None when all are whole.

    Large files are read side by side: the digest of one runs at 1.5 GB/s, and an index of a million products has three.
    """
    large = sorted((name for name in files if files[name].bytes >= LARGE_BYTES), key=lambda name: -files[name].bytes)
    small = [name for name in files if files[name].bytes < LARGE_BYTES]
    found = {name: _difference(folder / name, files[name]) for name in small}
    if large:
        with ThreadPoolExecutor(MAX_READERS) as readers:
            reasons = readers.map(lambda name: _difference(folder / name, files[name]), large)
            found.update(zip(large, reasons, strict=True))
    return next(((folder / name, found[name]) for name in files if found[name]), None)


def _difference(path: Path, expected: FileRecord) -> str:
    """Return in what a file differs from its record; "" when it is whole."""
    try:
        size = path.stat().st_size
        if size != expected.bytes:
            return f"it has {size:,} bytes where the manifest says {expected.bytes:,}"
        if record(path).sha256 != expected.sha256:
            return "its SHA-256 is not the one in the manifest"
    except OSError as error:
        return f"it cannot be read ({error})"
    return ""


def json_digest(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of JSON values, so that a manifest can hold a digest of itself."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
