"""From scored rows to a ranking of products: exact scores, grouping, cutting. Pure functions, no state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from search.hits import SearchHit

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

CHUNK = 2048


def score_rows(rows: NDArray[np.floating], query: Floats, starts: Sequence[int]) -> Floats:
    """Each row's score split by block, (n, blocks): the dot product over the block that begins at each start.

    A row's scores sum to at most 1 when the query is normalised: what float16 rows overshoot is scaled away. The sums
    are per row, not a matrix product, because BLAS may round equal rows differently and ties would no longer be ties.
    """
    parts = np.empty((len(rows), len(starts)), dtype=np.float32)
    for begin in range(0, len(rows), CHUNK):  # bounds the float32 copy when someone pages far down
        products = np.multiply(rows[begin : begin + CHUNK], query, dtype=np.float32)
        np.add.reduceat(products, starts, axis=1, out=parts[begin : begin + CHUNK])
    parts /= np.maximum(parts.sum(axis=1, keepdims=True), 1.0)
    return parts


def best_rows(products: Ints, scores: Floats) -> Ints:
    """Positions of each product's best-scoring row, best product first; the earlier row wins a tie in a product."""
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(products[order], return_index=True)
    return order[np.sort(first)].astype(np.int64, copy=False)


def contenders(scores: Floats, reach: int) -> int:
    """How many of these descending scores may belong to the first `reach`: those, and all that tie with the last."""
    if reach >= len(scores):
        return len(scores)
    return int(np.searchsorted(-scores, -scores[reach - 1], side="right"))


def cut(hits: Iterable[SearchHit], offset: int, k: int) -> tuple[SearchHit, ...]:
    """Hits `offset` to `offset + k` of the ranking: by score, ties by product id."""
    return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.product.id))[offset : offset + k])
