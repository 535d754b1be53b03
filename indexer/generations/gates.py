"""What a new generation must show before it is made current; one failed gate, and the old one stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.errors import GenerationError
from catalog.storage.catalogue import Catalogue
from indexer.ann.faiss_index import FLAT
from indexer.ann.recall import MIN_RECALL
from indexer.generations.golden_queries import golden_queries, overlaps
from indexer.generations.store import Generation
from indexer.types import Recall

SAMPLE = 200
SELF_LEAST = 0.98  # inverted lists may miss a row here and there, as their recall says; a flat index misses none
TIE = 1e-3
OVERLAP_WARNS = 0.8
OVERLAP_REFUSES = 0.5
ENOUGH_TO_REFUSE = 20  # golden queries
PASSED, WARNED, FAILED = "passed", "warned", "failed"


@dataclass(frozen=True, slots=True)
class Gate:
    """One check: what was measured, what was wanted, and the outcome."""

    name: str
    outcome: str
    value: float
    least: float
    told: str

    def line(self) -> str:
        """The gate as a person reads it."""
        return f"gate {self.name}: {self.outcome}, {self.told}"


def check(candidate: Generation, catalogue: Catalogue, previous: Generation | None, seed: int = 0) -> tuple[Gate, ...]:
    """All gates for a generation that is built but not published; `previous` is compared with when it may be."""
    gates = [
        one_to_one(candidate, catalogue),
        self_retrieval(candidate, seed),
        *recall_gates(candidate.manifest.recall),
    ]
    if previous is not None and previous.manifest.fingerprint == candidate.manifest.fingerprint:
        gates.append(same_answers(candidate, previous, seed))
    return tuple(gates)


def require(gates: Sequence[Gate], force: bool = False) -> None:
    """Raise GenerationError naming every failed gate; with `force`, the comparison with the old answers may fail."""
    failed = [gate for gate in gates if gate.outcome == FAILED and not (force and gate.name == "overlap")]
    if not failed:
        return
    hint = "Nothing was changed. Look at the feed; update --force publishes it all the same."
    if any(gate.name != "overlap" for gate in failed):
        hint = "Nothing was changed. Build anew with make index FEED=...; should that fail too, verify --deep."
    raise GenerationError(f"The new index is not published: {'; '.join(gate.line() for gate in failed)}.", hint)


def one_to_one(candidate: Generation, catalogue: Catalogue) -> Gate:
    """Every picture of every product has its row, and every row its picture, in the same order."""
    wrong = done = 0
    count = len(candidate.product_keys)
    for page in catalogue.shown():
        part = slice(done, done + len(page))
        keys = np.array([shown.key for shown in page], np.int64)
        hashes = np.array([shown.sha256.encode() for shown in page], "S64")
        have = len(candidate.product_keys[part])
        same = (candidate.product_keys[part] == keys[:have]) & (candidate.picture_hashes[part] == hashes[:have])
        wrong += len(page) - int(np.count_nonzero(same))
        done += len(page)
    wrong += max(0, count - done)
    told = f"{done:,} pictures of the catalogue, {count:,} rows, {wrong:,} without their counterpart"
    return Gate("one-to-one", PASSED if wrong == 0 and count else FAILED, float(wrong), 0.0, told)


def self_retrieval(candidate: Generation, seed: int = 0) -> Gate:
    """A sample of rows, asked for as shoppers ask, each finds itself first or tied."""
    count = len(candidate.rows)
    picked = np.sort(np.random.default_rng(seed).choice(count, min(SAMPLE, count), replace=False))
    weights: Mapping[str, float] = candidate.manifest.weights["picture"]
    found = 0
    for number in picked.tolist():
        row = np.asarray(candidate.rows[number], dtype=np.float32)
        query = candidate.layout.weigh(row, weights)
        scores, rows = candidate.search(query, 1)
        found += bool(len(rows)) and bool(scores[0] >= float(query @ row) - TIE)
    candidate.let_go()
    share = found / max(1, len(picked))
    least = 1.0 if candidate.index.kind == FLAT else SELF_LEAST
    told = f"{found:,} of {len(picked):,} sampled rows find themselves first"
    return Gate("self-retrieval", PASSED if share >= least else FAILED, share, least, told)


def recall_gates(recall: Recall) -> list[Gate]:
    """How much of the exact answer the index finds; `tune` has refused what finds too little."""
    kinds = {"picture recall": recall.picture, "text recall": recall.text}
    return [
        Gate(
            name,
            PASSED if value >= MIN_RECALL else FAILED,
            value,
            MIN_RECALL,
            f"{value:.3f} of {MIN_RECALL:.2f} wanted",
        )
        for name, value in kinds.items()
        if value is not None
    ]


def same_answers(candidate: Generation, previous: Generation, seed: int = 0) -> Gate:
    """Golden queries find the same products as before, among those whose pictures are the same."""
    shares = overlaps(golden_queries(previous, candidate, seed))
    if not shares:
        return Gate("overlap", PASSED, 1.0, OVERLAP_WARNS, "the two have too few products in common to compare")
    mean = sum(shares) / len(shares)
    outcome = PASSED if mean >= OVERLAP_WARNS else WARNED
    if mean < OVERLAP_REFUSES and len(shares) >= ENOUGH_TO_REFUSE:
        outcome = FAILED
    told = f"{mean:.2f} of the first 10 are as before, {len(shares)} golden queries, at least {OVERLAP_REFUSES}"
    return Gate("overlap", outcome, mean, OVERLAP_REFUSES, told)
