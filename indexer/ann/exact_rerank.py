"""The index proposes, the float16 rows decide: scores are exact for every kind of index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.ann.faiss_index import FLAT, Ids, Mask, VectorIndex
from indexer.ann.mmap_arrays import blocks
from indexer.types import Floats

OVERFETCH = 4
LEAST_FETCH = 100
EXACT_ROWS = 1_024  # with so few allowed rows, reading them all is as quick as probing lists and misses none
FILTERED = 1.5  # times as many rows are looked at under a mask: its best rows are less alike than the best of all


@dataclass(frozen=True, slots=True)
class RerankedSearch:
    """An index and the rows behind it, searched as one; `nprobe` and `overfetch` were chosen when it was built."""

    index: VectorIndex
    rows: NDArray[np.float16]
    nprobe: int = 1
    overfetch: int = OVERFETCH

    def search(self, query: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Ids]:
        """The k best rows for a query (dim,), best first, ties by row number: (scores, row numbers), both at most k."""
        count = len(self.rows) if allowed is None else int(np.count_nonzero(allowed))
        if count == 0 or k < 1:
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        return self._rank(query, self._propose(query, k, allowed, count), k)

    def _propose(self, query: Floats, k: int, allowed: Mask | None, count: int) -> Ids:
        if allowed is not None and count <= EXACT_ROWS:
            return np.flatnonzero(allowed)
        if self.index.kind == FLAT:
            fetch, nprobe = k, 1
        else:
            fetch = max(self.overfetch * k, LEAST_FETCH)
            # A deep page needs more lists for the same completeness.
            deep = 2 * fetch * self.index.lists / len(self.rows)
            nprobe = int(max(self.nprobe if allowed is None else FILTERED * self.nprobe, deep, 1))
        found = self.index.search(query[None], fetch, allowed, nprobe)[1][0]
        kept: Ids = found[found >= 0]
        return kept

    def _rank(self, query: Floats, proposed: Ids, k: int) -> tuple[Floats, Ids]:
        scores = exact_scores(self.rows, query, proposed)
        order = np.lexsort((proposed, -scores))[:k]
        return scores[order], proposed[order]


def exact_scores(rows: NDArray[np.float16], query: Floats, numbers: Ids) -> Floats:
    """dot(query, row) of the numbered rows in float32, the same for a row whatever others are asked with it."""
    scores: Floats = np.einsum("ij,j->i", rows[numbers].astype(np.float32), query.astype(np.float32))
    return scores


def best_rows(rows: NDArray[np.floating], queries: Floats, k: int) -> Ids:
    """The k best rows of each query (m, dim) by reading all of them, block by block; unordered (m, at most k)."""
    best_scores = np.zeros((len(queries), 0), np.float32)
    best = np.zeros((len(queries), 0), np.int64)
    for part, block in blocks(rows):
        scores = queries @ block.T
        found = _largest(scores, k)
        best_scores = np.concatenate([best_scores, np.take_along_axis(scores, found, axis=1)], axis=1)
        best = np.concatenate([best, found + part.start], axis=1)
        keep = _largest(best_scores, k)
        best_scores = np.take_along_axis(best_scores, keep, axis=1)
        best = np.take_along_axis(best, keep, axis=1)
    return best


def _largest(scores: Floats, k: int) -> Ids:
    """Where the k largest numbers of each row are, in any order; all of them where there are no more."""
    k = min(k, scores.shape[1])
    found: Ids = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :]
    return found
