"""Count and sort results: which products match a query, their facets, and browsing without a query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats, Ids, Mask
from search.hits import CATEGORY_PART, Facet
from search.query.filters import Filter
from search.query.terms import LEXICAL, NEWEST, PRICE_DOWN, PRICE_UP, RELEVANCE, Query, TextTerm
from search.retrieval.candidates import Ranked
from search.retrieval.facets import facet_counts
from search.state.column_store import ProductColumns

MAX_MATCHES = 500  # products that can match a query; nobody uses counts or orders beyond them
TEXT_SHARE = 0.75  # share of the best score that a match must reach when the query is text alone
PICTURE_SHARE = 0.5  # the same for a picture or a product, where all products of its category count

Fetch = Callable[[Filter | None], Ranked]


@dataclass(frozen=True, slots=True)
class Matches:
    """The products that match a query and a filter, best first: a ranking, and their places in it."""

    ranked: Ranked
    places: Ids

    @property
    def keys(self) -> Ids:
        """The products' keys."""
        return self.ranked.products[self.places]


class FilteredResults:
    """The results of one query under different filters; `fetch` ranks the products that pass a filter."""

    def __init__(self, columns: ProductColumns, query: Query, fetch: Fetch) -> None:
        self._columns = columns
        self._query = query
        self._fetch = fetch
        self._matches: dict[Filter | None, Matches] = {}

    def matches(self, narrowed: Filter | None) -> Matches:
        """Return what matches the query and passes the filter."""
        narrowed = narrowed if narrowed and narrowed.conditions else None
        if narrowed not in self._matches:
            ranked = self._fetch(narrowed)
            # What matches does not depend on the filter, so the best of all products sets the threshold.
            scores = ranked.scores if narrowed is None else self.matches(None).ranked.scores
            text_only = all(isinstance(term, TextTerm) for term in self._query.terms)
            threshold = match_threshold(float(scores[0]), text_only) if len(scores) else 0.0
            places = np.arange(len(matching_keys(ranked.products, ranked.scores, threshold)))
            if all(term.weight < 0 for term in self._query.terms):  # "not red": all that is not called so
                lexical = ranked.parts.get(LEXICAL, np.zeros(len(ranked.scores)))
                places = np.flatnonzero(lexical[:MAX_MATCHES] >= 0)
            if CATEGORY_PART in ranked.parts:  # "this, but red" asks for one category
                places = places[ranked.parts[CATEGORY_PART][places] > 0]
            self._matches[narrowed] = Matches(ranked, places)
        return self._matches[narrowed]

    def places(self) -> Ids:
        """Return the places of what matches the query and its filter, in the query's order."""
        matches = self.matches(self._query.filter)
        scores = matches.ranked.scores[matches.places]
        return matches.places[sort_order(self._columns, matches.keys, scores, self._query.sort)]

    def facets(self) -> tuple[Facet, ...]:
        """Return the facets of the results."""
        columns = self._columns
        return facet_counts(columns, self._query.filter or Filter(), lambda f: columns.mask_of(self.matches(f).keys))


def browse(columns: ProductColumns, query: Query) -> tuple[Ids, tuple[Facet, ...]]:
    """Return the keys of all products that pass the filter of a query without terms, in its order, and their facets."""
    narrowed = query.filter or Filter()
    facets = facet_counts(columns, narrowed, columns.matching) if query.facets else ()
    return browse_order(columns, columns.matching(narrowed), query.sort), facets


def match_threshold(best: float, text_only: bool) -> float:
    """Return the lowest score of a product that matches a query, from the best score of any product, unfiltered.

    So what matches under a filter is what matches without it and passes the filter. The shares were measured by
    tests/bench/matches.py on half of the fashion shop's categories; see docs/decisions/filters-and-facets.md.
    """
    share = TEXT_SHARE if text_only else PICTURE_SHARE
    return best * share if best > 0 else best


def matching_keys(keys: Ids, scores: Floats, threshold: float) -> Ids:
    """Return the keys, of products (n,) best first, that reach the threshold; at most MAX_MATCHES."""
    return keys[:MAX_MATCHES][scores[:MAX_MATCHES] >= threshold]


def sort_order(columns: ProductColumns, keys: Ids, scores: Floats, sort: str) -> Ids:
    """Return the places (n,) of products in the order of `sort`; ties by score, then by id. `scores` are (n,).

    By price, products without one come last in either direction. A product that the columns lack comes last.
    """
    places = columns.ordinals(keys)
    ranks = np.append(columns.id_ranks, len(columns))[places]
    if sort == RELEVANCE:
        return np.lexsort((ranks, -scores))
    if sort == NEWEST:
        return np.argsort(-places, kind="stable")
    return np.lexsort((ranks, -scores, _price_order(np.append(columns.prices, np.nan)[places], sort)))


def browse_order(columns: ProductColumns, products: Mask, sort: str = RELEVANCE) -> Ids:
    """Return the keys of the masked products: the newest (last added, not changed) first, or by price and id."""
    places = np.flatnonzero(products & columns.present)[::-1]
    if sort in (PRICE_UP, PRICE_DOWN):
        places = places[np.lexsort((columns.id_ranks[places], _price_order(columns.prices[places], sort)))]
    return columns.keys[places]


def _price_order(prices: NDArray[np.float64], sort: str) -> NDArray[np.float64]:
    """Return numbers that rise in the order of `sort`; numpy sorts nan last."""
    return -prices if sort == PRICE_DOWN else prices
