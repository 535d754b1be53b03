"""Exact re-ranking: the index proposes rows, the float16 rows decide. Scores are exact for every kind of index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.ann.faiss_index import VectorIndex
from indexer.ann.index_plan import FLAT
from indexer.ann.mmap_arrays import blocks
from indexer.types import Floats, Ids, Mask

OVERFETCH_FACTOR = 4
MIN_FETCH = 100
MAX_EXACT_ROWS = 2_048  # up to so many allowed rows, reading them all is as fast as probing lists and misses none
FILTERED_PROBE_FACTOR = 1.5  # probes under a mask: the best allowed rows are less similar than the best of all
FLOAT16_SHIFT = 13  # bits by which the fraction of a float32 is longer
FLOAT16_MASK = ~0x70000000  # clears the copies of the sign above the exponent
FLOAT16_SCALE = np.float32(2.0**112)  # the exponents' biases are 127 and 15


@dataclass(frozen=True, slots=True)
class RerankedSearch:
    """An index and its rows, searched as one; `nprobe` and `overfetch` were chosen when the index was built."""

    index: VectorIndex
    rows: NDArray[np.float16]
    nprobe: int = 1
    overfetch: int = OVERFETCH_FACTOR

    def search(self, query: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Ids]:
        """Return (scores, row numbers) of the k best rows for a query (dim,), best first, ties by row number."""
        if allowed is not None and allowed.shape != (len(self.rows),):
            raise ValueError(f"the mask has shape {allowed.shape} where the index has {len(self.rows)} rows")
        count = len(self.rows) if allowed is None else int(np.count_nonzero(allowed))
        if count == 0 or k < 1:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        proposed = self._propose(query, k, allowed, count)
        scores = exact_scores(self.rows, query, proposed)
        order = np.lexsort((proposed, -scores))[:k]
        return scores[order], proposed[order]

    def _propose(self, query: Floats, k: int, allowed: Mask | None, count: int) -> Ids:
        if allowed is not None and count <= MAX_EXACT_ROWS:
            return np.flatnonzero(allowed)
        if self.index.kind == FLAT:
            fetch, nprobe = k, 1
        else:
            fetch = max(self.overfetch * k, MIN_FETCH)
            # A deep page needs more lists for the same recall.
            deep = 2 * fetch * self.index.lists / len(self.rows)
            nprobe = int(max(self.nprobe if allowed is None else FILTERED_PROBE_FACTOR * self.nprobe, deep, 1))
        numbers = self.index.search(query[None], fetch, allowed, nprobe)[1][0]
        proposed: Ids = numbers[numbers >= 0]
        return proposed


def exact_scores(rows: NDArray[np.floating], query: Floats, numbers: Ids) -> Floats:
    """Return dot(query, row) of the numbered rows in float32; a row's score does not depend on the other rows."""
    query = query.astype(np.float32)
    if rows.dtype != np.float16:
        return np.asarray(np.vecdot(rows[numbers].astype(np.float32), query))
    # NumPy converts float16 one number at a time. Moved by 13 bits it is a float32, too small by a power of two, which
    # the query makes good: the products are the same.
    bits = rows.view(np.int16).take(numbers, axis=0).astype(np.int32)
    bits <<= FLOAT16_SHIFT
    bits &= FLOAT16_MASK
    return np.asarray(np.vecdot(bits.view(np.float32), query * FLOAT16_SCALE))


def top_rows(rows: NDArray[np.floating], queries: Floats, k: int) -> Ids:
    """Return the k best rows of each query (m, dim) by reading all rows, block by block: unordered (m, at most k)."""
    best_scores = np.zeros((len(queries), 0), np.float32)
    best = np.zeros((len(queries), 0), np.int64)
    for part, block in blocks(rows):
        scores = queries @ block.T
        found = _largest(scores, k)
        scores = np.concatenate([best_scores, np.take_along_axis(scores, found, axis=1)], axis=1)
        numbers = np.concatenate([best, found + part.start], axis=1)
        largest = _largest(scores, k)
        best_scores, best = (np.take_along_axis(array, largest, axis=1) for array in (scores, numbers))
    return best


def _largest(scores: Floats, k: int) -> Ids:
    """Return the places of the k largest numbers of each row, unordered; of all numbers when there are fewer."""
    k = min(k, scores.shape[1])
    found: Ids = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :]
    return found
