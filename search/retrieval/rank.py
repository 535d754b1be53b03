"""From scored rows to a ranking of products: grouping, ties, cutting, and what each block gave. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


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


def cut(candidates: Iterable[tuple[float, str, int]], offset: int, k: int) -> list[int]:
    """Of (score, product id, position): the positions ranked `offset` to `offset + k`, ties by product id."""
    ranked = sorted(candidates, key=lambda candidate: (-candidate[0], candidate[1]))
    return [position for _, _, position in ranked[offset : offset + k]]


def split_scores(rows: NDArray[np.floating], query: Floats, starts: Sequence[int]) -> Floats:
    """Each row's score by block, (n, blocks): the dot product over the block that begins at each start.

    A row's parts sum to at most 1 for a normalised query: what the rounding of float16 rows overshoots is scaled away.
    """
    parts = np.add.reduceat(rows.astype(np.float32) * query, starts, axis=1)
    return np.asarray(parts / np.maximum(parts.sum(axis=1, keepdims=True), 1.0), dtype=np.float32)
