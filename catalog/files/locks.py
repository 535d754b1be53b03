"""Advisory file locks (flock) between processes, and between threads that open the lock file themselves.

Folders of pictures have users and removers. A file that is written, or found there already, is named by the catalogue
only once its product is committed; until then a remover would take it for unused. Users therefore hold the folder's
lock together, and a remover holds it alone.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

LOCK = ".lock"
DEFAULT_TIMEOUT_S = 5.0
_RETRY_S = 0.02


@contextmanager
def shared_lock(folder: Path) -> Iterator[None]:
    """Hold a shared lock on `folder` so that pruning cannot delete its files. Raises OSError without the folder."""
    with (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def exclusive_lock(folder: Path, timeout_s: float = DEFAULT_TIMEOUT_S) -> AbstractContextManager[bool]:
    """Hold an exclusive lock on `folder`; yields False when others held it for `timeout_s`. Raises OSError."""
    return locked_file(folder / LOCK, timeout_s)


@contextmanager
def locked_file(path: Path, timeout_s: float = 0.0) -> Iterator[bool]:
    """Hold an exclusive lock on the file `path`, made when absent; yields False when others held it for `timeout_s`.

    `math.inf` waits without limit. Raises OSError.
    """
    with path.open("a") as lock:
        deadline = time.monotonic() + timeout_s
        while not (free := lock_now(lock.fileno())) and time.monotonic() < deadline:
            time.sleep(_RETRY_S)
        yield free


def lock_now(descriptor: int) -> bool:
    """Lock an open file exclusively until it is closed; False when another holds its lock. Raises OSError."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
