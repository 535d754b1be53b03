"""Retrieve rows of a snapshot, rank their products by vector and text scores, and build hits with their evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.product import Picture, Product
from indexer.ann.exact_rerank import MAX_EXACT_ROWS, exact_scores
from indexer.types import Floats, Ids, Mask
from indexer.vectors.conditions import RowCondition
from search.hits import SearchHit
from search.query.filters import Filter
from search.query.terms import LEXICAL
from search.retrieval.lexical_fusion import TextScores
from search.retrieval.serving_state import ServingState
from search.state.column_store import ProductColumns
from search.state.item_groups import ItemGroups
from search.state.pushdown import row_condition
from search.state.snapshot import Snapshot

MIN_TEXT_FETCH = 128  # rows to fetch when text scores count too, so that the order is certain after one retrieval
EXACT_MATCH_BONUS = 0.9  # share of what a product with a number or name from the text lacks to a score of 1
MAX_EXACT_MATCHES = 256  # products whose rows are read for that bonus wherever they rank
SAMPLE_STEP = 16  # of all scores, one in so many tells below which none can be among the best
MAX_TEXT_ONLY = 1_024  # products to fetch where there are only text scores


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best row of each product fetched, best first: parallel arrays, because this runs for every query."""

    rows: Ids
    products: Ids
    scores: Floats
    parts: Mapping[str, Floats]  # the text scores within `scores`
    share: float  # the vector score counts 1 - share
    certain: int  # the first places, which stay whatever was not retrieved

    def places_of(self, products: Ids) -> Ids:
        """Return the places of products, in their order, without those that are not ranked."""
        order = np.argsort(self.products)
        places = order[np.minimum(np.searchsorted(self.products[order], products), max(len(order) - 1, 0))]
        return np.asarray(places[self.products[places] == products], np.int64)


@dataclass(frozen=True, slots=True)
class SearchScope:
    """The products that may be hits: those that `allowed` masks by ordinal (None: all), without `excluded` keys.

    `narrowed` is the filter of the query, which most masks are within.
    """

    allowed: Mask | None = None
    excluded: tuple[int, ...] = ()
    narrowed: Filter | None = None

    def condition(self, snapshot: Snapshot) -> RowCondition | None:
        """Return the filter as a condition for an engine, where one holds the vectors and all allowed products pass."""
        if self.allowed is None or self.narrowed is None or not snapshot.pushes_down:
            return None
        if (self.allowed & ~snapshot.columns.matching(self.narrowed)).any():
            return None
        return row_condition(self.narrowed)

    def rows(self, snapshot: Snapshot) -> Mask | None:
        """Return the mask of rows that may be hits; None when all may."""
        return None if self.allowed is None else snapshot.rows_allowed(self.allowed)

    def best_by_text(self, snapshot: Snapshot, text: TextScores, count: int) -> tuple[Ids, Floats, float]:
        """Return the products with the `count` best text scores and all that tie with the last: sorted keys, scores.

        Also return the best text score of any other product that may be a hit.
        """
        scores = text.scores
        if self.allowed is not None:
            of_all = text.keys is snapshot.columns.keys
            allowed = self.allowed if of_all else np.append(self.allowed, False)[snapshot.columns.ordinals(text.keys)]
            scores = np.where(allowed, scores, np.float32(0.0))
        chosen, best_other = leading_places(scores, count)
        return text.keys[chosen], scores[chosen], best_other


def retrieve(
    snapshot: Snapshot, vector: Floats | None, text: TextScores | None, scope: SearchScope, fetch: int
) -> tuple[Ranked, bool]:
    """Return the best products of the best `fetch` rows and of as many with text scores; whether there are no others.

    Products with text scores are searched for separately, because the best of them may rank low by vector.
    """
    if vector is None:
        return _text_only(snapshot, text, scope, fetch)
    if text is not None:
        fetch = max(fetch, MIN_TEXT_FETCH)
    scores, rows = snapshot.search(vector, fetch, scope.rows(snapshot), scope.condition(snapshot))
    exhausted = len(rows) < fetch
    if text is None or exhausted:
        return _ranked(snapshot, rows, scores, text, scope, None if exhausted else float(scores[-1])), exhausted
    best_keys, best_scores, best_other = scope.best_by_text(snapshot, text, fetch)
    text_vector_scores, text_rows = _search_products(snapshot, vector, fetch, best_keys)
    new = ~np.isin(text_rows, rows)
    bound = (1 - text.share) * float(scores[-1]) + best_other
    if len(text_rows) == fetch:
        unseen = ~np.isin(best_keys, snapshot.keys_of(text_rows))
        best_unseen = float(best_scores[unseen].max(initial=0.0))
        bound = max(bound, (1 - text.share) * float(text_vector_scores[-1]) + best_unseen)
    rows, scores = np.concatenate([rows, text_rows[new]]), np.concatenate([scores, text_vector_scores[new]])
    if len(text.exact):
        exact = _allowed_rows(snapshot, np.sort(text.exact)[:MAX_EXACT_MATCHES], scope)
        exact = exact[~np.isin(exact, rows)]
        if len(text.exact) > MAX_EXACT_MATCHES:  # some of those that were not read may get nearly the whole bonus
            bound = max(bound, bound + EXACT_MATCH_BONUS * (1 - bound))
        rows = np.concatenate([rows, exact])
        scores = np.concatenate([scores, exact_scores(snapshot.vectors_of(exact), vector, np.arange(len(exact)))])
    return _ranked(snapshot, rows, scores, text, scope, bound), False


