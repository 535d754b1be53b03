"""Figures of ranked lists, and their intervals by bootstrap over visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.recommend.events.interactions import Codes

BOOTSTRAPS = 1_000
DRAWN_TOGETHER = 1 << 18  # visitors: one draw at a time costs ten times as much where they are few
K, SHORT_K = 20, 10
FIGURES = ("recall_at_20", "ndcg_at_20", "map_at_20", "precision_at_10", "recall_at_10", "f1_at_10")

Values = NDArray[np.float64]


def list_figures(ranked: Codes, targets: Codes) -> tuple[float, ...]:
    """Return FIGURES of one list of products, best first, for the products that were right; there is at least one.

    All that was right counts, whether a list could have held it or not. Average precision and the ideal of nDCG are
    those of a list of 20 (Järvelin and Kekäläinen 2002).
    """
    hits = np.isin(ranked[:K], targets)
    places = np.arange(1, len(hits) + 1)
    possible = min(len(targets), K)
    ideal = (1.0 / np.log2(np.arange(2, possible + 2))).sum()
    precisions = np.cumsum(hits) / places
    short = int(hits[:SHORT_K].sum())
    precision, recall = short / SHORT_K, short / len(targets)
    f1 = 2 * precision * recall / (precision + recall) if short else 0.0
    return (
        float(hits.sum() / len(targets)),
        float((hits / np.log2(places + 1)).sum() / ideal),
        float((precisions * hits).sum() / possible),
        precision,
        recall,
        f1,
    )


def bootstrap_interval(values: Values, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean of a figure by visitor (n,), drawn with replacement 1,000 times."""
    low, high = bootstrap_intervals(np.asarray(values)[None], seed)[0].tolist()
    return low, high


def bootstrap_intervals(figures: Values, seed: int = 0) -> Values:
    """Return the 95 % intervals (m, 2) of the means of m figures by visitor (m, n), all of the same 1,000 draws."""
    visitors = figures.shape[1]
    if not visitors:
        return np.zeros((len(figures), 2))
    rng = np.random.default_rng(seed)
    means = np.empty((len(figures), BOOTSTRAPS))
    together = max(1, DRAWN_TOGETHER // visitors)
    for first in range(0, BOOTSTRAPS, together):
        draws = rng.integers(0, visitors, (min(together, BOOTSTRAPS - first), visitors))
        for row, values in zip(means, figures, strict=True):
            row[first : first + len(draws)] = values[draws].mean(axis=1)
    return np.asarray(np.percentile(means, [2.5, 97.5], axis=1).T)


def mean_figures(by_visitor: Sequence[tuple[float, ...]]) -> dict[str, Any]:
    """Return the mean of each of FIGURES with its interval: `name`, `name_low`, `name_high`."""
    table = np.array(by_visitor, np.float64).reshape(-1, len(FIGURES))
    figures: dict[str, Any] = {"visitors": len(table)}
    columns = np.ascontiguousarray(table.T)
    for name, column, (low, high) in zip(FIGURES, columns, bootstrap_intervals(columns).tolist(), strict=True):
        mean = float(column.mean()) if len(table) else 0.0
        figures |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    return figures


def rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures with floats of four decimals, in dictionaries within too."""
    return {
        name: rounded(value) if isinstance(value, Mapping) else round(value, 4) if isinstance(value, float) else value
        for name, value in figures.items()
    }
