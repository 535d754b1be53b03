"""What is searched: rows, questions that are not among them, and the score of the tenth best row of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.files.atomic import record
from indexer.ann.block_weights import shop_weights
from indexer.ann.exact_rerank import exact_scores, top_rows
from indexer.ann.recall import Goal, sample_queries
from indexer.generations.store import open_current
from indexer.layout import RowLayout
from indexer.types import Floats
from tests.bench.peers.contestants import mask_of
from tests.bench.peers.tuning import DEPTH

QUERIES = 100
ROWS, QUESTIONS = "rows.npy", "questions.npz"


@dataclass(frozen=True)
class Workload:
    """Float16 rows, vectors of questions by kind, and the score of the tenth best row with and without the filter."""

    rows: np.ndarray
    questions: Mapping[str, Floats]
    emphasis: Floats
    tenth: Mapping[str, Floats]
    filtered_tenth: Mapping[str, Floats]

    @classmethod
    def with_truth(cls, rows: np.ndarray, questions: Mapping[str, Floats], emphasis: Floats) -> Workload:
        """Find the tenth best rows by reading all."""
        allowed = np.ascontiguousarray(rows[mask_of(len(rows))])
        tenth = {kind: least_scores(rows, vectors) for kind, vectors in questions.items()}
        return cls(rows, questions, emphasis, tenth, {kind: least_scores(allowed, q) for kind, q in questions.items()})

    @classmethod
    def of_shop(cls, home: Path, count: int) -> Workload:
        """Take rows of a shop, `count` at most, and questions that are made of other rows."""
        generation = open_current(home, mapped=True)
        chance = np.random.default_rng(0)
        order = chance.permutation(len(generation.product_keys))
        stored = generation.vectors.rows
        rows = np.asarray(stored[np.sort(order[QUERIES : QUERIES + count])])
        held_out = np.asarray(stored[np.sort(order[:QUERIES])])
        layout = generation.layout
        questions = sample_queries(layout, held_out, shop_weights(layout), Goal(queries=QUERIES))
        return cls.with_truth(rows, questions, emphasis_of(layout))

    def save(self, folder: Path) -> None:
        """Write it for the processes that measure."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / ROWS, self.rows)
        arrays = {"emphasis": self.emphasis}
        for name, part in (("q", self.questions), ("tenth", self.tenth), ("filtered", self.filtered_tenth)):
            arrays |= {f"{name}:{kind}": array for kind, array in part.items()}
        np.savez(folder / QUESTIONS, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Workload:
        """Open what was saved, its rows mapped."""
        arrays: dict[str, dict[str, Floats]] = {"q": {}, "tenth": {}, "filtered": {}}
        with np.load(folder / QUESTIONS) as saved:
            emphasis = saved["emphasis"]
            for name in saved.files:
                part, _, kind = name.partition(":")
                if kind:
                    arrays[part][kind] = saved[name]
        rows = np.load(folder / ROWS, mmap_mode="r")
        return cls(rows, arrays["q"], emphasis, arrays["tenth"], arrays["filtered"])


def digests(folder: Path) -> dict[str, str]:
    """Return the digests of a saved workload's rows and of its questions."""
    return {name: record(folder / name).sha256 for name in (ROWS, QUESTIONS)}


def emphasis_of(layout: RowLayout) -> Floats:
    """Return what each number of a row counts when rows are assigned to lists, as in a build."""
    return layout.weigh(np.ones(layout.dim, np.float32), shop_weights(layout)["picture"])


def least_scores(rows: np.ndarray, queries: Floats) -> Floats:
    """Return the score of the tenth best row of each query."""
    best = top_rows(rows, queries, DEPTH)
    return np.array([exact_scores(rows, q, found).min() for q, found in zip(queries, best, strict=True)], np.float32)
