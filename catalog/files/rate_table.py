"""Token buckets in a file that several server processes map: who may do how much is then one count for all of them.

The rule is the "generic cell rate algorithm" (ITU-T I.371), which equals a token bucket and stores one number a caller:
the time at which the caller's bucket is full again. The file has a fixed size, so a caller that was not seen for
longest gives way to a new one. Callers are hashes under a key at the end of the file: nobody can read addresses in it.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import secrets
import struct
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

SETS = 8_192
WAYS = 8  # places of a set, one of which a caller's hash may have
MAX_CALLERS = SETS * WAYS
_ENTRY = struct.Struct("<Qd")  # the caller's hash, and the time at which its bucket is full, in seconds since 1970
_SET_BYTES = WAYS * _ENTRY.size
TABLE_BYTES = SETS * _SET_BYTES
_KEY_BYTES = 32
_FILE_BYTES = TABLE_BYTES + _KEY_BYTES

log = logging.getLogger(__name__)


class RateTable:
    """The buckets of at most MAX_CALLERS callers, in memory alone or in a file. Threads and processes share it."""

    def __init__(self, path: Path | None = None) -> None:
        """Map the file `path`, made when absent; use memory where none is given, or where it cannot be used."""
        self._lock = threading.Lock()
        self._file: int | None = None
        if path is not None:
            try:
                self._file = _opened(path)
                weakref.finalize(self, os.close, self._file)
            except OSError as error:
                log.warning("Limits are counted by this process alone: %s cannot be used (%s)", path, error)
        self._map = mmap.mmap(-1 if self._file is None else self._file, _FILE_BYTES)
        with self._alone():
            if not any(self._map[TABLE_BYTES:]):
                self._map[TABLE_BYTES:] = secrets.token_bytes(_KEY_BYTES)
            self._key = self._map[TABLE_BYTES:]

    def take(self, caller: str, interval: float, burst: float, now: float | None = None) -> float:
        """Take a token and return 0, or return the seconds until the caller's next token.

        A token comes back every `interval` seconds, and `burst` tokens can be taken at once.
        """
        mark = int.from_bytes(blake2b(caller.encode(errors="replace"), key=self._key, digest_size=8).digest(), "little")
        start = mark % SETS * _SET_BYTES
        now = time.time() if now is None else now
        with self._alone():
            held = list(_ENTRY.iter_unpack(self._map[start : start + _SET_BYTES]))
            places = [place for place, (stored, _) in enumerate(held) if stored == mark]
            place = places[0] if places else min(range(WAYS), key=lambda place: held[place][1])
            full_at = held[place][1] if places else now
            if not now <= full_at <= now + (burst + 1) * interval:  # full, or of before the clock was set back
                full_at = now
            wait = full_at - now - (burst - 1) * interval
            if wait > 0:
                return wait
            _ENTRY.pack_into(self._map, start + place * _ENTRY.size, mark, full_at + interval)
        return 0.0

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the table: a lock of the file's is shared by all threads of a process, so it takes two."""
        with self._lock:
            if self._file is None:
                yield
                return
            fcntl.flock(self._file, fcntl.LOCK_EX)  # a process that dies gives it back
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)


def _opened(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size < _FILE_BYTES:
            os.ftruncate(descriptor, _FILE_BYTES)
    except OSError:
        with suppress(OSError):
            os.close(descriptor)
        raise
    return descriptor
