"""FAISS's own index files, written list by list: FAISS itself writes only what it holds in memory.

After all that an index has learned, which FAISS writes for an empty one too, its file ends with the rows: those of a
flat one as they are, inverted lists as the length of each, then for each list the codes of its rows and their numbers.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.ann.mmap_arrays import ROWS_AT_ONCE, blocks, release_pages
from indexer.numeric import chunks
from indexer.types import Floats

Codes = NDArray[np.uint8]
Ids = NDArray[np.int64]
Rows = NDArray[np.floating]

_SIZE = struct.Struct("<Q")
_LISTS = struct.Struct("<4sQQ4s")
NO_ROWS = _SIZE.pack(0)


class Lists(Protocol):
    """What an index with inverted lists has learned: where a row belongs, and how it is written down there."""

    count: int
    code_bytes: int

    def of(self, rows: Floats) -> Ids:
        """The number of the list that each row belongs to."""

    def codes(self, rows: Floats, number: int) -> Codes:
        """The rows as they are kept in that list, (n, code_bytes)."""


def no_lists(count: int, code_bytes: int) -> bytes:
    """How the file of an index ends that has so many lists, and no row in any."""
    return _LISTS.pack(b"ilar", count, code_bytes, b"sprs") + NO_ROWS


def write_flat(file: BinaryIO, rows: Rows) -> None:
    """Write the rows that a flat index ends with."""
    file.write(_SIZE.pack(rows.size))
    for _, block in blocks(rows):
        file.write(block.data)


def write_lists(file: BinaryIO, rows: Rows, lists: Lists) -> None:
    """Write the inverted lists of the rows, each row in the list that it belongs to."""
    belongs = np.empty(len(rows), np.int32)
    for part, block in blocks(rows):
        belongs[part] = lists.of(block)
    lengths = np.bincount(belongs, minlength=lists.count)
    order = np.argsort(belongs, kind="stable")
    file.write(_LISTS.pack(b"ilar", lists.count, lists.code_bytes, b"full") + _SIZE.pack(lists.count))
    file.write(lengths.astype("<u8").data)
    last = read = 0
    for number, length in enumerate(lengths.tolist()):
        numbers = order[last : last + length]
        for part in chunks(length, ROWS_AT_ONCE):
            file.write(lists.codes(rows[numbers[part]].astype(np.float32), number).data)
            read += len(numbers[part])
            if read > ROWS_AT_ONCE:
                release_pages(rows)
                read = 0
        file.write(numbers.astype("<i8").data)
        last += length
    release_pages(rows)
