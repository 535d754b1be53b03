"""Retrieve rows of a snapshot, and rank their products by vector and text scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from indexer.ann.exact_rerank import MAX_EXACT_ROWS
from indexer.columns.product_table import sorted_places
from indexer.types import Floats, Ids, Mask
from indexer.vectors.conditions import RowCondition
from search.query.filters import Filter
from search.query.terms import LEXICAL
from search.retrieval.lexical_fusion import TextScores
from search.state.column_store import ProductColumns
from search.state.item_groups import ItemGroups
from search.state.pushdown import row_condition
from search.state.snapshot import Snapshot

MIN_TEXT_FETCH = 128  # rows to fetch when text scores count too, so that the order is certain after one retrieval
EXACT_MATCH_BONUS = 0.9  # share of what a product with a number or name from the text lacks to a score of 1
MAX_EXACT_MATCHES = 256  # products whose rows are read for that bonus wherever they rank
MAX_REFINEMENTS = 4  # searches for products that may yet be on the page, before more rows are fetched
ROUNDING = 1e-6  # of a score
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
        places = sorted_places(self.products[order], products)
        return np.asarray(order[places[places >= 0]], np.int64)


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

    def best_by_text(self, snapshot: Snapshot, text: TextScores, count: int) -> tuple[Ids, float]:
        """Return the places in `text` of the `count` best scores and of all that tie with the last.

        Also return the best text score of any other product that may be a hit.
        """
        return leading_places(text.scores, count, self._allowed_of(snapshot, text))

    def rivals(self, snapshot: Snapshot, text: TextScores, needed: float, known: Ids) -> Ids:
        """Return the places in `text` of products that may be hits and have at least a score; not `known` places."""
        mask = text.scores >= needed
        allowed = self._allowed_of(snapshot, text)
        if allowed is not None:
            mask &= allowed
        mask[known] = False
        return np.flatnonzero(mask)

    def _allowed_of(self, snapshot: Snapshot, text: TextScores) -> Mask | None:
        if self.allowed is None or text.keys is snapshot.columns.keys:
            return self.allowed
        if text.places is not None:
            return self.allowed.take(text.places)
        return np.append(self.allowed, False)[snapshot.columns.ordinals(text.keys)]


def retrieve(
    snapshot: Snapshot, vector: Floats | None, text: TextScores | None, scope: SearchScope, fetch: int, wanted: int = 0
) -> tuple[Ranked, bool]:
    """Return the best products of the best `fetch` rows and of as many with text scores; whether there are no others.

    Products with text scores are searched for separately, because the best of them may rank low by vector. So are those
    that may yet be among the first `wanted` products.
    """
    if vector is None:
        return _text_only(snapshot, text, scope, fetch)
    if text is not None:
        fetch = max(fetch, MIN_TEXT_FETCH)
    scores, rows = snapshot.search(vector, fetch, scope.rows(snapshot), scope.condition(snapshot))
    exhausted = len(rows) < fetch
    if text is None or exhausted:
        return _ranked(snapshot, rows, scores, text, scope, None if exhausted else float(scores[-1])), exhausted
    search = _FusedSearch(snapshot, vector, text, scope, fetch, scores, rows)
    bound = search.add_best_by_text()
    return search.refined(search.ranked(bound), bound, wanted), False


@dataclass(slots=True)
class _FusedSearch:
    """A search by vector and text scores: the rows found so far, with their vector scores.

    The first `fetch` rows are the best by vector.
    """

    snapshot: Snapshot
    vector: Floats
    text: TextScores
    scope: SearchScope
    fetch: int
    scores: Floats
    rows: Ids

    def ranked(self, bound: float) -> Ranked:
        """Return the products found, of which those above `bound` are certain."""
        return _ranked(self.snapshot, self.rows, self.scores, self.text, self.scope, bound)

    def add_best_by_text(self) -> float:
        """Find the products with the best text scores and exact matches; return the highest score of any other."""
        share, least = 1 - self.text.share, float(self.scores[-1])
        places, best_other = self.scope.best_by_text(self.snapshot, self.text, self.fetch)
        scores, rows = self._search_products(places)
        bound = share * least + best_other
        if len(rows) == self.fetch:
            unseen = self.text.scores.take(places)
            unseen[sorted_places(places, self._places_of(rows))] = 0
            bound = max(bound, share * float(scores[-1]) + float(unseen.max(initial=0.0)))
        self._add(scores, rows)
        if len(self.text.exact):
            rows = _allowed_rows(self.snapshot, np.sort(self.text.exact)[:MAX_EXACT_MATCHES], self.scope)
            self._add(self.snapshot.scores_of(rows, self.vector), rows)
            if self._has_unread_matches:  # some of those that were not read may get nearly the whole bonus
                bound = max(bound, bound + EXACT_MATCH_BONUS * (1 - bound))
        return bound

    def refined(self, ranked: Ranked, bound: float, wanted: int) -> Ranked:
        """Search products that may yet be among the first `wanted`, until these are certain or rivals are too many."""
        share, least = 1 - self.text.share, float(self.scores[: self.fetch].min())
        excluded = sorted_places(self.text.keys, np.array(self.scope.excluded, np.int64))
        known = np.concatenate([self._places_of(self.rows), excluded[excluded >= 0]])
        for _ in range(MAX_REFINEMENTS):
            if ranked.certain >= wanted or len(ranked.scores) < wanted or self._has_unread_matches:
                break
            last = float(ranked.scores[wanted - 1])
            needed = last - ROUNDING - share * min(least, 1.0)
            if needed <= 0:
                break
            rivals = self.scope.rivals(self.snapshot, self.text, needed, known)
            if not len(rivals):
                return replace(ranked, certain=int(np.searchsorted(-ranked.scores, ROUNDING - last, side="right")))
            scores, rows = self._search_products(rivals)
            if len(rows) < self.fetch:
                known = np.concatenate([known, rivals])
            else:
                known, least = np.concatenate([known, self._places_of(rows)]), float(scores[-1])
            self._add(scores, rows)
            ranked = self.ranked(bound)
        return ranked

    @property
    def _has_unread_matches(self) -> bool:
        return len(self.text.exact) > MAX_EXACT_MATCHES

    def _places_of(self, rows: Ids) -> Ids:
        """Return the places in the text scores of the products of rows, without those that have none."""
        places = sorted_places(self.text.keys, self.snapshot.keys_of(rows))
        return places[places >= 0]

    def _search_products(self, places: Ids) -> tuple[Floats, Ids]:
        """Return exact scores and numbers of the best `fetch` rows of products by their places in the text scores.

        Ties are by row number.
        """
        if len(places) > MAX_EXACT_ROWS:
            columns = self.snapshot.columns
            allowed = self.snapshot.rows_allowed(columns.mask_at(self.text.ordinals_at(places, columns)))
            return self.snapshot.search(self.vector, self.fetch, allowed)
        rows = _allowed_rows(self.snapshot, self.text.keys[places], SearchScope())
        scores = self.snapshot.scores_of(rows, self.vector)
        order = np.lexsort((rows, -scores))[: self.fetch]
        return scores[order], rows[order]

    def _add(self, scores: Floats, rows: Ids) -> None:
        new = ~np.isin(rows, self.rows)
        self.scores, self.rows = np.concatenate([self.scores, scores[new]]), np.concatenate([self.rows, rows[new]])


def leading_places(scores: Floats, count: int, allowed: Mask | None = None) -> tuple[Ids, float]:
    """Return the places, sorted, of the `count` largest scores above 0 and of all that tie with the last of these.

    Also return the largest of the other scores, 0 where none is above 0. With a mask `allowed` (n,), of those scores.
    """
    sample = scores[::SAMPLE_STEP] if allowed is None else scores[::SAMPLE_STEP] * allowed[::SAMPLE_STEP]
    floor = float(np.partition(sample, -count)[-count]) if len(sample) > count else 0.0
    high = scores >= floor if floor > 0 else scores > 0
    if allowed is not None:
        high &= allowed
    places = np.flatnonzero(high)
    own = scores[places]  # the best of all are among them, because so many of the sample are
    tie = floor > 0 and float(own.max()) == floor  # all of them, as where a kind gives the same to each of its products
    if len(own) > count and not tie:
        chosen = own >= np.partition(own, -count)[-count]
        places, others = places[chosen], own[~chosen]
        if len(others) or floor <= 0:
            return places, float(others.max(initial=0.0))
    elif floor <= 0 or len(places) == len(scores):
        return places, 0.0
    others = np.where(high, np.float32(0), scores)
    return places, float((others if allowed is None else others * allowed).max(initial=0.0))


def _text_only(snapshot: Snapshot, text: TextScores | None, scope: SearchScope, fetch: int) -> tuple[Ranked, bool]:
    rows = np.zeros(0, np.int64)
    if text is not None:
        scored = np.flatnonzero(text.scores > 0)
        best = scored[np.argsort(-text.scores[scored], kind="stable")[: max(fetch, MAX_TEXT_ONLY)]]
        rows = _allowed_rows(snapshot, np.sort(text.keys[best]), scope)
    return _ranked(snapshot, rows, np.zeros(len(rows), np.float32), text, scope, None), True


def one_per_group(ranked: Ranked, columns: ProductColumns, groups: ItemGroups) -> Ranked:
    """Return a ranking with the best product of each group."""
    leading = None if groups.first is None else groups.leading(columns.ordinals(ranked.products))
    if leading is None or leading.all():
        return ranked
    parts = {name: part[leading] for name, part in ranked.parts.items()}
    certain = int(np.count_nonzero(leading[: ranked.certain]))
    rows, products, scores = ranked.rows[leading], ranked.products[leading], ranked.scores[leading]
    return Ranked(rows, products, scores, parts, ranked.share, certain)


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
