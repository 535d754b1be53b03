"""Golden queries: search two generations with stored pictures and titles, to compare their results."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.generations.store import Generation
from indexer.layout import WORDS
from indexer.types import Floats, Ids, Mask

MAX_SAMPLED_PRODUCTS = 100
COMPARED_RANKS = 10  # products compared
SEARCH_ROWS = 4 * COMPARED_RANKS  # several may belong to one product
MIN_COMMON_PRODUCTS = 2  # fewer products give nothing to compare
BLOCK_ROWS = 8_192  # compared at a time

Hashes = NDArray[np.bytes_]


@dataclass(frozen=True, slots=True)
class GoldenQuery:
    """One query and the keys of the products that each generation finds, best first, among those that both have."""

    kind: str  # "picture" or "text"
    key: int
    sha256: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    before_ms: float
    after_ms: float

    @property
    def overlap(self) -> float:
        """The share of the first results that both have."""
        depth = max(1, min(len(self.before), len(self.after)))
        return len(set(self.before[:depth]) & set(self.after[:depth])) / depth


def golden_queries(before: Generation, after: Generation, seed: int = 0) -> list[GoldenQuery]:
    """Search both generations for a seeded sample of the products that show the same pictures in both.

    Each product gives a picture query and, where both encoders read text, a title query. Results come from such
    products only, so that a changed catalogue does not count as a difference.
    """
    allowed = _unchanged(before, after)
    old_rows, new_rows = _first_rows(before, allowed[0]), _first_rows(after, allowed[1])
    if len(old_rows) < MIN_COMMON_PRODUCTS:
        return []
    size = min(MAX_SAMPLED_PRODUCTS, len(old_rows))
    sample = np.random.default_rng(seed).choice(len(old_rows), size, replace=False)
    kinds = ("picture", "text") if before.layout.text_block and after.layout.text_block else ("picture",)
    queries = []
    for position in sorted(sample.tolist()):
        old, new = int(old_rows[position]), int(new_rows[position])
        key, sha256 = int(after.product_keys[new]), after.picture_hashes[new].decode()
        for kind in kinds:
            found_before, before_ms = _search(before, _query_vector(before, old, kind), allowed[0])
            found_after, after_ms = _search(after, _query_vector(after, new, kind), allowed[1])
            queries.append(GoldenQuery(kind, key, sha256, found_before, found_after, before_ms, after_ms))
    before.release_pages()
    after.release_pages()
    return queries


def _unchanged(before: Generation, after: Generation) -> tuple[Mask, Mask]:
    """Return the rows of each that belong to products with the same pictures in both; rows are in key order."""
    old, new = before.product_keys, after.product_keys
    masks = np.zeros(len(old), np.bool_), np.zeros(len(new), np.bool_)
    start = 0
    while start < len(new):
        last = new[min(start + BLOCK_ROWS, len(new)) - 1]
        stop = int(np.searchsorted(new, last, "right"))
        part = slice(*np.searchsorted(old, (new[start], last + 1)).tolist())
        same = _same_pictures(old[part], before.picture_hashes[part], new[start:stop], after.picture_hashes[start:stop])
        masks[0][part] = np.isin(old[part], same)
        masks[1][start:stop] = np.isin(new[start:stop], same)
        start = stop
    return masks


def _same_pictures(old: Ids, old_hashes: Hashes, new: Ids, new_hashes: Hashes) -> Ids:
    """Return the keys of the products that have the same pictures in the same order in both."""
    old_keys, old_first, old_counts = np.unique(old, return_index=True, return_counts=True)
    keys, first, counts = np.unique(new, return_index=True, return_counts=True)
    both, of_new, of_old = np.intersect1d(keys, old_keys, return_indices=True)
    fits = counts[of_new] == old_counts[of_old]
    both, of_new, of_old = both[fits], of_new[fits], of_old[fits]
    sizes = counts[of_new]
    owner = np.repeat(np.arange(len(both)), sizes)
    position = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    differs = new_hashes[first[of_new][owner] + position] != old_hashes[old_first[of_old][owner] + position]
    same: Ids = both[np.bincount(owner, differs, len(both)) == 0]
    return same


def _first_rows(generation: Generation, rows: Mask) -> Ids:
    """Return the number of the first row of each product in the mask."""
    keys, begins = generation.product_keys, rows.copy()
    begins[1:] &= keys[1:] != keys[:-1]
    return np.flatnonzero(begins)


def _query_vector(generation: Generation, number: int, kind: str) -> Floats:
    layout, weights = generation.layout, generation.manifest.weights
    row = np.asarray(generation.rows[number], dtype=np.float32)
    encoded = row[: layout.encoder_dim]
    if kind == "text" and layout.text_block is not None:
        title = np.zeros_like(encoded)
        title[layout.slice(layout.text_block)] = row[layout.slice(WORDS)]
        encoded = title
    return layout.weigh(layout.queries(encoded), weights[kind])


def _search(generation: Generation, query: Floats, allowed: Mask) -> tuple[tuple[int, ...], float]:
    """Return the keys of the products found, best first, and the search time in ms."""
    start = time.perf_counter()
    _, rows = generation.search(query, SEARCH_ROWS, None if allowed.all() else allowed)
    elapsed_ms = (time.perf_counter() - start) * 1000
    return tuple(dict.fromkeys(generation.product_keys[rows].tolist()))[:COMPARED_RANKS], elapsed_ms
