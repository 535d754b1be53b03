"""What was encoded before: content hash -> vector, on disk, one file for each encoder and kind of input.

A record is [SHA-256 of the content | float32 numbers | CRC-32 of both], appended and never changed. A tail torn by
a crash is cut when the file is opened; a record whose checksum is wrong is as good as absent and is encoded again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import struct
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from catalog.errors import GenerationError
from catalog.files.failpoints import failpoint
from indexer.numeric import chunks
from indexer.types import Floats

FOLDER = "cache"
PICTURES, TITLES = "vectors", "titles"
MAGIC = b"WSHOPVC1"
HEADER = 256
KEY = 32
BLOCK = 1 << 20
_PREFIX = struct.Struct("<8sIH")
_CRC = struct.Struct("<I")


def cache_path(home: Path, fingerprint: str, kind: str) -> Path:
    """Where vectors of that encoder and kind ("vectors" of pictures, "titles") are kept."""
    name = fingerprint if re.fullmatch(r"[\w.-]{1,128}", fingerprint) else _text_key(fingerprint).hex()
    return home / FOLDER / f"{name}.{kind}"


def title_key(title: str) -> bytes:
    """The key of a title's vector."""
    return _text_key(title)


class VectorCache:
    """One cache file, open for reading and appending; one process at a time.

    `get` may be called from several threads while one of them puts. Of the records that are there when it is opened,
    only the first eight bytes of each key are kept in memory; the file has the rest.
    """

    def __init__(self, path: Path, fingerprint: str, dim: int) -> None:
        self._path = path
        self._dim = dim
        self._record = KEY + 4 * dim + _CRC.size
        self._starts, self._numbers = array("Q"), array("Q")
        self._added: dict[bytes, int] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._end = self._start(_header(fingerprint, dim))
        except BlockingIOError:
            os.close(self._file)
            raise GenerationError(
                f"{path} is in use by another build.", "Wait until it has ended, or stop it, and try again."
            ) from None
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> VectorCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(np.unique(self._starts)) + sum(not self._found(key) for key in self._added)

    def get(self, key: bytes) -> Floats | None:
        """The vector of that content, None when it was never encoded or its record is damaged."""
        added = self._added.get(key)
        places = self._found(key)[::-1] if added is None else [added]
        for place in places:
            data = os.pread(self._file, self._record, place)
            if data[:KEY] == key and _whole(data, self._record):
                return np.frombuffer(data, np.float32, self._dim, KEY)
        return None

    def put(self, keys: Iterable[bytes], vectors: Floats) -> None:
        """Append the vectors (n, dim) of those contents; a later record of the same key wins."""
        added: dict[bytes, int] = {}
        parts: list[bytes] = []
        for key, vector in zip(keys, np.ascontiguousarray(vectors, dtype="<f4"), strict=True):
            body = key + vector.tobytes()
            added[key] = self._end + len(parts) * self._record
            parts.append(body + _CRC.pack(zlib.crc32(body)))
        data = memoryview(b"".join(parts))
        written = 0
        while written < len(data):
            written += os.pwrite(self._file, data[written:], self._end + written)
        self._end += written
        self._added.update(added)
        failpoint("cache.appended")

    def close(self) -> None:
        """Bring everything to the disk and let go of the file."""
        os.fsync(self._file)
        os.close(self._file)

    def _start(self, header: bytes) -> int:
        size = os.fstat(self._file).st_size
        if os.pread(self._file, HEADER, 0) != header:
            if size > HEADER:
                self._set_aside()
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, header, 0)
            return HEADER
        count = (size - HEADER) // self._record
        while count and not _whole(
            os.pread(self._file, self._record, HEADER + (count - 1) * self._record), self._record
        ):
            count -= 1
        end = HEADER + count * self._record
        os.ftruncate(self._file, end)
        starts = self._read_starts(count)
        order = np.argsort(starts, kind="stable").astype(np.uint64)
        self._starts.frombytes(starts[order].tobytes())
        self._numbers.frombytes(order.tobytes())
        return end

    def _read_starts(self, count: int) -> NDArray[np.uint64]:
        starts = np.empty(count, np.uint64)
        layout = np.dtype([("start", "<u8"), ("rest", f"V{self._record - 8}")])
        for part in chunks(count, max(1, BLOCK // self._record)):
            length = (part.stop - part.start) * self._record
            block = os.pread(self._file, length, HEADER + part.start * self._record)
            starts[part] = np.frombuffer(block, layout)["start"]
        return starts

    def _found(self, key: bytes) -> list[int]:
        """Where records lie whose keys begin like this one, in the file's order."""
        start = int.from_bytes(key[:8], "little")
        first = last = bisect_left(self._starts, start)
        while last < len(self._starts) and self._starts[last] == start:
            last += 1
        return [HEADER + number * self._record for number in self._numbers[first:last]]

    def _set_aside(self) -> None:
        """Keep a copy of a file that is not ours, or whose header is damaged, rather than overwrite hours of work."""
        aside = self._path.with_name(self._path.name + ".unreadable")
        aside.unlink(missing_ok=True)
        with aside.open("wb") as target:
            os.lseek(self._file, 0, os.SEEK_SET)
            while block := os.read(self._file, 1 << 20):
                target.write(block)


def _header(fingerprint: str, dim: int) -> bytes:
    name = fingerprint.encode()
    if len(name) > HEADER - _PREFIX.size:
        name = _text_key(fingerprint).hex().encode()
    return (_PREFIX.pack(MAGIC, dim, len(name)) + name).ljust(HEADER, b"\0")


def _whole(data: bytes, length: int) -> bool:
    return len(data) == length and _CRC.unpack_from(data, length - _CRC.size)[0] == zlib.crc32(data[: -_CRC.size])


def _text_key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
