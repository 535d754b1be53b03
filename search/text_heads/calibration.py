"""Calibration of probabilities: a temperature, and the threshold for a wanted precision."""

from __future__ import annotations

import numpy as np

from indexer.numeric import softmax
from indexer.types import Floats, Ids, Mask

TEMPERATURES = np.geomspace(0.05, 5.0, 121)


def fit_temperature(logits: Floats, targets: Ids) -> float:
    """Return the temperature at which logits (n, labels) have the least log loss (Guo et al. 2017, arXiv:1706.04599).

    The logits must be of texts that the head was not fitted on.
    """
    rows = np.arange(len(targets))
    losses = [-np.log(softmax(logits / t)[rows, targets] + 1e-9).mean() for t in TEMPERATURES.astype(np.float32)]
    return float(TEMPERATURES[int(np.argmin(losses))])


def threshold_for_precision(scores: Floats, correct: Mask, precision: float, fewest: int = 10) -> float:
    """Return the lowest score from which on at least `precision` of all answers are correct; inf where there is none.

    At least `fewest` answers must lie above it.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    ordered, right = np.asarray(scores)[order], np.cumsum(np.asarray(correct)[order])
    counts = np.arange(1, len(order) + 1)
    last = np.append(ordered[1:] < ordered[:-1], True)  # equal scores are answered together
    good = np.flatnonzero(last & (counts >= fewest) & (right / np.maximum(counts, 1) >= precision))
    return float(ordered[good[-1]]) if len(good) else float("inf")
