"""Arrays on disk that are read without being kept: the pages of what was read in passing are given back at once.

They would otherwise count as this process's memory until the kernel needs them for something else.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.numeric import chunks
from indexer.types import Floats

ROWS_AT_ONCE = 2_048  # enough for a matrix product to run at full speed


def blocks(rows: NDArray[np.floating]) -> Iterator[tuple[slice, Floats]]:
    """All rows (n, dim) in order as float32, two thousand at a time, with where they lie."""
    for part in chunks(len(rows), ROWS_AT_ONCE):
        yield part, np.ascontiguousarray(rows[part], dtype=np.float32)
        release_pages(rows, part)


def release_pages(array: NDArray[Any], part: slice | None = None) -> None:
    """Give back the memory of a mapped array, or of some of its rows; they are read from disk when asked for again."""
    file = getattr(array, "_mmap", None)
    if file is None or array.flags.writeable or not hasattr(mmap, "MADV_DONTNEED"):
        return
    if part is None:
        file.madvise(mmap.MADV_DONTNEED)
        return
    step = array.strides[0]
    first = part.start * step // mmap.PAGESIZE * mmap.PAGESIZE
    file.madvise(mmap.MADV_DONTNEED, first, (part.stop - part.start) * step + 2 * mmap.PAGESIZE)
