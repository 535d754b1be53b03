"""Weight of titles in picture queries, judged on the shop's own products with several pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.ann.block_weights import MIN_ROWS_TO_JUDGE, Weights
from indexer.ann.mmap_arrays import blocks
from indexer.layout import WORDS, RowLayout
from indexer.types import Ids

TITLE_SHARES = (0.0, 0.15, 0.3, 0.5, 1.0)
MIN_GAIN = 0.01  # least gain of recall@1 for which the share grows: titles unlike those of training mislead photos
MAX_QUERIES = 400


def title_weight_from_views(
    layout: RowLayout, rows: NDArray[np.float16], product_keys: Ids, weights: Weights, seed: int = 0
) -> float:
    """Return the smallest share of the "words" weight whose recall@1 of other pictures is within 0.01 of the best.

    Up to 400 pictures query for another picture of their product; a picture's own row is left out. Products with one
    picture cannot be judged. Returns 1 with fewer than 20 other products, because titles replace missing views.
    """
    if WORDS not in layout.names or not weights["picture"].get(WORDS):
        return 1.0
    like_next = product_keys[1:] == product_keys[:-1]  # a product's rows stand together
    several = np.flatnonzero(np.append(like_next, False) | np.insert(like_next, 0, False))
    if len(np.unique(product_keys[several])) < MIN_ROWS_TO_JUDGE:
        return 1.0
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(several, min(MAX_QUERIES, len(several)), replace=False))
    recalls = _recalls(layout, rows, product_keys, sample, weights)
    threshold = max(recalls) - MIN_GAIN
    return next(share for share, recall in zip(TITLE_SHARES, recalls, strict=True) if recall >= threshold)


def _recalls(layout: RowLayout, rows: NDArray[np.float16], keys: Ids, sample: Ids, weights: Weights) -> Sequence[float]:
    """Return recall@1 of the sampled rows' own products for each share."""
    encoded = np.asarray(rows[sample], dtype=np.float32)[:, : layout.encoder_dim]
    queries = layout.queries(encoded)
    picture_queries = layout.weigh(queries, {**weights["picture"], WORDS: 0.0})
    title_queries = layout.weigh(queries, {WORDS: weights["picture"][WORDS]})
    own = np.full((len(TITLE_SHARES), len(sample)), -np.inf, np.float32)
    other = own.copy()
    for part, block in blocks(rows):
        by_picture, by_title = picture_queries @ block.T, title_queries @ block.T
        by_picture[sample[:, None] == np.arange(part.start, part.stop)] = -np.inf
        same = keys[sample][:, None] == keys[part]
        for i, share in enumerate(TITLE_SHARES):
            scores = by_picture + share * by_title
            own[i] = np.maximum(own[i], np.where(same, scores, -np.inf).max(axis=1))
            other[i] = np.maximum(other[i], np.where(same, -np.inf, scores).max(axis=1))
    return [float(np.mean(mine > theirs)) for mine, theirs in zip(own, other, strict=True)]
