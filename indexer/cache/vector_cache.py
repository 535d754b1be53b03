"""Embedding cache: content hash -> vector, on disk, one file for each encoder and kind of input.

After a header of 256 bytes the file is a list of records [SHA-256 of the content | float32 vector | CRC-32 of both],
appended and never changed. Opening the cache cuts a tail that a crash tore. A record with a wrong checksum counts as
absent, so its content is encoded again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.errors import GenerationError
from catalog.files.failpoints import failpoint
from catalog.files.locks import lock_now
from catalog.home import ShopHome
from indexer.types import Floats

PICTURE_VECTORS, TITLE_VECTORS = "vectors", "titles"
HEADER_BYTES = 256
KEY_BYTES = 32
READ_BYTES = 1 << 20
_MAGIC = b"WSHOPVC1"
_PREFIX = struct.Struct("<8sIH")
_CRC = struct.Struct("<I")

log = logging.getLogger(__name__)


def cache_path(home: Path, fingerprint: str, kind: str) -> Path:
    """Return the cache file of an encoder and kind ("vectors" of pictures, "titles")."""
    name = fingerprint if re.fullmatch(r"[\w.-]{1,128}", fingerprint) else title_cache_key(fingerprint).hex()
    return ShopHome(home).cache / f"{name}.{kind}"


def title_cache_key(title: str) -> bytes:
    """Return the key of a title's vector."""
    return hashlib.sha256(title.encode("utf-8", "surrogatepass")).digest()


def colour_cache_key(sha256: bytes) -> bytes:
    """Return the key of a picture's second record, for pictures with a colour profile.

    Only since profiles are applied is there such a record: without it, the first one is of wrong colours.
    """
    return hashlib.sha256(b"colours in sRGB" + sha256).digest()


def read_vectors(path: Path, dim: int, keys: Collection[bytes]) -> dict[bytes, Floats]:
    """Read the vectors (dim,) of these keys without a lock, so that a server never stops a build.

    Returns {} when the file is absent or of another encoder. Scans the whole file, so ask for many keys at once.
    Leaves out a record that is damaged or still being written.
    """
    records = _RecordFormat(dim)
    wanted = np.array([_key_start(key) for key in keys], dtype=np.uint64)
    try:
        file = path.open("rb", buffering=0)
    except OSError:
        return {}
    with file:
        header = file.read(HEADER_BYTES)
        if len(header) < HEADER_BYTES or _PREFIX.unpack_from(header)[:2] != (_MAGIC, dim):
            return {}
        found: dict[bytes, Floats] = {}
        for block, starts in records.scan(file.fileno()):
            for number in np.flatnonzero(np.isin(starts, wanted)).tolist():
                record = block[number * records.size : (number + 1) * records.size]
                if (vector := records.vector(record)) is not None:
                    found[record[:KEY_BYTES]] = vector
        return {key: found[key] for key in keys if key in found}


