"""Series without gaps, and the forecast that is made where a model cannot be fitted."""

from __future__ import annotations

import numpy as np

from indexer.types import Floats, Mask
from search.pricing.forecasting.base import HORIZON, QUANTILES
from search.pricing.series.past_weeks import filled_forward

MIN_WEEKS = 8  # from a product's first known price, for a model of its own
MIN_RATIOS = 100  # from which quantiles are computed


def filled_prices(prices: Floats) -> Floats:
    """Return the prices (n, w) with each gap filled by the last known price before it, NaN before the first.

    A price of 0 or less is no price.
    """
    return filled_forward(np.where(prices > 0, prices, np.float32(np.nan)))


def has_changed(filled: Floats) -> Mask:
    """Return whether a price has changed up to each week, (n, w)."""
    changes = np.zeros(filled.shape, bool)
    changes[:, 1:] = np.abs(np.diff(filled, axis=1)) > 1e-6 * filled[:, 1:]
    return np.logical_or.accumulate(changes, axis=1)


def empirical_forecast(prices: Floats) -> Floats:
    """Return the last known price with a range from past changes, (n, HORIZON, 3); NaN without a known price.

    The range has the quantiles of what prices (n, w) were, 1 to HORIZON weeks later, by what they were. A product
    whose price never changed in at least MIN_WEEKS weeks takes them from moments when that was so of a product; all
    others from all moments. The range is the price alone where too little is known.
    """
    if not prices.size:
        return np.full((len(prices), HORIZON, len(QUANTILES)), np.nan, np.float32)
    filled = filled_prices(prices)
    known = ~np.isnan(filled)
    calm = ~has_changed(filled)
    calm[:, : MIN_WEEKS - 1] = False
    calm[:, MIN_WEEKS - 1 :] &= known[:, : known.shape[1] - MIN_WEEKS + 1]
    ratios = _ratio_quantiles(prices, filled, known)
    if ratios is None:
        ratios = np.ones((HORIZON, len(QUANTILES)), np.float32)
    calm_ratios = _ratio_quantiles(prices, filled, calm)
    if calm_ratios is None:
        calm_ratios = ratios
    chosen = np.where(calm[:, -1, None, None], calm_ratios, ratios)
    chosen[..., QUANTILES.index(0.5)] = 1.0
    return np.asarray(filled[:, -1, None, None] * chosen, np.float32)


def _ratio_quantiles(prices: Floats, filled: Floats, moments: Mask) -> Floats | None:
    """Return QUANTILES of the ratios of later known prices to those at `moments` (n, w), (HORIZON, 3)."""
    found = []
    for weeks in range(1, HORIZON + 1):
        pairs = moments[:, :-weeks] & (prices[:, weeks:] > 0)
        if np.count_nonzero(pairs) < MIN_RATIOS:
            return None
        found.append(np.quantile(prices[:, weeks:][pairs] / filled[:, :-weeks][pairs], QUANTILES))
    return np.array(found, np.float32)
