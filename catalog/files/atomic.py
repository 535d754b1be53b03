"""Write files atomically and durably, and tell whether a file has changed."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from catalog.files.failpoints import failpoint

PRIVATE = 0o600  # a file mode: the owner alone reads and writes
SHARED = 0o666  # less the process's umask


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a generation: its length in bytes and its SHA-256."""

    bytes: int
    sha256: str


def record(path: Path) -> FileRecord:
    """Return the length and the SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return FileRecord(file.tell(), digest.hexdigest())


def stat_mark(path: Path) -> tuple[int, int, int] | None:
    """Return inode, time of change in ns and size, which differ once `path` was written again; None without a file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a draft, then put it in place of `path` in one step that survives a crash.

    The draft has a fixed name: use it where one process writes at a time, and `draft` elsewhere. An error removes it.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        write(temporary)
        sync(temporary)
        failpoint("file.written")
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    failpoint("file.replaced")
    sync(path.parent)


@contextmanager
def draft(
    path: Path, data: bytes, *, folder: Path | None = None, mode: int = PRIVATE, durable: bool = True
) -> Iterator[Path]:
    """Write `data` to a new file of a unique name, and yield it to the block, which moves it to `path`.

    The draft stands in `folder`, which defaults to the folder of `path` and must be on the same file system. It is
    removed at the end of the block if it is still there. Without `durable`, `data` may be lost when the machine stops.
    """
    temporary = (folder or path.parent) / f".{path.name}.{secrets.token_hex(8)}.tmp"
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
