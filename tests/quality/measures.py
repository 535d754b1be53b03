"""What the figures are: small pure functions of ranks, probabilities and truths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.evaluation.evaluate import RECALLS, mean_reciprocal_rank, recall_at
from search.evaluation.statistics import DIGITS, Numbers, mean, measured

Rank = int | None


def ratio(counts: NDArray[Any]) -> float | None:
    """Of rows (found, asked): all that was found as a share of all that was asked; None when nothing was."""
    found, asked = counts.sum(axis=0)
    return float(found / asked) if asked else None


def rank_figures(ranks: Sequence[Rank]) -> dict[str, Any]:
    """Queries, recall at 1, 5 and 10 and the mean reciprocal rank, each with its interval, as JSON values."""
    figures: dict[str, Any] = {"queries": len(ranks)}
    for k in RECALLS:
        figures |= measured(f"recall_at_{k}", mean, [recall_at([rank], k) for rank in ranks])
    return figures | measured("mrr", mean, [mean_reciprocal_rank([rank]) for rank in ranks])


def roc_points(higher: Numbers, lower: Numbers) -> tuple[Numbers, Numbers]:
    """The ROC curve from (0, 0) to (1, 1): the shares of `lower` and of `higher` at or above each cut, falling cuts."""
    cuts = np.concatenate([[np.inf], np.unique(np.concatenate([higher, lower]))[::-1]])
    return (lower[None, :] >= cuts[:, None]).mean(axis=1), (higher[None, :] >= cuts[:, None]).mean(axis=1)


def precision(called: NDArray[np.bool_], called_wrongly: NDArray[np.bool_]) -> float | None:
    """Of all that was called something, the share that is it: outcomes of those that are, and of those that are not."""
    right, wrong = int(called.sum()), int(called_wrongly.sum())
    return right / (right + wrong) if right + wrong else None


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions whose stated probability lies between `low` and `high`: its mean, how often it came true, how many."""

    low: float
    high: float
    stated: float
    true: float
    count: int


def reliability(probabilities: Sequence[float], truths: Sequence[bool], bins: int = 10) -> list[Bin]:
    """What was stated beside what came true, in bins of equal width; bins without a question are left out."""
    stated, true = np.asarray(probabilities, dtype=float), np.asarray(truths, dtype=float)
    number = np.minimum((stated * bins).astype(int), bins - 1)
    found = []
    for k in np.unique(number).tolist():
        inside = number == k
        means = (round(mean(values[inside]), DIGITS) for values in (stated, true))
        found.append(Bin(k / bins, (k + 1) / bins, *means, int(inside.sum())))
    return found


def same_at(found: Sequence[str], own: str, k: int) -> float:
    """The share of the first k places that something with one's own label holds; a place left empty holds nothing."""
    return sum(label == own for label in found[:k]) / k


def best_same_at(members: int, k: int) -> float:
    """The most that `same_at` can be for one of so many members: it is never its own hit."""
    return min(members - 1, k) / k
