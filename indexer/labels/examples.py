"""Labelled rows to learn from, and the queries that compare rows as the search engine does. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.labels.knn import Ints
from indexer.layout import WORDS, RowLayout
from indexer.types import Floats

MIN_EXAMPLES = 5  # fewest examples with which a head learns a label; below, only the k-NN vote predicts it


@dataclass(frozen=True, slots=True)
class LabelExamples:
    """Labelled examples: one row each, in an index's layout, with its title's block.

    weights: of the blocks, when neighbours are searched; rows: float32 (n, layout.dim); groups: int64 (n,), examples of
    one group are (nearly) one thing and stay on one side of every split; fresh: bool (n,), whether the encoder was not
    trained on the picture; labels: for each field the names of each example, several or none.
    """

    layout: RowLayout
    weights: Mapping[str, float]
    rows: Floats
    groups: Ints
    fresh: NDArray[np.bool_]
    labels: Mapping[str, Sequence[tuple[str, ...]]]

    def take(self, chosen: Ints) -> LabelExamples:
        """Return the examples at these positions."""
        labels = {field: [names[i] for i in chosen.tolist()] for field, names in self.labels.items()}
        return LabelExamples(
            self.layout, self.weights, self.rows[chosen], self.groups[chosen], self.fresh[chosen], labels
        )


def targets_of(labels: Sequence[tuple[str, ...]], names: Sequence[str]) -> Floats:
    """Return each example's shares of the labels, float32 (n, names): equal parts of its own names, or zeros."""
    columns = {name: i for i, name in enumerate(names)}
    targets = np.zeros((len(labels), len(names)), np.float32)
    for row, own in enumerate(labels):
        for name in own:
            if name in columns:
                targets[row, columns[name]] = 1.0
    total = targets.sum(axis=1, keepdims=True)
    return np.asarray(targets / np.where(total == 0, 1, total), dtype=np.float32)


def words_slice(layout: RowLayout) -> slice:
    """Return the place of the words block in a row; an empty slice where the layout has none."""
    return layout.slice(WORDS) if WORDS in layout.names else slice(0, 0)


def neighbour_queries(layout: RowLayout, weights: Mapping[str, float], rows: Floats, titled: bool) -> Floats:
    """Return queries whose product with rows is the engine's score: the weighted mean of the blocks' cosines.

    Without a title, the picture's text block is compared with titles; with one, picture and title count equally.
    """
    encoded = rows[:, : layout.encoder_dim]
    total = sum(map(abs, weights.values()))
    queries = layout.weigh(layout.queries(encoded), weights)
    if titled and layout.text_block is not None:
        title = np.zeros_like(encoded)
        title[:, layout.slice(layout.text_block)] = rows[:, layout.slice(WORDS)]
        queries = queries + layout.weigh(layout.queries(title), weights)
        total *= 2
    return np.asarray(queries / np.float32(total or 1.0), dtype=np.float32)
