"""Count and sort results: which products match a query, their facets, and browsing without a query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Ids, Mask
from search.hits import Facet, SearchHit
from search.query.filters import Filter
from search.query.terms import LEXICAL, PRICE_DOWN, PRICE_UP, RELEVANCE, Query, TextTerm
from search.retrieval.candidates import Ranked
from search.retrieval.facets import facet_counts
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
