"""What the weeks up to a moment say of the last one."""

from __future__ import annotations

import numpy as np

from indexer.types import Floats, Mask


def filled_forward(prices: Floats) -> Floats:
    """Return prices (n, w) with the last known price in weeks without one; NaN before the first."""
    weeks = np.arange(prices.shape[1])
    last = np.maximum.accumulate(np.where(np.isnan(prices), 0, weeks), axis=1)
    return np.take_along_axis(prices, last, axis=1) if prices.size else prices


def weeks_since(happened: Mask, never: float) -> Floats:
    """Return how many columns ago something last happened, (n,): 0 in the last column, `never` if it did not."""
    if not happened.shape[1]:
        return np.full(len(happened), never, np.float32)
    ago = happened[:, ::-1].argmax(axis=1)
    return np.where(happened.any(axis=1), ago, never).astype(np.float32)
