"""Count, sort and show results: which products match, their facets, browsing, and hits with their evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.product import Picture, Product
from indexer.types import Floats, Ids, Mask
from search.hits import Facet, SearchHit
from search.query.filters import Filter
from search.query.terms import LEXICAL, PRICE_DOWN, PRICE_UP, RELEVANCE, Query, TextTerm
from search.retrieval.candidates import Ranked
from search.retrieval.facets import facet_counts
from search.retrieval.serving_state import ServingState
from search.state.column_store import ProductColumns
from search.state.item_groups import NOT_GROUPED, ItemGroups

MAX_MATCHES = 500  # products that can match a query; nobody uses counts or orders beyond them
TEXT_SHARE = 0.75  # share of the best score that a match must reach when the query is text alone
FEW = 64  # times fewer products than all of the shop are sorted, where more are read off the order of all
FIRST_READ, READ_GROWTH = 4_096, 4  # products of an order that are looked at first, and so many times more then
PICTURE_SHARE = 0.5  # the same for a picture or a product, where all products of its category count


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of a page, the best hits whatever the page is sorted by, what was counted, and the row below."""

    hits: tuple[SearchHit, ...]
    best: tuple[SearchHit, ...]
    total: int | None = None
    variants: int | None = None
    facets: tuple[Facet, ...] = ()
    near: tuple[SearchHit, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultSet:
    """All results of one query, whatever its filter: the mask `results` (n,) of products.

    What is within a filter are the results that pass it. So a facet's count is what a click on it shows: of each of
    the `groups` once.
    """

    columns: ProductColumns
    results: Mask
    leading: int = 0  # the best products of the shop that are known to be results
    groups: ItemGroups = NOT_GROUPED

    def within(self, narrowed: Filter | None) -> Mask:
        """Return the mask of the results that pass a filter."""
        return self.results & self.columns.matching(narrowed or Filter())

    def count(self, narrowed: Filter | None) -> int:
        """Return the number of results that pass a filter."""
        return self.groups.count(self.within(narrowed))

    def facets(self, narrowed: Filter | None) -> tuple[Facet, ...]:
        """Return the facets of the results."""
        return facet_counts(self.columns, narrowed or Filter(), self.within, groups=self.groups)


def similar_results(columns: ProductColumns, query: Query, ranked: Ranked, kind: Mask | None = None) -> ResultSet:
    """Return the results of a query that is answered by likeness, from the best products of the whole shop.

    With the mask of the example's `kind`, all products of that kind are results, and of others only very similar ones.
    What orders products beyond their likeness, such as a kind's share, does not decide what a result is.
    """
    text_only = all(isinstance(term, TextTerm) for term in query.terms)
    likeness = ranked.scores - sum(part for name, part in ranked.parts.items() if name != LEXICAL)
    threshold = match_threshold(float(likeness.max(initial=0.0)), text_only or kind is not None)
    alike = likeness[:MAX_MATCHES] >= threshold
    results = columns.mask_of(ranked.products[:MAX_MATCHES][alike])
    leading = int(np.argmin(np.append(alike, False)))
    return ResultSet(columns, results if kind is None else results | kind, leading)


def browse(columns: ProductColumns, query: Query) -> tuple[Ids, Found]:
    """Return the keys of the page of a query without terms, in its order, and what was counted."""
    everything = ResultSet(columns, columns.present, groups=columns.item_groups(query.group_variants))
    within = everything.within(query.filter)
    facets = everything.facets(query.filter) if query.facets else ()
    keys = browse_order(columns, within, query.sort, everything.groups, query.offset + query.k)
    total = everything.groups.count(within)
    return keys[query.offset :], Found((), (), total, int(np.count_nonzero(within)), facets)


def match_threshold(best: float, strict: bool) -> float:
    """Return the lowest score of a product that matches a query, from the best score of any product, unfiltered.

    `strict` is the share for a query of text alone, and for an example whose kind is known. The shares were measured by
    tests/bench/matches.py on half of the fashion shop's categories; see docs/decisions/filters-and-facets.md.
    """
    share = TEXT_SHARE if strict else PICTURE_SHARE
    return best * share if best > 0 else best


def browse_order(
    columns: ProductColumns,
    products: Mask,
    sort: str = RELEVANCE,
    groups: ItemGroups = NOT_GROUPED,
    wanted: int | None = None,
) -> Ids:
    """Return the keys of the masked products: the newest (last added, not changed) first, or by price and id.

    Of each group, only the first in this order is there. Without `wanted`, all are there, else the first so many.
    """
    allowed = products & columns.present
    if np.count_nonzero(allowed) * FEW < len(allowed):
        places = _sorted_places(columns, np.flatnonzero(allowed), sort)
        return columns.keys[places[groups.leading(places)][:wanted]]
    order = _order_of(columns, sort)
    seen, size, found = 0, FIRST_READ if wanted else len(order), np.zeros(0, np.int64)
    while seen < len(order) and (wanted is None or len(found) < wanted):
        part = order[seen : seen + size]
        found = np.concatenate([found, part[allowed[part]]])
        found = found[groups.leading(found)]
        seen, size = seen + size, size * READ_GROWTH
    return columns.keys[found[:wanted]]


def _order_of(columns: ProductColumns, sort: str) -> NDArray[np.integer]:
    """Return the ordinals of all products in the order of `sort`."""
    if sort == PRICE_UP:
        return columns.price_order.rising
    if sort == PRICE_DOWN:
        return columns.price_order.falling
    return np.arange(len(columns), dtype=np.int32)[::-1]


def _sorted_places(columns: ProductColumns, places: Ids, sort: str) -> Ids:
    """Return the rising ordinals of some products in the order of `sort`."""
    if sort not in (PRICE_UP, PRICE_DOWN):
        return places[::-1]
    prices = columns.prices[places]
    return places[np.lexsort((columns.id_ranks[places], -prices if sort == PRICE_DOWN else prices))]  # nan is last


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


def split_scores(rows: NDArray[np.floating], query: Floats, starts: Sequence[int]) -> Floats:
    """Return each row's score by block, (n, blocks): the dot product over the block that begins at each start."""
    # A row's parts sum to at most 1 for a normalised query; float16 rounding may exceed it.
    parts = np.add.reduceat(rows.astype(np.float32) * query, starts, axis=1)
    return np.asarray(parts / np.maximum(parts.sum(axis=1, keepdims=True), 1.0), dtype=np.float32)


def _parts(state: ServingState, vector: Floats | None, ranked: Ranked, places: list[int]) -> list[dict[str, float]]:
    layout = state.generation.layout
    columns = {name: part[places] for name, part in ranked.parts.items()}
    if vector is not None:
        starts = layout.starts
        split = split_scores(state.snapshot.vectors_of(ranked.rows[places]), vector, starts) * (1 - ranked.share)
        columns = dict(zip(layout.names, split.T, strict=True)) | columns
    names, lists = tuple(columns), [column.tolist() for column in columns.values()]
    return (
        [dict(zip(names, parts, strict=True)) for parts in zip(*lists, strict=True)] if names else [{} for _ in places]
    )


def _picture(product: Product, sha256: str) -> Picture:
    """Return the product's picture with that content hash; the first one when the catalogue changed since."""
    fallback = product.pictures[0] if product.pictures else Picture("", sha256)
    return next((picture for picture in product.pictures if picture.sha256 == sha256), fallback)
