"""Golden queries: stored pictures and titles asked of two generations, to see how their answers differ."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.ann.faiss_index import Ids, Mask
from indexer.generations.store import Generation
from indexer.layout import WORDS
from indexer.types import Floats

QUERIES = 100
DEPTH = 10
FETCH = 4 * DEPTH  # rows; several may belong to one product
ENOUGH = 2  # products in common: with fewer there is nothing to compare
ROWS_AT_ONCE = 8_192

Hashes = NDArray[np.bytes_]


@dataclass(frozen=True, slots=True)
class GoldenQuery:
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


def golden_queries(before: Generation, after: Generation, seed: int = 0, count: int = QUERIES) -> list[GoldenQuery]:
    """A seeded sample of the products that show the same pictures in both, asked as pictures and, where both read
    words, as titles; answered from among such products only, so that what may differ does not count.
    """
    allowed = _unchanged(before, after)
    old_rows, new_rows = _first_rows(before, allowed[0]), _first_rows(after, allowed[1])
    if len(old_rows) < ENOUGH:
        return []
    picked = np.random.default_rng(seed).choice(len(old_rows), min(count, len(old_rows)), replace=False)
    kinds = ["picture"]
    if before.layout.text_block is not None and after.layout.text_block is not None:
        kinds.append("text")
    asked = []
    for place in sorted(picked.tolist()):
        old, new = int(old_rows[place]), int(new_rows[place])
        for kind in kinds:
            first, first_ms = _answer(before, _query(before, old, kind), allowed[0])
            then, then_ms = _answer(after, _query(after, new, kind), allowed[1])
            sha256 = after.picture_hashes[new].decode()
            asked.append(GoldenQuery(kind, int(after.product_keys[new]), sha256, first, then, first_ms, then_ms))
    before.let_go()
    after.let_go()
    return asked


def overlaps(asked: Sequence[GoldenQuery]) -> list[float]:
    """The share of equal answers of each question."""
    return [golden.overlap for golden in asked]


def _unchanged(before: Generation, after: Generation) -> tuple[Mask, Mask]:
    """Which rows of each belong to products with the same pictures in both; both have their rows in key order."""
    old, new = before.product_keys, after.product_keys
    masks = np.zeros(len(old), np.bool_), np.zeros(len(new), np.bool_)
    start = 0
    while start < len(new):
        last = new[min(start + ROWS_AT_ONCE, len(new)) - 1]
        stop = int(np.searchsorted(new, last, "right"))
        there = slice(*np.searchsorted(old, (new[start], last + 1)).tolist())
        kept = _alike(old[there], before.picture_hashes[there], new[start:stop], after.picture_hashes[start:stop])
        masks[0][there] = np.isin(old[there], kept)
        masks[1][start:stop] = np.isin(new[start:stop], kept)
        start = stop
    return masks


def _alike(old: Ids, old_hashes: Hashes, new: Ids, new_hashes: Hashes) -> Ids:
    """The keys of the products that have the same pictures in the same order in both."""
    known, known_first, known_counts = np.unique(old, return_index=True, return_counts=True)
    keys, first, counts = np.unique(new, return_index=True, return_counts=True)
    both, here, there = np.intersect1d(keys, known, return_indices=True)
    fits = counts[here] == known_counts[there]
    both, here, there = both[fits], here[fits], there[fits]
    sizes = counts[here]
    owner = np.repeat(np.arange(len(both)), sizes)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    differs = new_hashes[first[here][owner] + place] != old_hashes[known_first[there][owner] + place]
    same: Ids = both[np.bincount(owner, differs, len(both)) == 0]
    return same


def _first_rows(generation: Generation, rows: Mask) -> Ids:
    """Of each product with such rows, the number of the first."""
    keys, begins = generation.product_keys, rows.copy()
    begins[1:] &= keys[1:] != keys[:-1]
    return np.flatnonzero(begins)


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