def leading_places(scores: Floats, count: int) -> tuple[Ids, float]:
    """Return the places, sorted, of the `count` largest scores above 0 and of all that tie with the last of these.

    Also return the largest of the other scores, 0 where none is above 0.
    """
    sample = scores[::SAMPLE_STEP]
    floor = float(np.partition(sample, -count)[-count]) if len(sample) > count else 0.0
    places = np.flatnonzero(scores >= floor) if floor > 0 else np.flatnonzero(scores > 0)
    own = scores[places]  # the best of all are among them, because so many of the sample are
    if len(own) > count:
        chosen = own >= np.partition(own, -count)[-count]
        places, others = places[chosen], own[~chosen]
        if len(others) or floor <= 0:
            return places, float(others.max(initial=0.0))
    elif floor <= 0:
        return places, 0.0
    return places, float(scores.max(initial=0.0, where=scores < floor))


def _search_products(snapshot: Snapshot, vector: Floats, k: int, keys: Ids) -> tuple[Floats, Ids]:
    """Return exact scores and numbers of the k best rows of these products, ties by row number."""
    if len(keys) > MAX_EXACT_ROWS:
        return snapshot.search(vector, k, snapshot.rows_allowed(snapshot.columns.mask_of(keys)))
    rows = _allowed_rows(snapshot, keys, SearchScope())
    scores = exact_scores(snapshot.vectors_of(rows), vector, np.arange(len(rows)))
    order = np.lexsort((rows, -scores))[:k]
    return scores[order], rows[order]


def _text_only(snapshot: Snapshot, text: TextScores | None, scope: SearchScope, fetch: int) -> tuple[Ranked, bool]:
    rows = np.zeros(0, np.int64)
    if text is not None:
        scored = np.flatnonzero(text.scores > 0)
        best = scored[np.argsort(-text.scores[scored], kind="stable")[: max(fetch, MAX_TEXT_ONLY)]]
        rows = _allowed_rows(snapshot, np.sort(text.keys[best]), scope)
    return _ranked(snapshot, rows, np.zeros(len(rows), np.float32), text, scope, None), True


def searchable(snapshot: Snapshot) -> Mask:
    """Return the mask (n,) of the products of the columns that have a searchable row."""
    columns = snapshot.columns
    if snapshot.products == np.count_nonzero(columns.present):
        return columns.present
    found = np.zeros(len(columns) + 1, np.bool_)  # the last one for products that the columns lack, at -1
    own = snapshot.generation_rows.ordinals(columns)
    found[own if snapshot.allowed is None else own[snapshot.allowed]] = True
    found[columns.ordinals(snapshot.live.keys)] = True
    return found[:-1] & columns.present


def build_hits(
    state: ServingState, vector: Floats | None, ranked: Ranked, groups: Sequence[Sequence[tuple[int, Product]]]
) -> tuple[SearchHit, ...]:
    """Return a hit for each group of listings, (place in the ranking, product): its first, with its score's parts."""
    places = [group[0][0] for group in groups]
    hashes = state.snapshot.hashes_of(ranked.rows[places])
    scores = np.minimum(ranked.scores[places], 1.0).tolist()
    score_parts = _parts(state, vector, ranked, places)
    hits = []
    for group, sha256, score, parts in zip(groups, hashes, scores, score_parts, strict=True):
        product, *others = (product for _, product in group)
        found_by = ("vector",) * (vector is not None) + (LEXICAL,) * (parts.get(LEXICAL, 0) > 0)
        duplicates = tuple(other.id for other in others)
        hits.append(SearchHit(product, _picture(product, sha256), score, parts, found_by, duplicates))
    return with_variants(hits, state.columns)


def browsed_hits(products: Iterable[Product], columns: ProductColumns) -> tuple[SearchHit, ...]:
    """Return hits without scores: products by their first pictures."""
    hits = [SearchHit(product, next(iter(product.pictures), Picture("")), 0.0, {}) for product in products]
    return with_variants(hits, columns)


def with_variants(hits: Sequence[SearchHit], columns: ProductColumns) -> tuple[SearchHit, ...]:
    """Return hits with the ids of the products of their item groups, where there are others."""
    if columns.item_groups().first is None:
        return tuple(hits)
    return tuple(replace(hit, variants=columns.variants_of(hit.product.id)) for hit in hits)


