"""Write files atomically and durably, and record their length and SHA-256."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from catalog.files.failpoints import failpoint


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a generation: its length in bytes and its SHA-256."""

    bytes: int
    sha256: str


def record(path: Path) -> FileRecord:
    """Length and SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return FileRecord(file.tell(), digest.hexdigest())


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file, then put it in place of `path` in one step that survives a crash."""
    temporary = path.with_name(f".{path.name}.tmp")
    write(temporary)
    sync(temporary)
    failpoint("file.written")
    temporary.replace(path)
    failpoint("file.replaced")
    sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
