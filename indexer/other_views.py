"""How much titles should count when a photo asks, judged by the shop's own products that have several pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.encoders.base import Floats
from indexer.vector_index import Ids
from indexer.vectors import WORDS, Layout, chunks
from indexer.weights import ENOUGH_TO_JUDGE, Weights

SHARES = (0.0, 0.15, 0.3, 0.5, 1.0)
WORTH = 0.01  # recall@1 that a larger share must bring: titles of things unlike any in training mislead photos
ASKED = 400
ROWS_AT_ONCE = 8_192


def share_of_words(
    layout: Layout, rows: NDArray[np.float16], product_keys: Ids, weights: Weights, seed: int = 0
) -> float:
    """The smallest share of the "words" weight that finds products by their other pictures nearly as well as any does.

    Up to 400 pictures ask, each for another picture of its product, its own row left out. Products with one picture
    cannot be judged; where there are fewer than 20 others the answer is 1, because titles stand in for missing views.
    """
    if WORDS not in layout.names or not weights["picture"].get(WORDS):
        return 1.0
    _, product, pictures = np.unique(product_keys, return_inverse=True, return_counts=True)
    several = np.flatnonzero(pictures[product] > 1)
    if len(np.unique(product[several])) < ENOUGH_TO_JUDGE:
        return 1.0
    rng = np.random.default_rng(seed)
    asked = np.sort(rng.choice(several, min(ASKED, len(several)), replace=False))
    recalls = _recalls(layout, rows, product, asked, weights)
    enough = max(recalls) - WORTH
    return next(share for share, recall in zip(SHARES, recalls, strict=True) if recall >= enough)


def _recalls(layout: Layout, rows: NDArray[np.float16], product: Ids, asked: Ids, weights: Weights) -> Sequence[float]:
    """recall@1 of the asked rows' own products for each share."""
    encoded = np.asarray(rows[asked], dtype=np.float32)[:, : layout.encoder_dim]
    queries = layout.queries(encoded)
    looks = layout.weigh(queries, {**weights["picture"], WORDS: 0.0})
    words = layout.weigh(queries, {WORDS: weights["picture"][WORDS]})
    own = np.full((len(SHARES), len(asked)), -np.inf, np.float32)
    other = own.copy()
    for part in chunks(len(rows), ROWS_AT_ONCE):
        block: Floats = np.asarray(rows[part], dtype=np.float32).T
        seen, said = looks @ block, words @ block
        seen[asked[:, None] == np.arange(part.start, part.stop)] = -np.inf
        same = product[asked][:, None] == product[part]
        for i, share in enumerate(SHARES):
            scores = seen + share * said
            own[i] = np.maximum(own[i], np.where(same, scores, -np.inf).max(axis=1))
            other[i] = np.maximum(other[i], np.where(same, -np.inf, scores).max(axis=1))
    return [float(np.mean(mine > theirs)) for mine, theirs in zip(own, other, strict=True)]
