"""k-NN over rows: the nearest products of a query, their vote on labels, and the fusion of the vote with a head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.labels.heads import FusionWeights
from indexer.numeric import chunks, softmax
from indexer.types import Floats

Ints = NDArray[np.int64]

KNN_NEIGHBOURS = 20
KNN_SHARPNESS = 20.0  # a neighbour whose score is 0.05 lower has 1/e of the vote
CHUNK_QUERIES = 512  # compared with all rows at a time
MIN_SHARE = 1e-6  # so that its logarithm stays finite


def nearest_products(
    queries: Floats, own: Ints, rows: Floats, groups: Ints, k: int = KNN_NEIGHBOURS
) -> tuple[Floats, Ints]:
    """Return the k best rows of other groups for queries (n, dim): scores and row numbers, both (n, k), best first.

    `own` (n,) is the group of each query, `groups` (m,) that of each row; a missing neighbour has score -inf.
    """
    k = min(k, len(rows))
    scores, found = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    for part in chunks(len(queries), CHUNK_QUERIES):
        all_scores = queries[part] @ rows.T
        all_scores[own[part, None] == groups[None]] = -np.inf
        best = np.argpartition(-all_scores, k - 1, axis=1)[:, :k]
        best_scores = np.take_along_axis(all_scores, best, 1)
        order = np.argsort(-best_scores, axis=1, kind="stable")
        scores[part] = np.take_along_axis(best_scores, order, 1)
        found[part] = np.take_along_axis(best, order, 1)
    return scores, found


def vote_weights(scores: Floats) -> Floats:
    """Return the weight of each neighbour's vote from scores (..., k): they sum to 1, and -inf weighs 0."""
    finite = np.where(np.isfinite(scores), scores, np.float32(-1e3))
    return softmax(finite * np.float32(KNN_SHARPNESS))


def knn_vote(targets: Floats, scores: Floats, neighbours: Ints) -> Floats:
    """Return shares of the labels (n, labels) among neighbours (n, k), from the rows' own shares `targets` (m, labels).

    Rows without a label do not vote; where no neighbour votes, all shares are 0.
    """
    if not neighbours.size:
        return np.zeros((len(neighbours), targets.shape[1]), np.float32)
    votes = targets[neighbours]
    has_label = votes.sum(axis=2) > 0
    weights = vote_weights(np.where(has_label, scores, -np.inf)) * has_label
    total = weights.sum(axis=1, keepdims=True)
    weights = weights / np.where(total == 0, 1, total)
    return np.asarray(np.einsum("nk,nkl->nl", weights, votes), dtype=np.float32)


def fuse(
    head: Floats, voted: Floats, weights: FusionWeights, known: Sequence[bool] | NDArray[np.bool_] | None = None
) -> Floats:
    """Return confidences (n, labels), each row summing to 1, from the shares of a head and of the k-NN vote.

    Labels that the head does not know (`known` (labels,) false, head 0) keep their whole vote.
    """
    share = np.full(voted.shape[1], weights.share, np.float32)
    known_vote = 1.0
    if known is not None:
        share[~np.asarray(known, np.bool_)] = 0.0
        known_vote = voted[:, np.asarray(known, np.bool_)].sum(axis=1, keepdims=True)
    no_votes = voted.sum(axis=1, keepdims=True) == 0
    mixed = np.where(no_votes, head, share * head * known_vote + (1 - share) * voted)
    logs = np.log(np.maximum(mixed, MIN_SHARE)) / weights.temperature
    return softmax(np.asarray(logs, dtype=np.float32))
