"""Recognise goods that are sold by weight: what is paid for a piece says nothing of their price."""

from __future__ import annotations

import numpy as np

from indexer.types import Floats, Ids, Mask

MIN_PAIRS = 10  # of purchases in one week, before a product is judged
# The share of pairs of purchases in one week that cost the same. Of 3,678 products of a grocer, 231 are below 0.12, 2
# from there to 0.2, and 3,438 above 0.35: what is weighed hardly ever costs the same twice.
MAX_EQUAL_SHARE = 0.15


def sold_by_weight(cells: Ids, prices: Floats, shape: tuple[int, int]) -> Mask:
    """Return which products are sold by weight, (n,): in one week, hardly two purchases of one cost the same.

    `cells` (m,) are product * weeks + week of each purchase, `prices` (m,) what one unit cost, `shape` (n, weeks).
    Stores of a chain may differ in a price, a promotion may change it within the week; neither hides a price.
    """
    products, weeks = shape
    cents = np.minimum(np.round(prices.astype(np.float64) * 100), 10**8).astype(np.int64)
    equal = _pairs(cells * (10**8 + 1) + cents, 10**8 + 1)
    every = _pairs(cells, 1)
    pairs = np.bincount(every[0] // weeks, every[1], products)
    equal_pairs = np.bincount(equal[0] // weeks, equal[1], products)
    return np.asarray((pairs >= MIN_PAIRS) & (equal_pairs < MAX_EQUAL_SHARE * pairs))


def _pairs(keys: Ids, divisor: int) -> tuple[Ids, np.ndarray]:
    """Return the cells of the distinct keys, and how many pairs of rows have each key."""
    found, counts = np.unique(keys, return_counts=True)
    return found // divisor, counts * (counts - 1) / 2