def one_per_group(ranked: Ranked, columns: ProductColumns, groups: ItemGroups) -> Ranked:
    """Return a ranking with the best product of each group."""
    leading = groups.leading(columns.ordinals(ranked.products))
    if leading.all():
        return ranked
    parts = {name: part[leading] for name, part in ranked.parts.items()}
    certain = int(np.count_nonzero(leading[: ranked.certain]))
    rows, products, scores = ranked.rows[leading], ranked.products[leading], ranked.scores[leading]
    return Ranked(rows, products, scores, parts, ranked.share, certain)


def _parts(state: ServingState, vector: Floats | None, ranked: Ranked, places: list[int]) -> list[dict[str, float]]:
    layout = state.generation.layout
    columns = {name: part[places] for name, part in ranked.parts.items()}
    if vector is not None:
        starts = [layout.slice(name).start for name in layout.names]
        split = split_scores(state.snapshot.vectors_of(ranked.rows[places]), vector, starts) * (1 - ranked.share)
        columns = dict(zip(layout.names, split.T, strict=True)) | columns
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(len(places))]


def _allowed_rows(snapshot: Snapshot, keys: Ids, scope: SearchScope) -> Ids:
    rows, _ = snapshot.generation_rows.rows_of_each(keys)
    if snapshot.allowed is not None:
        rows = rows[snapshot.allowed[rows]]
    if len(snapshot.live):
        live = np.flatnonzero(np.isin(snapshot.live.keys, keys)) + snapshot.generation_rows.size
        rows = np.concatenate([rows, live])
    allowed = scope.rows(snapshot)
    return rows if allowed is None else rows[allowed[rows]]


def _ranked(
    snapshot: Snapshot, rows: Ids, scores: Floats, text: TextScores | None, scope: SearchScope, bound: float | None
) -> Ranked:
    """Rank the best row of each product; places above `bound`, the highest score of anything unseen, are certain."""
    products = snapshot.keys_of(rows)
    best = best_rows(products, scores)
    if scope.excluded:
        best = best[~np.isin(products[best], scope.excluded)]
    rows, products, scores = rows[best], products[best], scores[best]
    parts: dict[str, Floats] = {}
    if text is not None:
        vectors = np.float32(1 - text.share) * np.minimum(scores, np.float32(1.0))
        parts = text.parts_of(products)
        if len(text.exact):  # a shopper who gives a product's number wants that product, whatever it looks like
            lacking = EXACT_MATCH_BONUS * (1 - vectors - sum(parts.values()))
            parts[LEXICAL] = parts[LEXICAL] + np.where(np.isin(products, text.exact), lacking, 0).astype(np.float32)
        scores = np.sum([vectors, *parts.values()], axis=0, dtype=np.float32)
        order = np.lexsort((products, -scores))
        rows, products, scores = rows[order], products[order], scores[order]
        parts = {name: part[order] for name, part in parts.items()}
    certain = len(scores) if bound is None else int(np.searchsorted(-scores, -bound, side="left"))
    return Ranked(rows, products, scores, parts, 0.0 if text is None else text.share, certain)


def _picture(product: Product, sha256: str) -> Picture:
    """Return the product's picture with that content hash; the first one when the catalogue changed since."""
    fallback = product.pictures[0] if product.pictures else Picture("", sha256)
    return next((picture for picture in product.pictures if picture.sha256 == sha256), fallback)


def best_rows(products: Ids, scores: Floats) -> Ids:
    """Return the positions of each product's best row, best product first; the earlier row wins a tie in a product."""
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(products[order], return_index=True)
    return order[np.sort(first)].astype(np.int64, copy=False)


def count_with_ties(scores: Floats, k: int) -> int:
    """Return how many of these descending scores compete for the top `k`: `k`, and all that tie with the k-th."""
    return len(scores) if k >= len(scores) else int(np.searchsorted(-scores, -scores[k - 1], side="right"))


def page_slice(candidates: Iterable[tuple[float, str, int]], offset: int, k: int) -> list[int]:
    """Return the positions ranked `offset` to `offset + k`, of (score, product id, position); ties by product id."""
    ranked = sorted(candidates, key=lambda candidate: (-candidate[0], candidate[1]))
    return [position for _, _, position in ranked[offset : offset + k]]


def split_scores(rows: NDArray[np.floating], query: Floats, starts: Sequence[int]) -> Floats:
    """Return each row's score by block, (n, blocks): the dot product over the block that begins at each start."""
    # A row's parts sum to at most 1 for a normalised query; float16 rounding may exceed it.
    parts = np.add.reduceat(rows.astype(np.float32) * query, starts, axis=1)
    return np.asarray(parts / np.maximum(parts.sum(axis=1, keepdims=True), 1.0), dtype=np.float32)
