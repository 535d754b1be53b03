"""Logistic regression on a few named features, with a probability as its result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from indexer.types import Floats

NEWTON_STEPS = 30
RIDGE = 1e-3  # of the squared weights, beside the mean loss of an example
MAX_LOGIT = 30.0
MIN_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Logistic:
    """The logit of a row (n, features) is (row - mean) / spread @ weights + bias. A feature that is NaN is unknown."""

    mean: Floats  # (features,)
    spread: Floats  # (features,)
    weights: Floats  # (features,)
    bias: float

    def logits(self, rows: Floats) -> Floats:
        """Return the logits (n,); an unknown feature counts as its mean."""
        inputs = np.nan_to_num((rows - self.mean) / self.spread, nan=0.0)
        return np.asarray(np.clip(inputs @ self.weights + self.bias, -MAX_LOGIT, MAX_LOGIT), np.float32)

    def probabilities(self, rows: Floats) -> Floats:
        """Return the probabilities (n,)."""
        return np.asarray(1 / (1 + np.exp(-self.logits(rows))), np.float32)

    def array(self) -> Floats:
        """Return everything as one array (4, features), for a file."""
        return np.stack([self.mean, self.spread, self.weights, np.full_like(self.mean, self.bias)])

    @classmethod
    def of_array(cls, array: Floats) -> Logistic:
        """Return what `array` was made of. Raises ValueError for another shape."""
        mean, spread, weights, bias = array
        return cls(mean, spread, weights, float(bias[0]))


def fit_logistic(rows: Floats, correct: Floats, shares: Floats | None = None) -> Logistic:
    """Fit by Newton's method to rows (n, features) and `correct` (n,) of 0 and 1; `shares` (n,) weigh the examples."""
    weigh = np.ones(len(rows)) if shares is None else np.asarray(shares, np.float64)
    weigh = weigh / weigh.sum()
    mean, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), MIN_SPREAD)
    design = np.concatenate([(rows - mean) / spread, np.ones((len(rows), 1))], axis=1).astype(np.float64)
    ridge = np.full(design.shape[1], RIDGE)
    ridge[-1] = 0.0  # the bias
    weights = np.zeros(design.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -MAX_LOGIT, MAX_LOGIT)))
        gradient = design.T @ (weigh * (p - correct)) + ridge * weights
        curvature = (design * (weigh * p * (1 - p))[:, None]).T @ design + np.diag(np.maximum(ridge, 1e-9))
        weights -= np.linalg.solve(curvature, gradient)
    return Logistic(
        np.asarray(mean, np.float32),
        np.asarray(spread, np.float32),
        np.asarray(weights[:-1], np.float32),
        float(weights[-1]),
    )
