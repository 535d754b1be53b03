"""How much titles should count when a photo asks, judged by the shop's own products that have several pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.ann.block_weights import ENOUGH_TO_JUDGE, Weights
from indexer.ann.faiss_index import Ids
from indexer.ann.mmap_arrays import blocks
from indexer.layout import WORDS, RowLayout

SHARES = (0.0, 0.15, 0.3, 0.5, 1.0)
WORTH = 0.01  # recall@1 that a larger share must bring: titles of things unlike any in training mislead photos
ASKED = 400


def title_weight_from_views(
    layout: RowLayout, rows: NDArray[np.float16], product_keys: Ids, weights: Weights, seed: int = 0
) -> float:
    """The smallest share of the "words" weight that finds products by their other pictures nearly as well as any does.

    Up to 400 pictures ask, each for another picture of its product, its own row left out. Products with one picture
    cannot be judged; where there are fewer than 20 others the answer is 1, because titles stand in for missing views.
    """
    if WORDS not in layout.names or not weights["picture"].get(WORDS):
        return 1.0
    like_next = product_keys[1:] == product_keys[:-1]  # a product's rows stand together
    several = np.flatnonzero(np.append(like_next, False) | np.insert(like_next, 0, False))
    if len(np.unique(product_keys[several])) < ENOUGH_TO_JUDGE:
        return 1.0
    rng = np.random.default_rng(seed)
    asked = np.sort(rng.choice(several, min(ASKED, len(several)), replace=False))
    recalls = _recalls(layout, rows, product_keys, asked, weights)
    enough = max(recalls) - WORTH
    return next(share for share, recall in zip(SHARES, recalls, strict=True) if recall >= enough)


def _recalls(layout: RowLayout, rows: NDArray[np.float16], keys: Ids, asked: Ids, weights: Weights) -> Sequence[float]:
    """recall@1 of the asked rows' own products for each share."""
    encoded = np.asarray(rows[asked], dtype=np.float32)[:, : layout.encoder_dim]
    queries = layout.queries(encoded)
    looks = layout.weigh(queries, {**weights["picture"], WORDS: 0.0})
    words = layout.weigh(queries, {WORDS: weights["picture"][WORDS]})
    own = np.full((len(SHARES), len(asked)), -np.inf, np.float32)
    other = own.copy()
    for part, block in blocks(rows):
        seen, said = looks @ block.T, words @ block.T
        seen[asked[:, None] == np.arange(part.start, part.stop)] = -np.inf
        same = keys[asked][:, None] == keys[part]
        for i, share in enumerate(SHARES):
            scores = seen + share * said
            own[i] = np.maximum(own[i], np.where(same, scores, -np.inf).max(axis=1))
            other[i] = np.maximum(other[i], np.where(same, -np.inf, scores).max(axis=1))
    return [float(np.mean(mine > theirs)) for mine, theirs in zip(own, other, strict=True)]
