"""How forecasts are judged wherever they are: at which origins, by which loss, and what counts as within a range."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.types import Mask
from search.pricing.forecasting.base import HORIZON, QUANTILES
from search.pricing.forecasting.conformal import HALF_CENT

MAX_ORIGINS = 5
SINGLE_PRECISION = 1e-6  # of a price: bounds are stored no more exactly


def origins_of(weeks: int, count: int = MAX_ORIGINS, earliest: int = 0) -> tuple[int, ...]:
    """Return the columns at which forecasts are made: the last `count` times HORIZON weeks begin there.

    Those before the column `earliest` are left out.
    """
    origins = (weeks - HORIZON * (count - place) for place in range(count))
    return tuple(origin for origin in origins if origin >= earliest)


def pinball_losses(prices: NDArray[Any], quantiles: NDArray[Any]) -> NDArray[Any]:
    """Return the mean over QUANTILES of the pinball loss of each price (...) by forecasts (..., 3), in money.

    That of a quantile q is q times what the price is above it, or 1 - q times what it is below (Koenker and Bassett
    1978).
    """
    above = prices[..., None] - quantiles
    levels = np.array(QUANTILES)
    return np.asarray(np.maximum(levels * above, (levels - 1) * above).mean(axis=-1))


def covered(prices: NDArray[Any], quantiles: NDArray[Any]) -> Mask:
    """Return which prices (...) lie within the ranges of forecasts (..., 3), or half a cent off: pages show cents."""
    slack = np.maximum(HALF_CENT, SINGLE_PRECISION * prices)
    return np.asarray((prices >= quantiles[..., 0] - slack) & (prices <= quantiles[..., -1] + slack))
