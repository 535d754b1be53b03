"""How good probabilities are: AUROC, log loss and calibration, with intervals by bootstrap over visitors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats, Mask

BINS = 20  # of equal numbers of pairs, for the calibration error
SAMPLES = 200
SEED = 17
FIGURES = ("auroc", "log_loss", "ece")
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PurchasePredictions:
    """Probabilities of pairs (m,), whether they were bought, and the visitor of each, from 0 to before `count`."""

    probabilities: Floats
    labels: Mask
    visitors: NDArray[np.int64]
    count: int

    def figures(self, weights: Values | None = None) -> dict[str, float]:
        """Return AUROC, log loss and expected calibration error; `weights` (count,) are those of visitors."""
        weights = np.ones(self.count) if weights is None else weights
        total = float(weights @ self._pairs)
        gaps = np.abs(weights @ self._differences).sum()
        return {
            "auroc": self._auroc(weights),
            "log_loss": float(weights @ self._losses) / total,
            "ece": float(gaps) / total,
        }

    def _auroc(self, weights: Values) -> float:
        """Return the probability that a bought pair is above another; pairs of one probability count half."""
        order, begins = self._order
        weight = weights[self.visitors[order]]
        labels = self.labels[order]
        bought = np.add.reduceat(weight * labels, begins)
        others = np.add.reduceat(weight * ~labels, begins)
        below = np.cumsum(others) - others / 2
        return float(bought @ below / (bought.sum() * others.sum()))

    @cached_property
    def _order(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        order = np.argsort(self.probabilities, kind="stable")
        ordered = self.probabilities[order]
        return order, np.append(0, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1)

    @cached_property
    def _pairs(self) -> Values:
        return np.bincount(self.visitors, minlength=self.count).astype(np.float64)

    @cached_property
    def _losses(self) -> Values:
        bounded = np.clip(self.probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
        losses = -np.log(np.where(self.labels, bounded, 1 - bounded))
        return np.bincount(self.visitors, losses, self.count).astype(np.float64)

    @cached_property
    def _differences(self) -> Values:
        """Return by visitor and bin the sum of probabilities less the number of bought pairs, (count, BINS)."""
        places = np.empty(len(self.labels), np.int64)
        places[self._order[0]] = np.arange(len(places)) * BINS // max(len(places), 1)
        cells = self.visitors * BINS + places
        differences = self.probabilities.astype(np.float64) - self.labels
        sums = np.bincount(cells, differences, self.count * BINS)
        return sums.reshape(self.count, BINS).astype(np.float64)


def with_intervals(model: PurchasePredictions, table: PurchasePredictions) -> dict[str, Any]:
    """Return the figures of a model, and 95 % intervals of them and of its log loss by that of a table."""
    draws = np.random.default_rng(SEED).multinomial(model.count, np.full(model.count, 1 / model.count), SAMPLES)
    drawn: dict[str, list[float]] = {name: [] for name in (*FIGURES, "log_loss_by_table")}
    for weights in draws.astype(np.float64):
        for name, value in model.figures(weights).items():
            drawn[name].append(value)
        drawn["log_loss_by_table"].append(float(weights @ model._losses / (weights @ table._losses)))
    intervals = {name: np.quantile(values, (0.025, 0.975)).tolist() for name, values in drawn.items()}
    own = model.figures()
    return own | {"log_loss_by_table": own["log_loss"] / table.figures()["log_loss"], "intervals": intervals}