class VectorCache:
    """One cache file, open for reading and appending by one process at a time.

    `get` may run in several threads while one of them calls `put`. Memory holds the first eight bytes of each key
    that the file had when it was opened; the file has the rest.
    """

    def __init__(self, path: Path, fingerprint: str, dim: int) -> None:
        self._path = path
        self._records = _RecordFormat(dim)
        self._added: dict[bytes, int] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not lock_now(self._file):
                raise GenerationError(
                    f"{path} is in use by another build.", "Wait until that build has ended, or stop it, and try again."
                )
            self._end = self._repair(_header(fingerprint, dim))
            starts = [starts.copy() for _, starts in self._records.scan(self._file)]
        except BaseException:
            os.close(self._file)
            raise
        unsorted = np.concatenate([np.empty(0, np.uint64), *starts])
        self._numbers = np.argsort(unsorted, kind="stable")
        self._starts = unsorted[self._numbers]

    def __enter__(self) -> VectorCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(np.unique(self._starts)) + sum(not self._offsets(key) for key in self._added)

    def get(self, key: bytes) -> Floats | None:
        """Return the vector of that content, None when it was never encoded or its record is damaged."""
        added = self._added.get(key)
        for offset in self._offsets(key)[::-1] if added is None else [added]:
            record = os.pread(self._file, self._records.size, offset)
            if record[:KEY_BYTES] == key and (vector := self._records.vector(record)) is not None:
                return vector
        return None

    def put(self, keys: Iterable[bytes], vectors: Floats) -> None:
        """Append the vectors (n, dim) of those contents; a later record of the same key wins."""
        added: dict[bytes, int] = {}
        records: list[bytes] = []
        for key, vector in zip(keys, np.ascontiguousarray(vectors, dtype="<f4"), strict=True):
            added[key] = self._end + len(records) * self._records.size
            records.append(self._records.pack(key, vector))
        data = memoryview(b"".join(records))
        written = 0
        while written < len(data):
            written += os.pwrite(self._file, data[written:], self._end + written)
        self._end += written
        self._added.update(added)
        failpoint("cache.appended")

    def close(self) -> None:
        """Sync the file to disk and release its lock; where the disk fails, log it: lost vectors are encoded again."""
        try:
            os.fsync(self._file)
        except OSError as error:
            log.warning("%s may have lost vectors, which are encoded again: %s", self._path, error)
        finally:
            os.close(self._file)

    def _repair(self, header: bytes) -> int:
        """Write a missing header, cut a torn tail, and return where the records end.

        A file of another encoder, or with a damaged header, is copied first: it may hold hours of work.
        """
        length = os.fstat(self._file).st_size
        if os.pread(self._file, HEADER_BYTES, 0) != header:
            if length > HEADER_BYTES:
                shutil.copyfile(self._path, self._path.with_name(f"{self._path.name}.unreadable"))
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, header, 0)
            return HEADER_BYTES
        size = self._records.size
        end = length - (length - HEADER_BYTES) % size
        while end > HEADER_BYTES and self._records.vector(os.pread(self._file, size, end - size)) is None:
            end -= size
        os.ftruncate(self._file, end)
        return end

    def _offsets(self, key: bytes) -> list[int]:
        """Return where records begin whose keys share this key's first eight bytes, in the file's order."""
        start = np.uint64(_key_start(key))
        first, last = np.searchsorted(self._starts, start, "left"), np.searchsorted(self._starts, start, "right")
        return [HEADER_BYTES + number * self._records.size for number in self._numbers[first:last].tolist()]


class _RecordFormat:
    """The bytes of a record for vectors of `dim` numbers."""

    def __init__(self, dim: int) -> None:
        self.size = KEY_BYTES + 4 * dim + _CRC.size
        self._dim = dim
        self._dtype = np.dtype([("start", "<u8"), ("rest", f"V{self.size - 8}")])

    def pack(self, key: bytes, vector: Floats) -> bytes:
        """Return the record of a vector (dim,)."""
        body = key + vector.tobytes()
        return body + _CRC.pack(zlib.crc32(body))

    def vector(self, record: bytes) -> Floats | None:
        """Return the record's vector, None when the record is torn or damaged."""
        if len(record) != self.size or record[-_CRC.size :] != _CRC.pack(zlib.crc32(record[: -_CRC.size])):
            return None
        return np.frombuffer(record, "<f4", self._dim, KEY_BYTES)

    def scan(self, file: int) -> Iterator[tuple[bytes, NDArray[np.uint64]]]:
        """Yield blocks of whole records with the first eight bytes of each key, in the file's order.

        Reads instead of mapping, because opening a cache may cut the file's tail at any moment.
        """
        offset = HEADER_BYTES
        while len(block := os.pread(file, max(1, READ_BYTES // self.size) * self.size, offset)) >= self.size:
            block = block[: len(block) - len(block) % self.size]
            yield block, np.frombuffer(block, self._dtype)["start"]
            offset += len(block)


def _key_start(key: bytes) -> int:
    return int.from_bytes(key[:8], "little")


def _header(fingerprint: str, dim: int) -> bytes:
    name = fingerprint.encode()
    if len(name) > HEADER_BYTES - _PREFIX.size:
        name = title_cache_key(fingerprint).hex().encode()
    return (_PREFIX.pack(_MAGIC, dim, len(name)) + name).ljust(HEADER_BYTES, b"\0")
