"""The trainable layers of all label heads in numpy: forward and backward passes, and AdamW on a one-cycle schedule.

They are small enough that a shop's server learns without torch: two matrix products a step and their gradients.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.encoders.projection_heads import ProjectionHead
from indexer.labels.knn import Ints
from indexer.types import Floats

BETA2, EPSILON = 0.999, 1e-8  # of Adam (Kingma and Ba 2015, arXiv:1412.6980)
MOMENTUM = (0.85, 0.95)  # Adam's first beta, at the highest rate and at both ends
START_DIVISOR, END_DIVISOR = 25.0, 1e4  # the rate begins at its peak over the first, and ends at that over the second
_GELU = math.sqrt(2 / math.pi)
_CUBIC = 0.044715


class LabelLayers:
    """A linear map plus a GELU branch that starts at zero: float32 (n, features) to logits (n, outputs).

    The linear map and the branch's inner layer read the same input, so they are one matrix: `outputs` rows, then
    `hidden` rows.
    """

    def __init__(self, features: int, hidden: int, outputs: int, dropout: float, rng: np.random.Generator) -> None:
        bound = 1 / math.sqrt(features)
        self.first: Floats = _uniform(rng, bound, (outputs + hidden, features))
        self.first_bias: Floats = _uniform(rng, bound, (outputs + hidden,))
        self.outer: Floats = np.zeros((outputs, hidden), np.float32)
        self._dropout = dropout
        self._rng = rng

    @property
    def parameters(self) -> list[Floats]:
        """The arrays that a fit changes in place."""
        return [self.first, self.first_bias, self.outer]

    def gradients(self, inputs: Floats, targets: Sequence[Floats], smoothing: float) -> list[Floats]:
        """Return the loss's gradient in each parameter, for a batch with fresh dropout.

        `targets` are the shares (n, labels) of each field; their logits stand side by side.
        """
        outputs = len(self.outer)
        x: Floats = inputs * self._mask(inputs.shape)
        both: Floats = x @ self.first.T + self.first_bias
        inner = both[:, outputs:]
        active, slope = _gelu(inner)
        mask = self._mask(inner.shape)
        active *= mask
        logits = both[:, :outputs] + active @ self.outer.T
        toward = labels_gradient(logits, targets, smoothing)
        inward = (toward @ self.outer) * mask * slope
        backward = np.concatenate([toward, inward], axis=1)
        return [backward.T @ x, backward.sum(axis=0), toward.T @ active]

    def heads(self, mean: Floats, scale: Floats, sizes: Mapping[str, int]) -> dict[str, ProjectionHead]:
        """Return a head for each field, of `sizes` labels; they share the hidden layer."""
        outputs = len(self.outer)
        inner, inner_bias = self.first[outputs:].copy(), self.first_bias[outputs:].copy()
        ends = np.cumsum(list(sizes.values()))[:-1]
        own = (np.split(array, ends) for array in (self.first[:outputs], self.outer, self.first_bias[:outputs]))
        return {
            field: ProjectionHead(mean, scale, linear.copy(), inner, inner_bias, outer.copy(), bias.copy())
            for field, linear, outer, bias in zip(sizes, *own, strict=True)
        }

    def _mask(self, shape: tuple[int, ...]) -> Floats:
        """Return 0 for what is dropped out, and else the factor that keeps the mean."""
        stays = self._rng.random(shape, dtype=np.float32) >= self._dropout
        mask: Floats = stays * np.float32(1 / (1 - self._dropout))
        return mask


def labels_gradient(logits: Floats, targets: Sequence[Floats], smoothing: float) -> Floats:
    """Return the gradient in the logits of each field's mean cross-entropy, summed; unlabelled examples give 0."""
    gradient = np.empty_like(logits)
    start = 0
    for shares in targets:
        end = start + shares.shape[1]
        labelled = shares.sum(axis=1, keepdims=True)
        smooth = shares * (1 - smoothing) + np.float32(smoothing / shares.shape[1])
        probable = np.exp(logits[:, start:end] - logits[:, start:end].max(axis=1, keepdims=True))
        probable /= probable.sum(axis=1, keepdims=True)
        difference = probable * smooth.sum(axis=1, keepdims=True) - smooth
        gradient[:, start:end] = difference * labelled / max(float(labelled.sum()), 1.0)
        start = end
    return gradient


@dataclass(frozen=True, slots=True)
class OneCycle:
    """Rate and momentum by step: up during the share `warm` of the steps, then down (Smith and Topin 2017,
    arXiv:1708.07120).
    """

    rate: float
    steps: int
    warm: float

    def at(self, step: int) -> tuple[float, float]:
        """Return the rate and the momentum of a step, counted from 0."""
        peak = self.warm * self.steps - 1
        low, high = MOMENTUM
        if step <= peak:
            share = step / peak
            return _cosine(self.rate / START_DIVISOR, self.rate, share), _cosine(high, low, share)
        share = (step - peak) / (self.steps - 1 - peak)
        return _cosine(self.rate, self.rate / START_DIVISOR / END_DIVISOR, share), _cosine(low, high, share)


class AdamW:
    """Adam with weight decay that does not pass through its averages (Loshchilov and Hutter 2019, arXiv:1711.05101)."""

    def __init__(self, parameters: Sequence[Floats], schedule: OneCycle, decay: float) -> None:
        self._parameters = parameters
        self._schedule = schedule
        self._decay = decay
        self._means = [np.zeros_like(values) for values in parameters]
        self._squares = [np.zeros_like(values) for values in parameters]
        self._step = 0

    def step(self, gradients: Sequence[Floats]) -> None:
        """Change the parameters in place."""
        rate, beta = self._schedule.at(self._step)
        self._step += 1
        first, second = 1 - beta**self._step, math.sqrt(1 - BETA2**self._step)
        moments = zip(self._parameters, gradients, self._means, self._squares, strict=True)
        for values, gradient, mean, square in moments:
            values *= np.float32(1 - rate * self._decay)
            mean *= np.float32(beta)
            mean += np.float32(1 - beta) * gradient
            square *= np.float32(BETA2)
            square += np.float32(1 - BETA2) * gradient * gradient
            values -= np.float32(rate / first) * mean / (np.sqrt(square) / np.float32(second) + np.float32(EPSILON))


def shuffled(rng: np.random.Generator, rows: Ints, batch: int) -> Iterator[Ints]:
    """Yield batches of the rows without end, each pass in another order; fewer rows than a batch are one batch."""
    while True:
        order = rng.permutation(rows)
        for start in range(0, max(1, len(rows) - batch + 1), batch):
            yield order[start : start + batch]


def _gelu(x: Floats) -> tuple[Floats, Floats]:
    """Return the tanh form of GELU and its slope."""
    squares = x * x
    bend = np.tanh(np.float32(_GELU) * (x + np.float32(_CUBIC) * x * squares))
    inner = np.float32(_GELU) * (1 + np.float32(3 * _CUBIC) * squares)
    return 0.5 * x * (1 + bend), 0.5 * (1 + bend) + 0.5 * x * (1 - bend * bend) * inner


def _uniform(rng: np.random.Generator, bound: float, shape: tuple[int, ...]) -> Floats:
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
