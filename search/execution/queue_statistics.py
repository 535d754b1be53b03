"""Counts of a queue for the metrics: how many wait, how long they waited, and how many did not get their turn."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0)
SIZES = (1, 2, 4, 8, 16, 32)
LATE, FULL = "late", "full"  # why something was dropped: its deadline could not be met; too many waited already


class Distribution:
    """How often values fell below each bound. Not thread-safe: its owner holds a lock."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """Return how many values were at most each bound, as (bound, count); the last bound is "+Inf"."""
        count, rows = 0, []
        for bound, more in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            count += more
            rows.append((bound, float(count)))
        return rows


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """What a queue counted since the server started: rows of `Distribution.cumulative`, with the sum of the values."""

    name: str
    pending: int
    dropped: tuple[tuple[str, int], ...]  # (LATE or FULL, how many)
    waits: tuple[list[tuple[str, float]], float]  # seconds
    sizes: tuple[list[tuple[str, float]], float] | None = None  # rows of a batch; None where nothing is batched
