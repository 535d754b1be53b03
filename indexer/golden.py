"""Golden queries: stored pictures and titles asked of two generations, to see how their answers differ."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexer.encoders.base import Floats
from indexer.generations import Generation
from indexer.vector_index import Ids, Mask
from indexer.vectors import WORDS

QUERIES = 100
DEPTH = 10
FETCH = 4 * DEPTH  # rows; several may belong to one product
ENOUGH = 2  # products in common: with fewer there is nothing to compare


@dataclass(frozen=True, slots=True)
class Golden:
    """One question and the products that each generation gives, best first, of those that both have."""

    kind: str  # "picture" or "text"
    key: int
    sha256: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    before_ms: float
    after_ms: float

    @property
    def overlap(self) -> float:
        """The share of the first answers that both give."""
        depth = max(1, min(len(self.before), len(self.after)))
        return len(set(self.before[:depth]) & set(self.after[:depth])) / depth


def golden_queries(before: Generation, after: Generation, seed: int = 0, count: int = QUERIES) -> list[Golden]:
    """A seeded sample of the products that show the same pictures in both, asked as pictures and, where both read
    words, as titles; answered from among such products only, so that what may differ does not count.
    """
    in_both, old_rows, new_rows = _unchanged(before, after)
    if len(in_both) < ENOUGH:
        return []
    picked = np.random.default_rng(seed).choice(len(old_rows), min(count, len(old_rows)), replace=False)
    kinds = ["picture"]
    if before.layout.text_block is not None and after.layout.text_block is not None:
        kinds.append("text")
    allowed = np.isin(before.product_keys, in_both), np.isin(after.product_keys, in_both)
    asked = []
    for place in sorted(picked.tolist()):
        old, new = int(old_rows[place]), int(new_rows[place])
        for kind in kinds:
            first, first_ms = _answer(before, _query(before, old, kind), allowed[0])
            then, then_ms = _answer(after, _query(after, new, kind), allowed[1])
            sha256 = after.picture_hashes[new].decode()
            asked.append(Golden(kind, int(after.product_keys[new]), sha256, first, then, first_ms, then_ms))
    return asked


def overlaps(asked: Sequence[Golden]) -> list[float]:
    """The share of equal answers of each question."""
    return [golden.overlap for golden in asked]


def _unchanged(before: Generation, after: Generation) -> tuple[Ids, Ids, Ids]:
    """The products with the same pictures in both, and the number of the first row of each in each of the two."""
    keys, first, counts = np.unique(after.product_keys, return_index=True, return_counts=True)
    known, known_first, known_counts = np.unique(before.product_keys, return_index=True, return_counts=True)
    both, here, there = np.intersect1d(keys, known, return_indices=True)
    fits = counts[here] == known_counts[there]
    both, here, there = both[fits], here[fits], there[fits]
    sizes = counts[here]
    owner = np.repeat(np.arange(len(both)), sizes)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    hashes = after.picture_hashes[first[here][owner] + place]
    differs = hashes != before.picture_hashes[known_first[there][owner] + place]
    same = np.bincount(owner, differs, len(both)) == 0
    return both[same], known_first[there][same].astype(np.int64), first[here][same].astype(np.int64)


def _query(generation: Generation, number: int, kind: str) -> Floats:
    layout, weights = generation.layout, generation.manifest.weights
    row = np.asarray(generation.rows[number], dtype=np.float32)
    encoded = row[: layout.encoder_dim]
    if kind == "text" and layout.text_block is not None:
        words = np.zeros_like(encoded)
        words[layout.slice(layout.text_block)] = row[layout.slice(WORDS)]
        encoded = words
    return layout.weigh(layout.queries(encoded), weights[kind])


def _answer(generation: Generation, query: Floats, allowed: Mask) -> tuple[tuple[int, ...], float]:
    began = time.perf_counter()
    _, rows = generation.search(query, FETCH, None if allowed.all() else allowed)
    took = (time.perf_counter() - began) * 1000
    return tuple(dict.fromkeys(generation.product_keys[rows].tolist()))[:DEPTH], took
