"""Reads a vector cache beside whoever is writing it: no lock is taken, so that a server never stops a build."""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from indexer.cache.vector_cache import HEADER, KEY, MAGIC
from indexer.types import Floats

_CRC_BYTES = 4
_BLOCK = 1 << 22
_DIM = slice(len(MAGIC), len(MAGIC) + 4)


def known_vectors(path: Path, dim: int, keys: Collection[bytes]) -> dict[bytes, Floats]:
    """The vectors (dim,) that the cache file has for these keys; none when it is absent or of another encoder.

    One pass over the file's keys, so ask for many at once. A record that is still being written, or damaged, is left
    out: its checksum tells.
    """
    record = KEY + 4 * dim + _CRC_BYTES
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return {}
    try:
        header = os.pread(file, HEADER, 0)
        if header[: len(MAGIC)] != MAGIC or int.from_bytes(header[_DIM], "little") != dim:
            return {}
        found: dict[bytes, Floats] = {}
        for data in _records(file, record, keys):
            if zlib.crc32(data[:-_CRC_BYTES]) == int.from_bytes(data[-_CRC_BYTES:], "little"):
                found[data[:KEY]] = np.frombuffer(data, "<f4", dim, KEY)
        return {key: found[key] for key in keys if key in found}
    finally:
        os.close(file)


def _records(file: int, record: int, keys: Collection[bytes]) -> Iterator[bytes]:
    """Whole records whose keys begin like one of those asked for, in the file's order.

    Read in blocks, not mapped: whoever opens the cache may cut its torn tail at any moment.
    """
    layout = np.dtype([("start", "<u8"), ("rest", f"V{record - 8}")])
    wanted = np.array([int.from_bytes(key[:8], "little") for key in keys], dtype=np.uint64)
    size = max(1, _BLOCK // record) * record
    place = HEADER
    while len(block := os.pread(file, size, place)) >= record:
        whole = block[: len(block) - len(block) % record]
        for number in np.flatnonzero(np.isin(np.frombuffer(whole, layout)["start"], wanted)).tolist():
            yield whole[number * record : (number + 1) * record]
        place += len(whole)
