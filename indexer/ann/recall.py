"""How much of the truth an index finds, and how hard it must look to find enough of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.errors import GenerationError
from indexer.ann.block_weights import gate_depth, title_weight_from_recall
from indexer.ann.exact_rerank import OVERFETCH, RerankedSearch, best_rows, exact_scores
from indexer.ann.faiss_index import FLAT, IVF_PQ, VectorIndex
from indexer.ann.mmap_arrays import release_pages
from indexer.layout import WORDS, RowLayout
from indexer.types import Floats, IndexRecord, Recall

DEPTH = 10
TARGET = 0.99
LEAST = 0.95
QUERIES = 200
JUDGED_TITLES = 2_000
TIE = 1e-5

Rows = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Goal:
    """How good an index should be: it is tuned for `target` and refused under `least`."""

    target: float = TARGET
    least: float = LEAST
    queries: int = QUERIES
    seed: int = 0


def tune(
    index: VectorIndex, rows: Rows, queries: Mapping[str, Floats], goal: Goal, first: int = 1
) -> tuple[IndexRecord, Recall]:
    """The fewest lists to probe (a power of two) that reach the target for every kind of query, and the recall then.

    No fewer than `first` are tried. `queries` maps "picture", "text" and variants such as "text alone" to query
    vectors (m, dim); the recall of a kind is that of its worst variant. Raises GenerationError when even probing all
    lists stays under `goal.least`.
    """
    total = sum(len(vectors) for vectors in queries.values())
    overfetch = 4 * OVERFETCH if index.kind == IVF_PQ else OVERFETCH
    record = IndexRecord(index.kind, index.lists, first, overfetch, goal.seed)
    truths = {name: _truth(rows, vectors) for name, vectors in queries.items()}
    while True:
        search = RerankedSearch(index, rows, record.nprobe, record.overfetch)
        reached = {name: _recall(search, vectors, truths[name]) for name, vectors in queries.items()}
        release_pages(rows)
        if min(reached.values()) >= goal.target or record.nprobe >= max(index.lists, 1):
            break
        record = replace(record, nprobe=min(record.nprobe * 2, index.lists))
    recall = Recall(_worst(reached, "picture") or 0.0, _worst(reached, "text"), total)
    if min(reached.values()) < goal.least:
        figures = ", ".join(f"{value:.3f} for {name} queries" for name, value in reached.items())
        raise GenerationError(
            f"The index finds too few of the true neighbours: {figures}. Under {goal.least:.2f} it is not published,"
            " and the index before it stays in use.",
            "Build again with --kind ivf_sq8 or --kind flat, which need more memory and find more.",
        )
    return record if index.kind != FLAT else replace(record, nprobe=0, overfetch=0), recall


def sample_queries(
    layout: RowLayout, rows: Rows, weights: Mapping[str, Mapping[str, float]], goal: Goal
) -> dict[str, Floats]:
    """Queries as shoppers ask them, made from a sample of rows: their pictures, and their titles as words.

    The titles are themselves in the rows, which makes it easy to find them again, so words are asked once more
    of the pictures alone.
    """
    sample = _sample(rows, goal.queries, goal.seed)
    encoded = sample[:, : layout.encoder_dim]
    queries = {"picture": layout.weigh(layout.queries(encoded), weights["picture"])}
    if layout.text_block is not None:
        words = np.zeros_like(encoded)
        words[:, layout.slice(layout.text_block)] = sample[:, layout.slice(WORDS)]
        asked = layout.queries(words)
        queries["text"] = layout.weigh(asked, weights["text"])
        queries["text alone"] = layout.weigh(asked, {**weights["text"], WORDS: 0.0})
    return queries


def title_agreement(layout: RowLayout, rows: Rows, seed: int = 0) -> float:
    """The gate of the "words" block: do titles find their own pictures better than chance?

    One row for each different title, at most 2,000, taken at random.
    """
    if layout.text_block is None:
        return 1.0
    sample = _sample(rows, 2 * JUDGED_TITLES, seed)
    words = sample[:, layout.slice(WORDS)]
    _, first = np.unique(words, axis=0, return_index=True)
    first = np.sort(first)[:JUDGED_TITLES]
    scores = words[first] @ sample[first][:, layout.slice(layout.text_block)].T
    own = np.diagonal(scores)[:, None]
    # Ties count half, or rows that are all alike would agree perfectly.
    rank = (scores > own + TIE).sum(axis=1) + (np.abs(scores - own) <= TIE).sum(axis=1) / 2
    return title_weight_from_recall(float((rank <= gate_depth(len(first))).mean()), len(first))


def _sample(rows: Rows, most: int, seed: int) -> Floats:
    picked = np.sort(np.random.default_rng(seed).choice(len(rows), min(most, len(rows)), replace=False))
    sample = np.asarray(rows[picked], dtype=np.float32)
    release_pages(rows)
    return sample


def _truth(rows: Rows, queries: Floats) -> Floats:
    """The score of the tenth best row of each query: whatever scores as much belongs to the ten best."""
    best = best_rows(rows, queries, DEPTH)
    tenth = [exact_scores(rows, query, found).min() for query, found in zip(queries, best, strict=True)]
    return np.array(tenth, np.float32)


def _recall(search: RerankedSearch, queries: Floats, tenth: Floats) -> float:
    depth = min(DEPTH, len(search.rows))
    right = 0
    for query, least in zip(queries, tenth, strict=True):
        scores, _ = search.search(query, depth)
        right += int((scores >= least - TIE).sum())
    return right / (depth * len(queries))


def _worst(reached: Mapping[str, float], kind: str) -> float | None:
    return min((value for name, value in reached.items() if name.startswith(kind)), default=None)
