"""Which products lie nearest to a row, and what label they vote for. Pure functions in numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.labels.heads import FusionWeights, softmax
from indexer.numeric import chunks
from indexer.types import Floats

Ints = NDArray[np.int64]

NEIGHBOURS = 20
SPARE = 3  # times as many rows are looked at, because a product may have several
SHARPNESS = 20.0  # a neighbour whose score is 0.05 lower has 1/e of the vote
AT_ONCE = 512
LEAST = 1e-6


def nearest_products(
    queries: Floats, own: Ints, rows: Floats, groups: Ints, k: int = NEIGHBOURS
) -> tuple[Floats, Ints]:
    """The k best rows of other groups for each query (n, dim): scores and row numbers, both (n, k), best first.

    `own` (n,) is each query's group, `groups` (m,) that of each row; a missing neighbour has score -inf.
    """
    k = min(k, len(rows))
    scores, found = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    for part in chunks(len(queries), AT_ONCE):
        all_scores = queries[part] @ rows.T
        all_scores[own[part, None] == groups[None]] = -np.inf
        best = np.argpartition(-all_scores, k - 1, axis=1)[:, :k]
        best_scores = np.take_along_axis(all_scores, best, 1)
        order = np.argsort(-best_scores, axis=1, kind="stable")
        scores[part] = np.take_along_axis(best_scores, order, 1)
        found[part] = np.take_along_axis(best, order, 1)
    return scores, found


def vote_weights(scores: Floats) -> Floats:
    """What each neighbour's vote counts, by score (..., k), adding up to 1; none for -inf."""
    finite = np.where(np.isfinite(scores), scores, np.float32(-1e3))
    return softmax(finite * np.float32(SHARPNESS))


def knn_vote(targets: Floats, scores: Floats, neighbours: Ints) -> Floats:
    """Shares of the labels (n, labels) among neighbours (n, k), from the rows' own shares `targets` (m, labels).

    Rows without any label have no vote; where nobody has one, all shares are 0.
    """
    said = targets[neighbours]
    heard = said.sum(axis=2) > 0
    weights = vote_weights(np.where(heard, scores, -np.inf)) * heard
    total = weights.sum(axis=1, keepdims=True)
    weights = weights / np.where(total == 0, 1, total)
    return np.asarray(np.einsum("nk,nkl->nl", weights, said), dtype=np.float32)


def fuse(
    head: Floats, voted: Floats, blend: FusionWeights, known: Sequence[bool] | NDArray[np.bool_] | None = None
) -> Floats:
    """Confidences (n, labels) from the head's shares and the neighbours', both (n, labels), adding up to 1.

    Labels that the head does not know (`known` (labels,) false, head 0) keep their whole vote.
    """
    share = np.full(voted.shape[1], blend.share, np.float32)
    left = 1.0
    if known is not None:
        share[~np.asarray(known, np.bool_)] = 0.0
        left = voted[:, np.asarray(known, np.bool_)].sum(axis=1, keepdims=True)
    voiceless = voted.sum(axis=1, keepdims=True) == 0  # nobody voted: the head alone
    mixed = np.where(voiceless, head, share * head * left + (1 - share) * voted)
    logs = np.log(np.maximum(mixed, LEAST)) / blend.temperature
    return softmax(np.asarray(logs, dtype=np.float32))
