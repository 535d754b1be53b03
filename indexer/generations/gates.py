"""Gates: the checks of a new generation before it is published. One failed gate, and the old generation stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.errors import GenerationError
from catalog.storage.catalogue import Catalogue
from indexer.ann.index_plan import FLAT
from indexer.ann.recall import MIN_RECALL, QUERIES_IN_MEMORY
from indexer.generations.golden_queries import golden_queries
from indexer.generations.store import Generation
from indexer.numeric import batches
from indexer.types import Recall

MAX_SAMPLED_ROWS = 200
MIN_SELF_RETRIEVAL = 0.98  # inverted lists may miss a few rows, as their recall says; a flat index misses none
TIE_TOLERANCE = 1e-3
WARN_OVERLAP, FAIL_OVERLAP = 0.8, 0.5  # overlaps below which a gate warns and fails
MIN_QUERIES_TO_FAIL = 20  # golden queries
PASSED, WARNED, FAILED = "passed", "warned", "failed"


@dataclass(frozen=True, slots=True)
class Gate:
    """The outcome of one check: the value measured, the least value that passes, and a summary to print."""

    name: str
    outcome: str
    value: float
    least: float
    summary: str

    def line(self) -> str:
        """Return the gate as a line to print."""
        return f"gate {self.name}: {self.outcome}, {self.summary}"

    def body(self) -> dict[str, Any]:
        """Return the gate as JSON values."""
        return {
            "name": self.name,
            "outcome": self.outcome,
            "value": self.value,
            "least": self.least,
            "told": self.summary,
        }


def check(candidate: Generation, catalogue: Catalogue, previous: Generation | None, seed: int = 0) -> tuple[Gate, ...]:
    """Run all gates on a generation that is not published; compare it with `previous` when both have one encoder."""
    gates = [one_to_one(candidate, catalogue), self_retrieval(candidate, seed)]
    gates += recall_gates(candidate.manifest.recall)
    if previous is not None and previous.manifest.fingerprint == candidate.manifest.fingerprint:
        gates.append(same_answers(candidate, previous, seed))
    return tuple(gates)


def require(gates: Sequence[Gate], force: bool = False) -> None:
    """Raise GenerationError naming every failed gate; with `force`, the overlap with the old results may fail."""
    failed = [gate for gate in gates if gate.outcome == FAILED and not (force and gate.name == "overlap")]
    if not failed:
        return
    hint = "Nothing was changed. Look at the feed; update --force publishes it all the same."
    if any(gate.name != "overlap" for gate in failed):
        hint = "Nothing was changed. Build again with make index FEED=...; if that fails too, run verify --deep."
    raise GenerationError(f"The new index is not published: {'; '.join(gate.line() for gate in failed)}.", hint)


def one_to_one(candidate: Generation, catalogue: Catalogue) -> Gate:
    """Check that every picture of every product has its row, and every row its picture, in the same order."""
    unmatched = done = 0
    count = len(candidate.product_keys)
    for page in catalogue.iter_picture_rows():
        part = slice(done, done + len(page))
        keys = np.array([row.key for row in page], np.int64)
        hashes = np.array([row.sha256.encode() for row in page], "S64")
        stored = len(candidate.product_keys[part])
        same = (candidate.product_keys[part] == keys[:stored]) & (candidate.picture_hashes[part] == hashes[:stored])
        unmatched += len(page) - int(np.count_nonzero(same))
        done += len(page)
    unmatched += max(0, count - done)
    summary = f"{done:,} pictures of the catalogue, {count:,} rows, {unmatched:,} without their counterpart"
    return Gate("one-to-one", PASSED if unmatched == 0 and count else FAILED, float(unmatched), 0.0, summary)


def self_retrieval(candidate: Generation, seed: int = 0) -> Gate:
    """Check that sampled rows, searched with the weights of a picture query, find themselves first or tied."""
    count = len(candidate.rows)
    sample = np.sort(np.random.default_rng(seed).choice(count, min(MAX_SAMPLED_ROWS, count), replace=False))
    weights: Mapping[str, float] = candidate.manifest.weights["picture"]
    found = 0
    for part in batches(sample.tolist(), QUERIES_IN_MEMORY):
        for number in part:
            row = np.asarray(candidate.rows[number], dtype=np.float32)
            query = candidate.layout.weigh(row, weights)
            scores, rows = candidate.search(query, 1)
            found += bool(len(rows)) and bool(scores[0] >= float(query @ row) - TIE_TOLERANCE)
        candidate.release_pages()
    share = found / max(1, len(sample))
    least = 1.0 if candidate.vectors.kind == FLAT else MIN_SELF_RETRIEVAL
    summary = f"{found:,} of {len(sample):,} sampled rows find themselves first"
    return Gate("self-retrieval", PASSED if share >= least else FAILED, share, least, summary)


def recall_gates(recall: Recall) -> list[Gate]:
    """Check the recall of the index against exact search; `tune` refuses an index below the minimum before this."""
    recalls = {"picture recall": recall.picture, "text recall": recall.text}
    gates = []
    for name, value in recalls.items():
        if value is not None:
            outcome = PASSED if value >= MIN_RECALL else FAILED
            gates.append(Gate(name, outcome, value, MIN_RECALL, f"{value:.3f} of {MIN_RECALL:.2f} wanted"))
    return gates


def same_answers(candidate: Generation, previous: Generation, seed: int = 0) -> Gate:
    """Check that golden queries find the same products as before, among those whose pictures are the same."""
    overlaps = [query.overlap for query in golden_queries(previous, candidate, seed)]
    if not overlaps:
        return Gate("overlap", PASSED, 1.0, WARN_OVERLAP, "the two have too few products in common to compare")
    mean = sum(overlaps) / len(overlaps)
    outcome = PASSED if mean >= WARN_OVERLAP else WARNED
    if mean < FAIL_OVERLAP and len(overlaps) >= MIN_QUERIES_TO_FAIL:
        outcome = FAILED
    summary = f"{mean:.2f} of the first 10 are as before, {len(overlaps)} golden queries, at least {FAIL_OVERLAP}"
    return Gate("overlap", outcome, mean, FAIL_OVERLAP, summary)
