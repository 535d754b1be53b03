"""Recall of an index against exact search, and the number of lists to probe to reach a target recall."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.errors import GenerationError
from indexer.ann.block_weights import gate_depth, title_weight_from_recall
from indexer.ann.exact_rerank import (
    OVERFETCH_FACTOR,
    RerankedSearch,
    exact_scores,
    fills_row,
    top_rows,
    top_rows_of_each,
)
from indexer.ann.faiss_index import VectorIndex
from indexer.ann.index_plan import FLAT, IVF_PQ, IVF_PQ4
from indexer.ann.mmap_arrays import release_pages, sample_rows
from indexer.layout import WORDS, RowLayout
from indexer.numeric import chunks, unit
from indexer.types import Floats, Ids, IndexRecord, Recall

RECALL_DEPTH = 10
MIN_RECALL = 0.95
OVERFETCH = {IVF_PQ: 4 * OVERFETCH_FACTOR, IVF_PQ4: 2}  # codes of 4 bits for two numbers put few rows in wrong order
TITLE_SAMPLE = 2_000
TIE_TOLERANCE = 1e-5
COSINE_GAPS = tuple(number / 100 for number in range(4, 60, 2))
LEAST_GAIN = 0.001  # of recall, by twice as many lists; with less, they are not worth reading
QUERIES_IN_MEMORY = 20  # whose candidates' rows are in memory, 64 kB around each
NEAR_TARGET = 0.02  # below the target by more, lists are added whatever they gain

Rows = NDArray[np.float16]
Search = Callable[[Floats, int], tuple[Floats, Ids]]  # of a query (dim,) and k: scores and row numbers


@dataclass(frozen=True, slots=True)
class Goal:
    """Recall goal: an index is tuned to reach `target`, and refused below `minimum`."""

    target: float = 0.99
    minimum: float = MIN_RECALL
    queries: int = 200
    seed: int = 0


def tune(
    index: VectorIndex, rows: Rows, queries: Mapping[str, Floats], goal: Goal, previous: IndexRecord | None = None
) -> tuple[IndexRecord, Recall]:
    """Return the fewest probes (powers of two) that reach the target for every kind of query.

    Queries that fill a row and those that do not have probes of their own. Half of those of `previous` are tried first.
    The least gaps of cosines that keep the recall follow. Also returns the recall reached. `queries` maps "picture",
    "text" and variants such as "text alone" to query vectors (m, dim); the recall of a kind is that of its worst
    variant. Raises GenerationError when even probing all lists stays below `goal.minimum`.
    """
    total = sum(len(vectors) for vectors in queries.values())
    filled = {name: fills_row(vectors[0]) for name, vectors in queries.items()}
    both = len(set(filled.values())) == 2
    record = _first_record(index, goal, previous, both)
    found = top_rows_of_each(rows, list(queries.values()), RECALL_DEPTH)
    truths = {name: _tenth_of(rows, queries[name], best) for name, best in zip(queries, found, strict=True)}
    reached = dict.fromkeys(queries, 0.0)
    low = set(queries)
    before = record
    while low:
        search = RerankedSearch.of(index, rows, record)
        found_now = {name: recall_at_10(search.search, rows, queries[name], truths[name]) for name in low}
        gaining = {
            both and filled[name]
            for name in low
            if found_now[name] >= reached[name] + LEAST_GAIN or found_now[name] < goal.target - NEAR_TARGET
        }
        record = _with_probes_of(before, record, gaining)  # where more lists find no more, the candidates are the limit
        low = {name for name in low if (both and filled[name]) in gaining}
        reached |= {name: found_now[name] for name in low}
        low = {name for name in low if reached[name] < goal.target}
        more = _more_probes(record, {both and filled[name] for name in low})
        if more == record:
            break
        before, record = record, more
    if index.kind == IVF_PQ4:
        groups = [
            _QueryGroup(name, queries[name], truths[name], reached[name], both and filled[name]) for name in queries
        ]
        for own in {group.filled for group in groups}:
            same = [group for group in groups if group.filled == own]
            record, recalls = _with_gap(record, index, rows, same, goal.minimum)
            reached |= recalls
    recall = require_recall({name: reached[name] for name in queries}, total, goal)
    return record if index.kind != FLAT else replace(record, nprobe=0, overfetch=0, filled_nprobe=0), recall


def _first_record(index: VectorIndex, goal: Goal, previous: IndexRecord | None, both: bool) -> IndexRecord:
    """Return the record to begin tuning with; `both`: queries that fill a row and such as do not have their own."""
    record = IndexRecord(index.kind, index.lists, 1, OVERFETCH.get(index.kind, OVERFETCH_FACTOR), goal.seed, int(both))
    if previous is None:
        return record
    halves = (max(1, probes // 2) for probes in (previous.nprobe, previous.filled_nprobe))
    return replace(record, nprobe=next(halves), filled_nprobe=next(halves) if both else 0)


def _more_probes(record: IndexRecord, low: Set[bool]) -> IndexRecord:
    """Return the record with twice the probes of queries that fill a row (True), of the others (False), or of both."""
    return replace(
        record,
        nprobe=min(2 * record.nprobe, max(1, record.lists)) if False in low else record.nprobe,
        filled_nprobe=min(2 * record.filled_nprobe, max(1, record.lists)) if True in low else record.filled_nprobe,
    )


def _with_probes_of(before: IndexRecord, now: IndexRecord, gaining: Set[bool]) -> IndexRecord:
    """Return the record with the later probes only of the queries that gain by them."""
    return replace(
        now,
        nprobe=now.nprobe if False in gaining else before.nprobe,
        filled_nprobe=now.filled_nprobe if True in gaining else before.filled_nprobe,
    )


class _QueryGroup(NamedTuple):
    """Queries (m, dim) of a kind, their tenth best scores (m,), the recall by a number of lists, and whose they are.

    `filled` says that they have the lists of queries that fill a row.
    """

    name: str
    queries: Floats
    tenth: Floats
    reached: float
    filled: bool


def _with_gap(
    record: IndexRecord, index: VectorIndex, rows: Rows, groups: Sequence[_QueryGroup], minimum: float
) -> tuple[IndexRecord, dict[str, float]]:
    """Return the record with the least gap of cosines that keeps the recall of these groups, and the recall of each.

    The groups have the same lists. Most queries then read half of the lists or fewer, and those whose lists are about
    as near as the best more. What a number of lists brings to the `minimum`, no gap leaves below it; where none keeps
    the recall, the number decides.
    """
    recalls: dict[float, dict[str, float]] = {}

    def with_gap(gap: float) -> IndexRecord:
        return replace(record, filled_cosine_gap=gap) if groups[0].filled else replace(record, cosine_gap=gap)

    def measure(gap: float) -> None:
        search = RerankedSearch.of(index, rows, with_gap(gap)).search
        recalls[gap] = {group.name: recall_at_10(search, rows, group.queries, group.tenth) for group in groups}

    def keeps_recall(gap: float) -> bool:
        measure(gap)
        found = recalls[gap]
        return all(
            found[group.name] >= max(group.reached - LEAST_GAIN, min(minimum, group.reached)) for group in groups
        )

    place = bisect_left(COSINE_GAPS, True, key=keeps_recall)
    gap = COSINE_GAPS[place] if place < len(COSINE_GAPS) else 0.0
    if not gap:  # some groups had reached the target with fewer lists than others needed
        measure(gap)
    return with_gap(gap), recalls[gap]


def require_recall(reached: Mapping[str, float], queries: int, goal: Goal) -> Recall:
    """Return the recall reached by kind of query. Raises GenerationError when one is below `goal.minimum`."""
    if min(reached.values()) < goal.minimum:
        figures = ", ".join(f"{_rounded_down(value)} for {name} queries" for name, value in reached.items())
        raise GenerationError(
            f"The index finds too few of the true neighbours: {figures}. Under {goal.minimum} it is not published,"
            " and the previous index stays in use.",
            "Build again with --kind flat, which needs more memory and misses none.",
        )
    return Recall(_worst(reached, "picture") or 0.0, _worst(reached, "text"), queries)


def _rounded_down(value: float) -> Decimal:
    """Return a share with three digits, none of which says that it reaches more."""
    return Decimal(str(value)).quantize(Decimal("0.001"), ROUND_DOWN)


def sample_queries(
    layout: RowLayout, rows: Rows, weights: Mapping[str, Mapping[str, float]], goal: Goal
) -> dict[str, Floats]:
    """Make queries like shoppers' from a sample of rows: their pictures, and their titles as text.

    The rows contain the titles themselves, which makes them easy to find, so "text alone" searches the pictures only,
    and "text general" is what eight titles have in common: short questions name a kind of product, not one product.
    """
    sample = sample_rows(rows, goal.queries, goal.seed)
    encoded = sample[:, : layout.encoder_dim]
    queries = {"picture": layout.weigh(layout.queries(encoded), weights["picture"])}
    if layout.text_block is not None:
        words = np.zeros_like(encoded)
        words[:, layout.slice(layout.text_block)] = sample[:, layout.slice(WORDS)]
        text = layout.queries(words)
        queries["text"] = layout.weigh(text, weights["text"])
        queries["text alone"] = layout.weigh(text, {**weights["text"], WORDS: 0.0})
        queries["text general"] = layout.weigh(layout.queries(_general(words)), weights["text"])
    return queries


def _general(words: Floats) -> Floats:
    """Return the direction of the sum of each title and seven others of the sample."""
    return unit(sum((np.roll(words, place * len(words) // 8, axis=0) for place in range(1, 8)), start=words))


def title_agreement(layout: RowLayout, rows: Rows, seed: int = 0) -> float:
    """Return the weight of titles in picture queries: 1 when titles find their own pictures well, 0 at chance.

    Judges one row for each different title, at most 2,000, sampled at random.
    """
    if layout.text_block is None:
        return 1.0
    sample = sample_rows(rows, 2 * TITLE_SAMPLE, seed)
    words = sample[:, layout.slice(WORDS)]
    _, first = np.unique(words, axis=0, return_index=True)
    first = np.sort(first)[:TITLE_SAMPLE]
    scores = words[first] @ sample[first][:, layout.slice(layout.text_block)].T
    own = np.diagonal(scores)[:, None]
    # Ties count half, or rows that are all alike would agree perfectly.
    rank = (scores > own + TIE_TOLERANCE).sum(axis=1) + (np.abs(scores - own) <= TIE_TOLERANCE).sum(axis=1) / 2
    return title_weight_from_recall(float((rank <= gate_depth(len(first))).mean()), len(first))


def tenth_scores(rows: Rows, queries: Floats) -> Floats:
    """Return the score of the tenth best row of each query; every row that scores as much is among the ten best."""
    return _tenth_of(rows, queries, top_rows(rows, queries, RECALL_DEPTH))


def _tenth_of(rows: Rows, queries: Floats, best: Ids) -> Floats:
    tenth = [exact_scores(rows, query, found).min() for query, found in zip(queries, best, strict=True)]
    release_pages(rows)
    return np.array(tenth, np.float32)


def recall_at_10(search: Search, rows: Rows, queries: Floats, tenth: Floats) -> float:
    """Return the share of the ten best of these rows that a search finds, given each query's tenth best score."""
    depth, found = min(RECALL_DEPTH, len(rows)), 0
    for part in chunks(len(queries), QUERIES_IN_MEMORY):
        for query, least in zip(queries[part], tenth[part], strict=True):
            found += int((search(query, depth)[0] >= least - TIE_TOLERANCE).sum())
        release_pages(rows)
    return found / (depth * len(queries))


def _worst(reached: Mapping[str, float], kind: str) -> float | None:
    return min((value for name, value in reached.items() if name.startswith(kind)), default=None)
