"""A linear classifier on vectors of texts: multinomial logistic regression with a temperature, in numpy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from catalog.errors import StoreError
from catalog.files.atomic import write_atomically
from indexer.numeric import softmax
from indexer.types import Floats

HEAD_FORMAT = "1"
PENALTY = 3e-4  # of the squared weights, beside the mean loss of an example
STEPS = 400
LIPSCHITZ = 0.5  # bound of the curvature of the softmax loss, for rows of unit length (Boehning 1992)


@dataclass(frozen=True, slots=True)
class LinearHead:
    """Predicts one of `labels` from rows (n, dim): softmax((rows - mean) / scale @ weights + bias) at a temperature.

    `about` says what the head was fitted on, for example the digest of its examples.
    """

    labels: tuple[str, ...]
    mean: Floats  # (dim,)
    scale: float
    weights: Floats  # (dim, labels)
    bias: Floats  # (labels,)
    temperature: float = 1.0
    about: Mapping[str, str] = field(default_factory=dict)

    def logits(self, rows: Floats) -> Floats:
        """Return the logits divided by the temperature, float32 (n, labels)."""
        inputs = (rows - self.mean) / self.scale
        return np.asarray((inputs @ self.weights + self.bias) / self.temperature, np.float32)

    def probabilities(self, rows: Floats) -> Floats:
        """Return the probability of each label, float32 (n, labels)."""
        return softmax(self.logits(rows))

    def with_temperature(self, temperature: float) -> LinearHead:
        """Return the head with another temperature."""
        return replace(self, temperature=float(temperature))

    def save(self, path: Path) -> None:
        """Write the head as safetensors. The weights are stored as float16."""
        tensors = {"mean": self.mean, "weights": self.weights.astype(np.float16), "bias": self.bias}
        numbers = {"scale": repr(float(self.scale)), "temperature": repr(float(self.temperature))}
        about = {f"about.{name}": value for name, value in self.about.items()}
        known = {"format": HEAD_FORMAT, "labels": json.dumps(self.labels, ensure_ascii=False)}
        data = save(tensors, metadata=known | numbers | about)
        write_atomically(path, lambda draft: draft.write_bytes(data))

    @classmethod
    def load(cls, path: Path) -> LinearHead:
        """Read what `save` wrote. Raises StoreError when the file is missing or damaged."""
        try:
            with safe_open(path, framework="numpy") as file:
                meta = file.metadata() or {}
                if meta.get("format") != HEAD_FORMAT:
                    raise ValueError("another format")
                mean, weights, bias = (file.get_tensor(name) for name in ("mean", "weights", "bias"))
            labels = tuple(json.loads(meta["labels"]))
            if weights.shape != (len(mean), len(labels)) or bias.shape != (len(labels),):
                raise ValueError("shapes that do not fit")
            about = {name.removeprefix("about."): value for name, value in meta.items() if name.startswith("about.")}
            scale, temperature = float(meta["scale"]), float(meta["temperature"])
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise StoreError(
                f"The classifier {path.name} cannot be read: {error}.", "Restore the file, or fit it again."
            ) from error
        return cls(labels, mean, scale, weights.astype(np.float32), bias, temperature, about)


def fit_head(
    rows: Floats,
    labels: Sequence[str],
    *,
    penalty: float = PENALTY,
    weights: Floats | None = None,
    about: Mapping[str, str] | None = None,
) -> LinearHead:
    """Fit a head on rows (n, dim) by gradient descent with momentum (Nesterov 1983), which gives the same each time.

    `penalty` multiplies half the squared weights, `weights` (n,) are those of the examples. Raises ValueError with
    fewer than two labels.
    """
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise ValueError("a head needs examples of at least two labels")
    mean = np.asarray(rows.mean(axis=0), np.float32)
    centred = rows - mean
    scale = float(np.sqrt((centred**2).sum(axis=1).mean())) or 1.0
    inputs = np.asarray(centred / scale, np.float32)
    places = {name: place for place, name in enumerate(names)}
    targets = np.zeros((len(rows), len(names)), np.float32)
    targets[np.arange(len(rows)), [places[label] for label in labels]] = 1.0
    share = np.full(len(rows), 1.0, np.float32) if weights is None else np.asarray(weights, np.float32)
    matrix = _minimise(inputs, targets, share / share.sum(), penalty)
    return LinearHead(names, mean, scale, matrix[:-1], matrix[-1], about=about or {})


def _minimise(inputs: Floats, targets: Floats, shares: Floats, penalty: float) -> Floats:
    """Return weights and, in the last row, biases that minimise the mean loss plus the penalty of the weights."""
    x = np.concatenate([inputs, np.ones((len(inputs), 1), np.float32)], axis=1)
    step = 1 / (LIPSCHITZ * _curvature(x, shares) + penalty)
    penalties = np.full((x.shape[1], 1), penalty, np.float32)
    penalties[-1] = 0.0  # the bias
    now = ahead = np.zeros((x.shape[1], targets.shape[1]), np.float32)
    weighted = x * shares[:, None]
    for number in range(STEPS):
        gradient = weighted.T @ (softmax(x @ ahead) - targets) + penalties * ahead
        following = np.asarray(ahead - step * gradient, np.float32)
        ahead = following + (number / (number + 3)) * (following - now)
        now = following
    return now


def _curvature(x: Floats, shares: Floats) -> float:
    """Return the largest eigenvalue of the weighted second moment of the rows, by power iteration."""
    vector = np.ones(x.shape[1], np.float32)
    value = 1.0
    for _ in range(30):
        product = x.T @ (shares * (x @ vector))
        value = float(np.linalg.norm(product))
        if value == 0.0:
            return 1.0
        vector = product / value
    return value * 1.05  # the iteration approaches it from below
