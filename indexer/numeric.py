"""Small numeric helpers: unit vectors, the logistic function, and iteration in batches."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from indexer.types import Floats

Item = TypeVar("Item")
STEEPEST = 60.0  # of logits, so that exp never overflows


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-logit)), never overflowing."""
    return 1 / (1 + math.exp(-max(-STEEPEST, min(STEEPEST, logit))))


def unit(vectors: Floats) -> Floats:
    """Each row divided by its length; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0.0, 1.0, lengths), dtype=np.float32)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, `size` at a time, as they come."""
    remaining = iter(items)
    while batch := list(itertools.islice(remaining, size)):
        yield batch


def chunks(count: int, size: int) -> Iterator[slice]:
    """Slices of `size` that cover 0 to `count`."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
