"""Answers that are counted and put in order: which products match a query, their facets, and browsing without one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats
from search.hits import KIND, Facet
from search.query.filters import Filter
from search.query.terms import NEWEST, PRICE_DOWN, PRICE_UP, RELEVANCE, Query, TextTerm
from search.retrieval.candidates import Ranked
from search.retrieval.facets import facet_counts
from search.state.column_store import ProductColumns
from search.state.label_columns import Ints, Mask

MATCHES = 500  # products that can match a query; beyond them neither counts nor orders are of use to anybody
WORDS_SHARE = 0.75  # of the best score of all products, which one that matches must have when words are asked
PICTURE_SHARE = 0.5  # likewise for a picture or a product, beside which all of its kind count

Fetch = Callable[[Filter | None, int], Ranked]


@dataclass(frozen=True, slots=True)
class Matches:
    """The products that match a query under a filter, best first: a ranking, and their places in it."""

    ranked: Ranked
    places: Ints

    @property
    def keys(self) -> Ints:
        """Their keys."""
        return self.ranked.products[self.places]

    @property
    def scores(self) -> Floats:
        """Their scores."""
        return self.ranked.scores[self.places]


class FilteredResults:
    """One query's answer, counted under filters; `fetch` ranks the products that pass one, so many rows deep."""

    def __init__(self, columns: ProductColumns, query: Query, fetch: Fetch, depth: int) -> None:
        self._columns = columns
        self._query = query
        self._fetch = fetch
        self._depth = depth
        self._found: dict[Filter | None, Matches] = {}

    def matches(self, narrowed: Filter | None) -> Matches:
        """What matches the query and passes the filter."""
        narrowed = narrowed if narrowed is not None and narrowed.conditions else None
        if narrowed not in self._found:
            ranked = self._fetch(narrowed, self._depth)
            # What matches does not depend on the filter, so the best of all products sets the bar.
            bar = ranked.scores if narrowed is None else self.matches(None).ranked.scores
            worded = all(isinstance(term, TextTerm) for term in self._query.terms)
            floor = match_threshold(float(bar[0]), worded) if len(bar) else 0.0
            places = np.arange(len(matching_keys(ranked.products, ranked.scores, floor)))
            if KIND in ranked.parts:  # "this, but red" asks for one kind of thing
                places = places[ranked.parts[KIND][places] > 0]
            self._found[narrowed] = Matches(ranked, places)
        return self._found[narrowed]

    def places(self) -> Ints:
        """The places of what matches the query and its filter, in the order asked for."""
        found = self.matches(self._query.filter)
        return found.places[ordered(self._columns, found.keys, found.scores, self._query.sort)]

    def facets(self) -> tuple[Facet, ...]:
        """The facets of the answer."""
        return facet_counts(self._columns, self._query.filter or Filter(), self._matched)

    def _matched(self, narrowed: Filter) -> Mask:
        return self._columns.mask_of(self.matches(narrowed).keys)


def depth_of(spread: int) -> int:
    """How many rows hold as many products as can match."""
    return MATCHES * max(1, spread)


def browsing(columns: ProductColumns, query: Query) -> tuple[Ints, tuple[Facet, ...]]:
    """The keys of all products that pass the filter of a query without terms, in its order; and their facets."""
    narrowed = query.filter or Filter()
    keys = browse_order(columns, columns.matching(narrowed), query.sort)
    facets = facet_counts(columns, narrowed, columns.matching) if query.facets else ()
    return np.asarray(keys, np.int64), facets


def match_threshold(best: float, worded: bool) -> float:
    """The least score of a product that matches a query, from the best score of any product, unfiltered.

    `worded` when the query has words only. So what matches under a filter is what matches without it and passes the
    filter. Measured on the fashion shop by tests/bench/matches.py and chosen on half of its kinds of product; see
    docs/decisions.md.
    """
    share = WORDS_SHARE if worded else PICTURE_SHARE
    return best * share if best > 0 else best


def matching_keys(keys: Ints, scores: Floats, floor: float) -> Ints:
    """Of products (n,), best first, those that match; at most MATCHES."""
    return keys[:MATCHES][scores[:MATCHES] >= floor]


def ordered(columns: ProductColumns, keys: Ints, scores: Floats, sort: str) -> Ints:
    """The places (n,) of these products in the order asked for; ties by score, then by id. `scores` are (n,).

    By price, those without one come last in either direction. A product that the columns do not have comes last.
    """
    places = columns.ordinals(keys)
    ranks = np.append(columns.id_ranks, len(columns))[places]
    if sort == RELEVANCE:
        return np.lexsort((ranks, -scores))
    if sort == NEWEST:
        return np.argsort(-places, kind="stable")
    return np.lexsort((ranks, -scores, _price_order(np.append(columns.prices, np.nan)[places], sort)))


def browse_order(columns: ProductColumns, products: Mask, sort: str = RELEVANCE) -> Ints:
    """The keys of the masked products in the order asked for, without a query: the newest first, or by price and id.

    The newest is the one that was added last; a change does not make a product newer.
    """
    places = np.flatnonzero(products & columns.present)[::-1]
    if sort in (PRICE_UP, PRICE_DOWN):
        places = places[np.lexsort((columns.id_ranks[places], _price_order(columns.prices[places], sort)))]
    return columns.keys[places]


def _price_order(prices: NDArray[np.float64], sort: str) -> NDArray[np.float64]:
    """Numbers that rise in the order asked for; numpy sorts nan last."""
    return -prices if sort == PRICE_DOWN else prices
