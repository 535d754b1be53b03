"""From a snapshot's rows to ranked products: the best row of each, what counts beside it, and the evidence for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.product import Picture, Product
from indexer.ann.exact_rerank import exact_scores
from indexer.layout import RowLayout
from indexer.types import Floats, Mask
from search.hits import SearchHit
from search.query.terms import LEXICAL
from search.state.column_store import ProductColumns
from search.state.snapshot import Snapshot

Ints = NDArray[np.int64]

MIN_TEXT_FETCH = 128  # rows at the least when words count too, so that their order is certain at once
EXACT_MATCH_BONUS = 0.9  # of what a product lacks to a score of 1 is given to one that was called by its number or name
MAX_EXACT_MATCHES = 256  # products whose rows are read for that wherever they stand
MAX_TEXT_ONLY = 1_024  # products, where there is nothing but the words to go by


@dataclass(frozen=True, slots=True)
class TextScores:
    """What counts beside the vectors: named parts of the score, float32 (n,) each, of products by key (rising).

    The parts of a product add up to at most `share`, and the vectors count 1 - `share`. `exact` are the keys of
    products that were called by their number or name.
    """

    keys: Ints
    parts: Mapping[str, Floats]
    share: float
    exact: Ints

    @property
    def scores(self) -> Floats:
        """All parts together, (n,)."""
        total: Floats = np.sum([np.zeros(len(self.keys), np.float32), *self.parts.values()], axis=0, dtype=np.float32)
        return total

    def of(self, keys: Ints) -> Floats:
        """The scores of these keys, 0 where nothing counts."""
        return self._at(keys, self.scores)

    def parts_of(self, keys: Ints) -> dict[str, Floats]:
        """The parts of these keys."""
        return {name: self._at(keys, part) for name, part in self.parts.items()}

    def and_part(self, name: str, keys: Ints, share: float) -> TextScores:
        """With a further part, which is the same for these keys (rising) and 0 for others; the others count less."""
        union = np.union1d(self.keys, keys)
        smaller = replace(self, parts={each: (1 - share) * part for each, part in self.parts.items()})
        parts = smaller.parts_of(union)
        parts[name] = np.where(np.isin(union, keys), np.float32(share), np.float32(0.0))
        return TextScores(union, parts, share + (1 - share) * self.share, self.exact)

    def _at(self, keys: Ints, values: Floats) -> Floats:
        if not len(self.keys):
            return np.zeros(len(keys), np.float32)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, values[places], np.float32(0.0)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best row of each product fetched, best first: parallel arrays, because this runs for every query.

    `parts` are what came to the `scores` beside the rows, which count 1 - `share`. The first `certain` places are sure
    whatever was not fetched.
    """

    rows: Ints
    products: Ints
    scores: Floats
    parts: Mapping[str, Floats]
    share: float
    certain: int

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class SearchScope:
    """What may be found: products of these columns that `allowed` lets through (None: all), without the `excluded`."""

    columns: ProductColumns
    allowed: Mask | None = None
    excluded: tuple[int, ...] = ()

    def rows(self, snapshot: Snapshot) -> Mask | None:
        """The rows that may be found; None when all of them may."""
        return None if self.allowed is None else snapshot.rows_allowed(self.columns, self.allowed)

    def counted(self, snapshot: Snapshot, beside: TextScores) -> Mask:
        """The rows of products for which anything counts beside their rows."""
        holding = self.columns.mask_of(beside.keys[beside.scores > 0])
        return snapshot.rows_allowed(self.columns, holding if self.allowed is None else holding & self.allowed)


