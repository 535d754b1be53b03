"""Fit the head/k-NN mixing weight, the temperature and the abstention threshold on holdout products."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from indexer.labels.heads import FusionWeights
from indexer.labels.knn import fuse
from indexer.types import Floats

TARGET_ACCURACY = 0.95  # share of answers above the threshold that must be right
MIN_HOLDOUT = 30  # products with a label, before anything is fitted; and answers that a threshold is fitted on
UNMEASURED = FusionWeights(0.6, 1.0, 0.8)  # fitted on categories of 1,987 fashion products new to the encoder
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
TEMPERATURES = tuple(float(t) for t in np.geomspace(0.4, 2.5, 12))


def fit_fusion(head: Floats, voted: Floats, truth: Floats) -> tuple[FusionWeights, float]:
    """Return the fusion weights of the best likelihood, and the mean negative log likelihood of the truth.

    The arguments are shares (n, labels). The threshold is the lowest that reaches `TARGET_ACCURACY`. With fewer than
    30 labelled examples the weights are `UNMEASURED` and the loss is infinite.
    """
    has_label = truth.sum(axis=1) > 0
    head, voted, truth = head[has_label], voted[has_label], truth[has_label]
    if len(truth) < MIN_HOLDOUT:
        return UNMEASURED, float("inf")
    best, least = FusionWeights(1.0, 1.0, TARGET_ACCURACY), float("inf")
    for share, temperature in itertools.product(SHARES, TEMPERATURES):
        weights = FusionWeights(share, temperature, TARGET_ACCURACY)
        confidence = (fuse(head, voted, weights) * (truth > 0)).sum(axis=1)
        loss = float(-np.log(confidence + 1e-9).mean())
        if loss < least:
            best, least = weights, loss
    confidences = fuse(head, voted, best)
    right = truth[np.arange(len(truth)), confidences.argmax(axis=1)] > 0
    threshold, coverage, answered = abstention_threshold(confidences.max(axis=1), right)
    accuracy = float(right.mean())
    return FusionWeights(best.share, best.temperature, threshold, len(right), accuracy, coverage, answered), least


def abstention_threshold(confidence: Floats, right: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return the lowest confidence whose answers reach `TARGET_ACCURACY`, and the coverage and accuracy above it."""
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero((accuracy >= TARGET_ACCURACY) & (np.arange(1, len(order) + 1) >= MIN_HOLDOUT))
    if not len(enough):
        return TARGET_ACCURACY, 0.0, 0.0
    last = int(enough[-1])
    return float(confidence[order[last]]), (last + 1) / len(order), float(accuracy[last])
