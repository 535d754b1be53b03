"""A linear classifier on vectors of texts: multinomial logistic regression with a temperature, in numpy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
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
        save_heads(path, {"head": self})

    @classmethod
    def load(cls, path: Path) -> LinearHead:
        """Read what `save` wrote. Raises StoreError when the file is missing or damaged."""
        return load_heads(path, ("head",)).heads["head"]


@dataclass(frozen=True, slots=True)
class HeadFile:
    """What one file holds: heads by name, and other arrays that belong to them."""

    heads: Mapping[str, LinearHead]
    arrays: Mapping[str, NDArray[Any]]


def save_heads(path: Path, heads: Mapping[str, LinearHead], arrays: Mapping[str, NDArray[Any]] | None = None) -> None:
    """Write heads and other arrays to one file, as safetensors. The weights are stored as float16."""
    tensors = {f"array.{name}": np.ascontiguousarray(array) for name, array in (arrays or {}).items()}
    facts = {}
    for name, head in heads.items():
        tensors |= {f"{name}.mean": head.mean, f"{name}.bias": head.bias}
        tensors[f"{name}.weights"] = head.weights.astype(np.float16)
        numbers = {"scale": head.scale, "temperature": head.temperature}
        facts[name] = {"labels": head.labels, "about": dict(head.about)} | numbers
    meta = {"format": HEAD_FORMAT, "heads": json.dumps(facts, ensure_ascii=False)}
    data = save(tensors, metadata=meta)
    write_atomically(path, lambda draft: draft.write_bytes(data))


def load_heads(path: Path, names: Sequence[str], arrays: Sequence[str] = ()) -> HeadFile:
    """Read what `save_heads` wrote.

    Raises StoreError when the file is missing or damaged, or lacks a head of `names` or an array of `arrays`.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            meta = file.metadata() or {}
            if meta.get("format") != HEAD_FORMAT:
                raise ValueError("it has another format")
            facts = json.loads(meta["heads"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        heads = {name: _head(tensors, name, facts[name]) for name in names}
        missing = [name for name in arrays if f"array.{name}" not in tensors]
        if missing:
            raise ValueError(f"it lacks {missing[0]}")
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"The classifier {path.name} cannot be read: {error}.", "Restore the file, or fit it again."
        ) from error
    prefix = "array."
    return HeadFile(heads, {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)})


def _head(tensors: Mapping[str, Floats], name: str, facts: Mapping[str, Any]) -> LinearHead:
    mean, weights, bias = (tensors[f"{name}.{part}"] for part in ("mean", "weights", "bias"))
    labels = tuple(map(str, facts["labels"]))
    if weights.shape != (len(mean), len(labels)) or bias.shape != (len(labels),):
        raise ValueError("its arrays do not fit each other")
    scale, temperature = float(facts["scale"]), float(facts["temperature"])
    return LinearHead(labels, mean, scale, weights.astype(np.float32), bias, temperature, facts["about"])


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