def retrieve(
    snapshot: Snapshot, vector: Floats | None, beside: TextScores | None, reach: SearchScope, fetch: int
) -> tuple[Ranked, bool]:
    """The best products of the best `fetch` rows, and of as many that hold the words; whether there are no others.

    Products that hold the words are searched for by themselves, because the best of them may be far down otherwise.
    """
    if vector is None:
        return _text_only(snapshot, beside, reach, fetch)
    if beside is not None:
        fetch = max(fetch, MIN_TEXT_FETCH)
    scores, rows = snapshot.search(vector, fetch, reach.rows(snapshot))
    exhausted = len(rows) < fetch
    least = None if exhausted else float(scores[-1])
    if beside is None or exhausted:
        return _ranked(snapshot, rows, scores, beside, reach, least), exhausted
    further_scores, further = snapshot.search(vector, fetch, reach.counted(snapshot, beside))
    new = ~np.isin(further, rows)
    bound = (1 - beside.share) * float(scores[-1])
    if len(further) == fetch:
        unseen = ~np.isin(beside.keys, snapshot.keys_of(further))
        most = float(beside.scores[unseen].max(initial=0.0))
        bound = max(bound, (1 - beside.share) * float(further_scores[-1]) + most)
    rows, scores = np.concatenate([rows, further[new]]), np.concatenate([scores, further_scores[new]])
    if len(beside.exact):
        called = _exact_match_rows(snapshot, beside, reach)
        called = called[~np.isin(called, rows)]
        if len(beside.exact) > MAX_EXACT_MATCHES:  # some of those that were not read may be given nearly everything
            bound = max(bound, bound + EXACT_MATCH_BONUS * (1 - bound))
        rows = np.concatenate([rows, called])
        scores = np.concatenate([scores, exact_scores(snapshot.vectors_of(called), vector, np.arange(len(called)))])
    return _ranked(snapshot, rows, scores, beside, reach, bound), False


def _text_only(snapshot: Snapshot, beside: TextScores | None, reach: SearchScope, fetch: int) -> tuple[Ranked, bool]:
    """The products that hold most of the words, where rows say nothing."""
    if beside is None:
        none = np.zeros(0, np.int64)
        return _ranked(snapshot, none, np.zeros(0, np.float32), None, reach, None), True
    holding = np.flatnonzero(beside.scores > 0)
    best = holding[np.argsort(-beside.scores[holding], kind="stable")[: max(fetch, MAX_TEXT_ONLY)]]
    rows = _numbers_of(snapshot, np.sort(beside.keys[best]))
    allowed = reach.rows(snapshot)
    rows = rows if allowed is None else rows[allowed[rows]]
    return _ranked(snapshot, rows, np.zeros(len(rows), np.float32), beside, reach, None), True


def candidates(ranked: Ranked, products: Mapping[int, Product]) -> list[tuple[float, str, int]]:
    """(score, product id, place in the ranking) of those that are among the products, to be cut into a page."""
    keys, scores = ranked.products.tolist(), ranked.scores.tolist()
    return [(min(scores[i], 1.0), products[key].id, i) for i, key in enumerate(keys) if key in products]


def build_hits(
    snapshot: Snapshot, layout: RowLayout, vector: Floats | None, ranked: Ranked, page: Sequence[tuple[int, Product]]
) -> tuple[SearchHit, ...]:
    """The hits of a page: the products at these places of the ranking, with the evidence."""
    places = [place for place, _ in page]
    rows = ranked.rows[places]
    hashes = snapshot.hashes_of(rows)
    scores = np.minimum(ranked.scores[places], 1.0).tolist()
    parts = _parts(snapshot, layout, vector, ranked, places)
    return tuple(
        SearchHit(product, _picture(product, sha256), score, shares, _found_by(vector, shares))
        for (_, product), sha256, score, shares in zip(page, hashes, scores, parts, strict=True)
    )


def _found_by(vector: Floats | None, shares: Mapping[str, float]) -> tuple[str, ...]:
    return (("vector",) if vector is not None else ()) + ((LEXICAL,) if shares.get(LEXICAL, 0) > 0 else ())


def _parts(
    snapshot: Snapshot, layout: RowLayout, vector: Floats | None, ranked: Ranked, places: list[int]
) -> list[dict[str, float]]:
    """What each block, and the words, gave to the scores at these places."""
    further = {name: part[places].tolist() for name, part in ranked.parts.items()}
    beside = [{name: part[i] for name, part in further.items()} for i in range(len(places))]
    if vector is None:
        return beside
    starts = [layout.slice(name).start for name in layout.names]
    split = split_scores(snapshot.vectors_of(ranked.rows[places]), vector, starts) * (1 - ranked.share)
    return [
        {**dict(zip(layout.names, shares, strict=True)), **parts}
        for shares, parts in zip(split.tolist(), beside, strict=True)
    ]


