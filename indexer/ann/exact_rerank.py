"""Exact re-ranking: the index proposes rows, the float16 rows decide. Scores are exact for every kind of index."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.ann.coarse_lists import filled_spans
from indexer.ann.faiss_index import VectorIndex
from indexer.ann.index_plan import FLAT, IVF_PQ4
from indexer.ann.mmap_arrays import blocks
from indexer.types import Floats, Ids, IndexRecord, Mask

OVERFETCH_FACTOR = 4
MIN_FETCH = 100
MIN_FETCH_PARTIAL = 200  # for queries with empty blocks, by 4-bit codes: near rows are more alike, most are not read
FIRST_READ = 38  # rows read exactly beyond the k of the answer, before the others are known to be worth reading
FIRST_READ_FILLED = 30  # where no more than MIN_FETCH are known
ERROR_DEVIATIONS = 6.0  # of the index's scores from the exact ones, beyond which a row is not read
ROUNDING = 1e-5  # of scores: equal rows are read all or none
GAP_DEPTH = 10  # rows that are sought when a gap of cosines is chosen
DEEPER_GAP = 0.13  # of it, wider for e times as many rows: 200 rows need 1.4 times the gap of ten
COUNTED_ROWS = 131_072  # of a mask at once
MAX_EXACT_ROWS = 2_048  # up to so many allowed rows, reading them all is as fast as probing lists and misses none
FILTERED_PROBE_FACTOR = 1.5  # probes under a mask: the best allowed rows are less similar than the best of all
FILLED_SHARE = 0.75  # a query of fewer numbers than this share of a row's has empty blocks, as texts have
FLOAT16_SHIFT = 13  # bits by which the fraction of a float32 is longer
FLOAT16_MASK = ~0x70000000  # clears the copies of the sign above the exponent
FLOAT16_SCALE = np.float32(2.0**112)  # the exponents' biases are 127 and 15


def fills_row(query: Floats) -> bool:
    """Return whether a query (dim,) fills a row's blocks, as pictures do and texts, where pictures have more, do not.

    Fewer lists hold the neighbours of such queries.
    """
    return bool(np.count_nonzero(query != 0) >= FILLED_SHARE * len(query))  # flags are counted faster than numbers


@dataclass(frozen=True, slots=True)
class RerankedSearch:
    """An index and its rows, searched as one; the settings were chosen when the index was built.

    These are those of IndexRecord: `filled_nprobe` is 0 for as many as `nprobe`, a gap is 0 for lists by their number.
    """

    index: VectorIndex
    rows: NDArray[np.float16]
    nprobe: int = 1
    overfetch: int = OVERFETCH_FACTOR
    filled_nprobe: int = 0
    cosine_gap: float = 0.0
    filled_cosine_gap: float = 0.0

    @classmethod
    def of(cls, index: VectorIndex, rows: NDArray[np.float16], record: IndexRecord) -> RerankedSearch:
        """Return the search with the settings of a record."""
        gaps = record.cosine_gap, record.filled_cosine_gap
        return cls(index, rows, record.nprobe, record.overfetch, record.filled_nprobe, *gaps)

    def search(self, query: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Ids]:
        """Return (scores, row numbers) of the k best rows for a query (dim,), best first, ties by row number."""
        if allowed is not None and allowed.shape != (len(self.rows),):
            raise ValueError(f"the mask has shape {allowed.shape} where the index has {len(self.rows)} rows")
        if k < 1 or not len(self.rows):
            return np.zeros(0, np.float32), np.zeros(0, np.int64)
        if allowed is not None and not _more_than(MAX_EXACT_ROWS, allowed):
            numbers = np.flatnonzero(allowed)
            scores = exact_scores(self.rows, query, numbers)
        else:
            numbers, scores = self._reranked(query, k, *self._propose(query, k, allowed))
        order = np.lexsort((numbers, -scores))[:k]
        return scores[order], numbers[order]

    def _propose(self, query: Floats, k: int, allowed: Mask | None) -> tuple[Ids, Floats]:
        """Return rows and the scores that the index gives them, best first."""
        kind = self.index.kind
        if kind == FLAT:
            fetch, nprobe, gap = k, 1, 0.0
        else:
            filled = fills_row(query)
            least = MIN_FETCH_PARTIAL if kind == IVF_PQ4 and not filled else MIN_FETCH
            fetch = max(self.overfetch * k, least)
            wanted: float = self.nprobe
            gap = self.cosine_gap
            if filled and self.filled_nprobe:
                wanted, gap = self.filled_nprobe, self.filled_cosine_gap
            # A deep page needs more lists for the same recall.
            deep = 2 * fetch * self.index.lists / len(self.rows)
            if k > GAP_DEPTH:
                gap *= 1 + DEEPER_GAP * math.log(k / GAP_DEPTH)
            if allowed is not None and kind != IVF_PQ4:  # which adds lists of its own accord
                wanted *= FILTERED_PROBE_FACTOR
            nprobe = int(max(wanted, deep, 1))
        near, numbers = self.index.search(query[None], fetch, allowed, nprobe, gap)
        numbers, near = numbers[0], near[0]
        if numbers[-1] < 0:  # fewer were found
            found = int(np.count_nonzero(numbers >= 0))
            numbers, near = numbers[:found], near[:found]
        return numbers, near

    def _reranked(self, query: Floats, k: int, numbers: Ids, near: Floats) -> tuple[Ids, Floats]:
        """Return the rows that may be among the k best, and their exact scores.

        After the first ones only those are read that could still be, judged by how far the index's scores were from
        the exact ones so far.
        """
        first = k + (FIRST_READ_FILLED if len(numbers) <= MIN_FETCH else FIRST_READ)
        scores = exact_scores(self.rows, query, numbers[:first])
        if len(numbers) <= first:
            return numbers, scores
        errors = scores - near[:first]
        mean = float(errors.sum()) / first
        errors -= mean
        farthest = mean + ERROR_DEVIATIONS * math.sqrt(float(errors.dot(errors)) / first) + ROUNDING
        least = float(np.partition(scores, first - k)[first - k]) - farthest
        if near[first] >= least:
            end = len(near) - int(near[::-1].searchsorted(np.float32(least)))
            scores = np.concatenate([scores, exact_scores(self.rows, query, numbers[first:end])])
        return numbers[: len(scores)], scores


def _more_than(limit: int, allowed: Mask) -> bool:
    """Return whether a mask allows more rows than this; counts as few as say so."""
    count = 0
    for start in range(0, len(allowed), COUNTED_ROWS):
        count += int(np.count_nonzero(allowed[start : start + COUNTED_ROWS]))
        if count > limit:
            return True
    return False


def exact_scores(rows: NDArray[np.floating], query: Floats, numbers: Ids) -> Floats:
    """Return dot(query, row) of the numbered rows in float32; a row's score does not depend on the other rows."""
    query = np.asarray(query, np.float32)
    if rows.dtype != np.float16:
        return np.asarray(np.vecdot(rows[numbers].astype(np.float32), query))
    # NumPy converts float16 one number at a time. Moved by 13 bits it is a float32, too small by a power of two, which
    # the query makes good: the products are the same.
    bits = np.asarray(rows).view(np.int16).take(numbers, axis=0).astype(np.int32)
    bits <<= FLOAT16_SHIFT
    bits &= FLOAT16_MASK
    scores: Floats = np.vecdot(bits.view(np.float32), query * FLOAT16_SCALE)
    return scores


