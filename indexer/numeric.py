"""Small numeric helpers: unit vectors, the logistic function, numbers of names, and iteration in batches."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from indexer.types import Floats, Ids

Item = TypeVar("Item")
MAX_LOGIT = 60.0  # so that exp never overflows


def sigmoid(logit: float) -> float:
    """Return 1 / (1 + exp(-logit)) without overflow."""
    return 1 / (1 + math.exp(-max(-MAX_LOGIT, min(MAX_LOGIT, logit))))


def unit(vectors: Floats) -> Floats:
    """Divide each row by its length; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0.0, 1.0, lengths), dtype=np.float32)


def number_names(names: Sequence[str]) -> Ids:
    """Number the different names from 0 in alphabetical order, int64 (n,); equal names get equal numbers."""
    return np.unique(np.asarray(names, dtype=str), return_inverse=True)[1].astype(np.int64)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of up to `size` items as they come."""
    remaining = iter(items)
    while batch := list(itertools.islice(remaining, size)):
        yield batch


def chunks(count: int, size: int) -> Iterator[slice]:
    """Return slices of `size` that cover 0 to `count`."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def softmax(values: Floats) -> Floats:
    """Return the softmax along the last axis, float32."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)
