"""How good probabilities are: AUROC, log loss and calibration, with intervals by bootstrap over groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats, Mask

BINS = 20  # of equal numbers of cases, for the calibration error
SAMPLES = 200
SEED = 17
FIGURES = ("auroc", "log_loss", "ece")
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GroupedPredictions:
    """Probabilities of cases (m,), whether they came true, and the group of each, from 0 to before `count`.

    The cases of a group, such as a visitor or a product, depend on each other, so that groups are drawn, not cases.
    """

    probabilities: Floats
    labels: Mask
    groups: NDArray[np.int64]
    count: int

    def figures(self, weights: Values | None = None) -> dict[str, float]:
        """Return AUROC, log loss and expected calibration error; `weights` (count,) are those of groups."""
        weights = np.ones(self.count) if weights is None else weights
        total = float(weights @ self._cases)
        gaps = np.abs(weights @ self._differences).sum()
        return {
            "auroc": self._auroc(weights),
            "log_loss": float(weights @ self._losses) / total,
            "ece": float(gaps) / total,
        }

    def _auroc(self, weights: Values) -> float:
        """Return the probability that a true case is above another; cases of one probability count half."""
        order, begins = self._order
        weight = weights[self.groups[order]]
        labels = self.labels[order]
        true = np.add.reduceat(weight * labels, begins)
        others = np.add.reduceat(weight * ~labels, begins)
        below = np.cumsum(others) - others / 2
        return float(true @ below / (true.sum() * others.sum()))

    @cached_property
    def _order(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        order = np.argsort(self.probabilities, kind="stable")
        ordered = self.probabilities[order]
        return order, np.append(0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)

    @cached_property
    def _cases(self) -> Values:
        return np.bincount(self.groups, minlength=self.count).astype(np.float64)

    @cached_property
    def _losses(self) -> Values:
        bounded = np.clip(self.probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
        losses = -np.log(np.where(self.labels, bounded, 1 - bounded))
        return np.bincount(self.groups, losses, self.count).astype(np.float64)

    @cached_property
    def _differences(self) -> Values:
        """Return by group and bin the sum of probabilities less the number of true cases, (count, BINS)."""
        places = np.empty(len(self.labels), np.int64)
        places[self._order[0]] = np.arange(len(places)) * BINS // max(len(places), 1)
        cells = self.groups * BINS + places
        differences = self.probabilities.astype(np.float64) - self.labels
        sums = np.bincount(cells, differences, self.count * BINS)
        return sums.reshape(self.count, BINS).astype(np.float64)


def drawn_groups(count: int) -> Iterator[Values]:
    """Yield SAMPLES weights of groups (count,): how often each is drawn when `count` groups are, with replacement."""
    rng = np.random.default_rng(SEED)
    for _ in range(SAMPLES):
        yield rng.multinomial(count, np.full(count, 1 / count)).astype(np.float64)


def with_intervals(model: GroupedPredictions, table: GroupedPredictions) -> dict[str, Any]:
    """Return the figures of a model, and 95 % intervals of them and of its log loss by that of a table."""
    drawn: dict[str, list[float]] = {name: [] for name in (*FIGURES, "log_loss_by_table")}
    for weights in drawn_groups(model.count):
        for name, value in model.figures(weights).items():
            drawn[name].append(value)
        drawn["log_loss_by_table"].append(float(weights @ model._losses / (weights @ table._losses)))
    intervals = {name: np.quantile(values, (0.025, 0.975)).tolist() for name, values in drawn.items()}
    own = model.figures()
    return own | {"log_loss_by_table": own["log_loss"] / table.figures()["log_loss"], "intervals": intervals}
