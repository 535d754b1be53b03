"""What prices did after a moment: the labels of models, and the truth of flags."""

from __future__ import annotations

import numpy as np

from indexer.types import Floats, Mask
from search.pricing.flags.rules import LOWER, at_most, known_prices
from search.pricing.series.past_weeks import filled_forward

AHEAD = 4  # weeks
RECENT = 4  # weeks in which a last price must have been known, for its product to be judged
CENT = 0.005  # what a price must be lower by to be cheaper, in units of the currency


def lowest_after(prices: Floats) -> Floats:
    """Return the lowest known price of the AHEAD columns after each column, (n, w); NaN where none is known yet.

    It is NaN for the last AHEAD columns, whose weeks ahead are not over.
    """
    lowest = np.full(prices.shape, np.nan, np.float32)
    for place in range(prices.shape[1] - AHEAD):
        lowest[:, place] = np.fmin.reduce(prices[:, place + 1 : place + 1 + AHEAD], axis=1)
    return lowest


def fell(prices: Floats) -> Floats:
    """Return whether the price was LOWER within the AHEAD weeks after each column, (n, w): 1, 0, or NaN if not known.

    It is compared with the last known price, which must be of the RECENT weeks up to the column.
    """
    prices = known_prices(prices)
    ahead = lowest_after(prices)
    found = at_most(ahead, filled_forward(prices) * np.float32(LOWER)).astype(np.float32)
    found[np.isnan(ahead) | ~_known_recently(prices)] = np.nan
    return found


def no_cheaper(prices: Floats, lows: Floats | None = None) -> Floats:
    """Return whether the price of each column was not undercut in the AHEAD weeks after it, (n, w): 1, 0, or NaN.

    `lows` (n, w) are the lowest prices of the weeks, None where they are `prices`.
    """
    prices = known_prices(prices)
    ahead = lowest_after(prices if lows is None else known_prices(lows))
    found = (ahead >= prices - np.float32(CENT)).astype(np.float32)
    found[np.isnan(ahead) | np.isnan(prices)] = np.nan
    return found


def discounted(prices: Floats, list_prices: Floats) -> Floats:
    """Return whether each price was below a known list price, (n, w): 1, 0, or NaN where one is not known."""
    prices, list_prices = known_prices(prices), known_prices(list_prices)
    found = (prices < list_prices - np.float32(CENT)).astype(np.float32)
    found[np.isnan(prices) | np.isnan(list_prices)] = np.nan
    return found


def _known_recently(prices: Floats) -> Mask:
    """Return where a price was known in the RECENT columns up to each, (n, w)."""
    counts = np.cumsum(~np.isnan(prices), axis=1)
    before = np.zeros_like(counts)
    before[:, RECENT:] = counts[:, :-RECENT]
    return np.asarray(counts > before, bool)
