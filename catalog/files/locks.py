"""Folders whose files are removed only while nobody is about to use them: users hold a lock together, removers alone.

A file that is written, or found there already, is used only when a product that names it is committed. Whoever asks
the catalogue in between would take it for useless.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"
PATIENCE = 5.0
_PAUSE = 0.02


@contextmanager
def shared_lock(folder: Path) -> Iterator[None]:
    """Keep removers out of a folder, which must be there; any number may use it at once. Raises OSError."""
    with (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def exclusive_lock(folder: Path, seconds: float = PATIENCE) -> Iterator[bool]:
    """Keep users waiting, once there is none; tells whether that came within the time. Raises OSError."""
    until = time.monotonic() + seconds
    with (folder / LOCK).open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < until:
                    time.sleep(_PAUSE)
                    continue
                yield False
                return
            yield True
            return
