"""Calibrate probabilities on later weeks: scale and move their logits (Platt 1999)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from indexer.types import Floats, Mask

STEPS = 25  # of Newton's method, which is done after some six
PRIOR = 10.0  # a penalty on leaving slope 1 and offset 0, in cases
_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class LogitScale:
    """A line through the logits of probabilities; slope 1 and offset 0 leave them as they are."""

    slope: float = 1.0
    offset: float = 0.0

    @classmethod
    def fit(cls, probabilities: Floats, labels: Mask) -> Self:
        """Fit the line to cases (m,) by maximum likelihood, near to the identity where they are few."""
        logits = _logits(probabilities)
        inputs = np.stack([logits, np.ones_like(logits)], axis=1)
        identity = np.array([1.0, 0.0])
        weights = identity.copy()
        for _ in range(STEPS):
            found = _sigmoid(inputs @ weights)
            gradient = inputs.T @ (found - labels) + PRIOR * (weights - identity)
            curvature = (inputs * (found * (1 - found))[:, None]).T @ inputs + PRIOR * np.eye(2)
            weights = weights - np.linalg.solve(curvature, gradient)
        return cls(float(weights[0]), float(weights[1]))

    def of(self, probabilities: Floats) -> Floats:
        """Return calibrated probabilities, float32 (m,)."""
        return _sigmoid(self.slope * _logits(probabilities) + self.offset).astype(np.float32)


def _logits(probabilities: Floats) -> NDArray[np.float64]:
    bounded = np.clip(probabilities.astype(np.float64), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(bounded / (1 - bounded)))


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))
