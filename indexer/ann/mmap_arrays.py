"""Memory-mapped arrays whose pages are released after reading.

They would otherwise count as this process's memory until the kernel reclaims them.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.numeric import chunks
from indexer.types import Floats, Ids

BLOCK_ROWS = 2_048  # enough for a matrix product to run at full speed


def blocks(rows: NDArray[np.floating]) -> Iterator[tuple[slice, Floats]]:
    """Yield all rows (n, dim) in order as float32 blocks of 2,048, each with its slice."""
    for part in chunks(len(rows), BLOCK_ROWS):
        yield part, np.ascontiguousarray(rows[part], dtype=np.float32)
        release_pages(rows, part)


def blocks_at(rows: NDArray[np.floating], numbers: Ids) -> Iterator[tuple[Ids, Floats]]:
    """Yield the rows with these numbers, which rise, as float32 blocks of 2,048, each with its numbers."""
    for part in chunks(len(numbers), BLOCK_ROWS):
        yield numbers[part], np.ascontiguousarray(rows[numbers[part]], dtype=np.float32)
        release_pages(rows, slice(int(numbers[part][0]), int(numbers[part][-1]) + 1))


def sample_rows(rows: NDArray[np.floating], size: int, seed: int) -> Floats:
    """Return up to `size` rows in order as float32, sampled at random."""
    picked = np.sort(np.random.default_rng(seed).choice(len(rows), min(size, len(rows)), replace=False))
    sample = np.empty((len(picked), rows.shape[1]), np.float32)
    start = 0
    for numbers, block in blocks_at(rows, picked):
        sample[start : start + len(numbers)] = block
        start += len(numbers)
    return sample


def release_pages(array: Any, part: slice | None = None) -> None:
    """Release the memory of a mapped array, or of some of its rows; the next access reads from disk again.

    Arrays that are in no file stay as they are.
    """
    file = getattr(array, "_mmap", None)
    if file is None or array.flags.writeable or not hasattr(mmap, "MADV_DONTNEED"):
        return
    if part is None:
        file.madvise(mmap.MADV_DONTNEED)
        return
    step = array.strides[0]
    first = part.start * step // mmap.PAGESIZE * mmap.PAGESIZE
    file.madvise(mmap.MADV_DONTNEED, first, (part.stop - part.start) * step + 2 * mmap.PAGESIZE)
