"""Predict one field's labels from the k-NN vote, the label head and the fine-tuned network, in numpy."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexer.labels.examples import targets_of
from indexer.labels.heads import FusionWeights, LabelHead
from indexer.labels.knn import Ints, fuse, knn_vote
from indexer.labels.network import NetworkField, mix_network
from indexer.types import Floats

VOTE_ALONE = FusionWeights(0.0, 1.0, 0.5)  # fusion without a fitted head: half of the votes are an answer


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The k nearest products of n queries, and labels in one field.

    scores: float32 (n, k), -inf for a missing neighbour; rows: int64 (n, k), positions in `labels`.
    """

    scores: Floats
    rows: Ints
    labels: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """What the fine-tuned network says of n queries in one field: `shares` is float32 (n, len(field.names))."""

    field: NetworkField
    shares: Floats


@dataclass(frozen=True, slots=True)
class LabelPrediction:
    """Confidences of n queries, float32 (n, names), each row summing to 1, and the threshold of an answer."""

    names: tuple[str, ...]
    confidences: Floats
    threshold: float


def predict_labels(
    rows: Sequence[Floats],
    neighbours: Neighbours,
    head: LabelHead | None,
    network: NetworkOutput | None = None,
    *,
    titled: bool,
) -> LabelPrediction:
    """Fuse head, network and k-NN vote of n queries; `rows` are their views, (views, dim) each, averaged by the head.

    The names are those of the head, the network and the neighbours; a name that only neighbours have keeps its whole
    vote. Without any name there are no confidences.
    """
    known = dict.fromkeys((*(head.names if head else ()), *(network.field.names if network else ())))
    names = tuple(known | dict.fromkeys(itertools.chain.from_iterable(neighbours.labels)))
    shares = np.zeros((len(rows), len(names)), np.float32)
    if not names or not len(rows):
        return LabelPrediction(names, shares, 1.0)
    weights = head.fusion(titled=titled) if head else VOTE_ALONE
    if head:
        ends = np.cumsum([len(views) for views in rows])[:-1]
        views = np.split(head.shares(np.concatenate(rows)), ends)
        shares[:, : len(head.names)] = [part.mean(axis=0) for part in views]
    if network:
        part, columns = network.field.part(titled=titled), [names.index(name) for name in network.field.names]
        by_network, knows = np.zeros_like(shares), np.zeros(len(names), np.bool_)
        by_network[:, columns], knows[columns] = network.shares, True
        shares, weights = mix_network(shares, by_network, part.weight, knows), part.fusion
    voted = knn_vote(targets_of(neighbours.labels, names), neighbours.scores, neighbours.rows)
    return LabelPrediction(names, fuse(shares, voted, weights, np.arange(len(names)) < len(known)), weights.threshold)