def top_rows(rows: NDArray[np.floating], queries: Floats, k: int) -> Ids:
    """Return the k best rows of each query (m, dim) by reading all rows, block by block: unordered (m, at most k)."""
    return top_rows_of_each(rows, [queries], k)[0]


def top_rows_of_each(rows: NDArray[np.floating], sets: Sequence[Floats], k: int) -> list[Ids]:
    """Return what `top_rows` does for several sets of queries, in one pass over the rows.

    Numbers of rows that no query of a set weighs are left out: half of them for questions in words.
    """
    best = [
        _BestRows(np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)) for queries in sets
    ]
    spans = [[*filled_spans(np.any(queries, axis=0))] for queries in sets]
    for part, block in blocks(rows):
        for at, queries in enumerate(sets):
            scores = sum((queries[:, span] @ block[:, span].T for span in spans[at]), np.zeros(1, np.float32))
            best[at] = best[at].joined(np.broadcast_to(scores, (len(queries), len(block))), part.start, k)
    return [found.numbers for found in best]


class _BestRows(NamedTuple):
    """Scores and numbers of the best rows of each query so far."""

    scores: Floats
    numbers: Ids

    def joined(self, scores: Floats, first: int, k: int) -> _BestRows:
        """Return the k best of these and of the rows from number `first` on, which have these scores."""
        found = _largest(scores, k)
        both = np.concatenate([self.scores, np.take_along_axis(scores, found, axis=1)], axis=1)
        numbers = np.concatenate([self.numbers, found + first], axis=1)
        largest = _largest(both, k)
        return _BestRows(*(np.take_along_axis(array, largest, axis=1) for array in (both, numbers)))


def _largest(scores: Floats, k: int) -> Ids:
    """Return the places of the k largest numbers of each row, unordered; of all numbers when there are fewer."""
    k = min(k, scores.shape[1])
    found: Ids = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :]
    return found
