"""Which products match a query at all, and in which order they come: pure functions over scores and columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats
from search.query.terms import NEWEST, PRICE_DOWN, PRICE_UP, RELEVANCE
from search.state.column_store import Columns
from search.state.label_columns import Ints, Mask

MATCHES = 500  # products that can match a query; beyond them neither counts nor orders are of use to anybody
WORDS_SHARE = 0.75  # of the best score of all products, which one that matches must have when words are asked
PICTURE_SHARE = 0.5  # likewise for a picture or a product, beside which all of its kind count


def floor_of(best: float, worded: bool) -> float:
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


def ordered(columns: Columns, keys: Ints, scores: Floats, sort: str) -> Ints:
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


def browsed(columns: Columns, products: Mask, sort: str = RELEVANCE) -> Ints:
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
