"""Compute figures over samples of questions: intervals by resampling, AUROC, and calibration errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 1_000
LOW, HIGH = 2.5, 97.5  # percentiles: 95 % of the rounds lie between them
DIGITS = 6
BINS = 10
DRAWN_TOGETHER = 100_000  # entries that are drawn at once

Interval = tuple[float, float]
Numbers = NDArray[np.float64]


def bootstrap(
    statistic: Callable[..., float | None], *samples: Sequence[Any] | NDArray[Any], rounds: int = ROUNDS, seed: int = 0
) -> Interval | None:
    """Return the 95 % interval of a statistic when each sample is drawn again with replacement; `seed` fixes it.

    A sample has an entry, or a row, for each question. None when a sample is empty or no round has a figure.
    """
    arrays = [np.asarray(sample) for sample in samples]
    if not all(len(array) for array in arrays):
        return None
    rng = np.random.default_rng(seed)
    figures: Sequence[float] | Numbers
    if statistic is mean and [array.ndim for array in arrays] == [1]:
        figures = _drawn_means(arrays[0], rounds, rng)
    else:
        drawn = (statistic(*(a[rng.integers(len(a), size=len(a))] for a in arrays)) for _ in range(rounds))
        figures = [figure for figure in drawn if figure is not None]
    if not len(figures):
        return None
    low, high = np.percentile(figures, (LOW, HIGH))
    return float(low), float(high)


def _drawn_means(values: NDArray[Any], rounds: int, rng: np.random.Generator) -> Numbers:
    """Return the mean of each round, (rounds,), of rows drawn as one by one, many rounds at a time."""
    together = max(1, DRAWN_TOGETHER // len(values))
    sizes = [min(together, rounds - begun) for begun in range(0, rounds, together)]
    n = len(values)
    return np.concatenate([values[rng.integers(n, size=(size, n))].mean(axis=1) for size in sizes])


def measured(
    name: str, statistic: Callable[..., float | None], *samples: Sequence[Any] | NDArray[Any]
) -> dict[str, Any]:
    """Return a figure and its interval as JSON values under `name` and `name_interval`; None for an empty sample."""
    arrays = [np.asarray(sample) for sample in samples]
    figure = statistic(*arrays) if all(len(array) for array in arrays) else None
    interval = bootstrap(statistic, *arrays)
    return {
        name: None if figure is None else round(figure, DIGITS),
        f"{name}_interval": None if interval is None else [round(end, DIGITS) for end in interval],
    }


def mean(values: NDArray[Any]) -> float:
    """Return the mean, which for outcomes is the share that are true."""
    return float(values.mean())


def auroc(higher: NDArray[Any], lower: NDArray[Any]) -> float:
    """Return how probably a member of `higher` is greater than a member of `lower`; a tie counts half."""
    ordered = np.sort(lower)
    beaten = np.searchsorted(ordered, higher, "left") + np.searchsorted(ordered, higher, "right")
    return float(beaten.mean() / (2 * len(ordered)))


def calibration_error(rows: Numbers, bins: int = BINS) -> float:
    """Return the expected calibration error of rows (stated, true), (n, 2).

    It is |mean stated - mean true|, averaged over bins of equal count.
    """
    ordered = rows[np.argsort(rows[:, 0], kind="stable")]
    size, larger = divmod(len(rows), bins)
    sizes = np.array([size + 1] * larger + [size] * (bins - larger))  # as `equal_bins` has them
    starts = (np.cumsum(sizes) - sizes)[sizes > 0]
    return float(np.abs(np.add.reduceat(ordered[:, 0] - ordered[:, 1], starts)).sum() / len(rows))


def perfect_error(rows: Numbers, rounds: int = ROUNDS, seed: int = 0) -> float:
    """Return the mean `calibration_error` when the truths of rows (stated, true) are drawn as stated: pure chance."""
    rng = np.random.default_rng(seed)
    stated = rows[:, 0]
    drawn = (np.column_stack([stated, rng.random(len(stated)) < stated]) for _ in range(rounds))
    return float(np.mean([calibration_error(sample) for sample in drawn]))


def equal_bins(rows: Numbers, bins: int) -> list[Numbers]:
    """Return rows (stated, true) in the order of what is stated, in bins of equal count; none is empty."""
    ordered = rows[np.argsort(rows[:, 0], kind="stable")]
    return [part for part in np.array_split(ordered, bins) if len(part)]
