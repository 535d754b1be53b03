"""How far to trust a head and the neighbours, and from which confidence on to answer: fitted on what was kept aside."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from indexer.labels.heads import FusionWeights
from indexer.labels.knn import fuse
from indexer.types import Floats

RELIED_ON = 0.95  # accuracy wanted of what is answered
LEAST_ANSWERED = 30  # products kept aside above a cut, before it is believed; and of all, before a blend is
UNMEASURED = FusionWeights(
    0.6, 1.0, 0.8
)  # what 1,987 fashion products that were new to the encoder chose for categories
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
TEMPERATURES = tuple(float(t) for t in np.geomspace(0.4, 2.5, 12))


def fit_blend(head: Floats, voted: Floats, truth: Floats) -> FusionWeights:
    """The share and temperature of the best likelihood, and the lowest cut that reaches the accuracy relied on.

    Of fewer than 30 examples with a label, `UNMEASURED`.
    """
    return fit_fusion(head, voted, truth)[0]


def fit_fusion(head: Floats, voted: Floats, truth: Floats) -> tuple[FusionWeights, float]:
    """As `fit_blend`, with the mean negative log likelihood of the truth; infinite where nothing was fitted."""
    told = truth.sum(axis=1) > 0
    head, voted, truth = head[told], voted[told], truth[told]
    if len(truth) < LEAST_ANSWERED:
        return UNMEASURED, float("inf")
    best, least = FusionWeights(1.0, 1.0, RELIED_ON), float("inf")
    for share, temperature in itertools.product(SHARES, TEMPERATURES):
        blend = FusionWeights(share, temperature, RELIED_ON)
        confidence = (fuse(head, voted, blend) * (truth > 0)).sum(axis=1)
        loss = float(-np.log(confidence + 1e-9).mean())
        if loss < least:
            best, least = blend, loss
    confidences = fuse(head, voted, best)
    right = truth[np.arange(len(truth)), confidences.argmax(axis=1)] > 0
    cut, coverage, accuracy = abstention_threshold(confidences.max(axis=1), right)
    return FusionWeights(best.share, best.temperature, cut, len(right), float(right.mean()), coverage, accuracy), least


def abstention_threshold(confidence: Floats, right: NDArray[np.bool_]) -> tuple[float, float, float]:
    """The lowest confidence from which on answers are as accurate as is relied on, their share, their accuracy."""
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero((accuracy >= RELIED_ON) & (np.arange(1, len(order) + 1) >= LEAST_ANSWERED))
    if not len(enough):
        return RELIED_ON, 0.0, 0.0
    last = int(enough[-1])
    return float(confidence[order[last]]), (last + 1) / len(order), float(accuracy[last])