def _exact_match_rows(snapshot: Snapshot, beside: TextScores, reach: SearchScope) -> Ints:
    """The rows of the products that were called by their number or name, of so many at the most."""
    rows = _numbers_of(snapshot, np.sort(beside.exact)[:MAX_EXACT_MATCHES])
    allowed = reach.rows(snapshot)
    return rows if allowed is None else rows[allowed[rows]]


def _numbers_of(snapshot: Snapshot, keys: Ints) -> Ints:
    """The numbers of all rows by which these products are found now."""
    own, _ = snapshot.shelf.rows_of_each(keys)
    if snapshot.allowed is not None:
        own = own[snapshot.allowed[own]]
    if not len(snapshot.live):
        return own
    return np.concatenate([own, np.flatnonzero(np.isin(snapshot.live.keys, keys)) + snapshot.shelf.size])


def _ranked(
    snapshot: Snapshot, rows: Ints, scores: Floats, beside: TextScores | None, reach: SearchScope, bound: float | None
) -> Ranked:
    """The best row of each product; places above `bound`, the most that anything unseen can reach, are certain."""
    products = snapshot.keys_of(rows)
    best = best_rows(products, scores)
    if reach.excluded:
        best = best[~np.isin(products[best], reach.excluded)]
    rows, products, scores = rows[best], products[best], scores[best]
    parts: dict[str, Floats] = {}
    if beside is not None:
        vectors = np.float32(1 - beside.share) * np.minimum(scores, np.float32(1.0))
        parts = beside.parts_of(products)
        if len(beside.exact):  # who calls a product by its number wants that one, whatever it looks like
            lacking = EXACT_MATCH_BONUS * (1 - vectors - sum(parts.values()))
            parts[LEXICAL] = parts[LEXICAL] + np.where(np.isin(products, beside.exact), lacking, 0).astype(np.float32)
        scores = np.sum([vectors, *parts.values()], axis=0, dtype=np.float32)
        order = np.lexsort((products, -scores))
        rows, products, scores = rows[order], products[order], scores[order]
        parts = {name: part[order] for name, part in parts.items()}
    certain = len(scores) if bound is None else int(np.searchsorted(-scores, -bound, side="left"))
    return Ranked(rows, products, scores, parts, 0.0 if beside is None else beside.share, certain)


def _picture(product: Product, sha256: str) -> Picture:
    """The product's picture with that content; its first one when the catalogue changed after the index was made."""
    fallback = product.pictures[0] if product.pictures else Picture("", sha256)
    return next((picture for picture in product.pictures if picture.sha256 == sha256), fallback)


def best_rows(products: Ints, scores: Floats) -> Ints:
    """Positions of each product's best-scoring row, best product first; the earlier row wins a tie in a product."""
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(products[order], return_index=True)
    return order[np.sort(first)].astype(np.int64, copy=False)


def count_with_ties(scores: Floats, reach: int) -> int:
    """How many of these descending scores may belong to the first `reach`: those, and all that tie with the last."""
    if reach >= len(scores):
        return len(scores)
    return int(np.searchsorted(-scores, -scores[reach - 1], side="right"))


def page_slice(candidates: Iterable[tuple[float, str, int]], offset: int, k: int) -> list[int]:
    """Of (score, product id, position): the positions ranked `offset` to `offset + k`, ties by product id."""
    ranked = sorted(candidates, key=lambda candidate: (-candidate[0], candidate[1]))
    return [position for _, _, position in ranked[offset : offset + k]]


def split_scores(rows: NDArray[np.floating], query: Floats, starts: Sequence[int]) -> Floats:
    """Each row's score by block, (n, blocks): the dot product over the block that begins at each start.

    A row's parts sum to at most 1 for a normalised query: what the rounding of float16 rows overshoots is scaled away.
    """
    parts = np.add.reduceat(rows.astype(np.float32) * query, starts, axis=1)
    return np.asarray(parts / np.maximum(parts.sum(axis=1, keepdims=True), 1.0), dtype=np.float32)
