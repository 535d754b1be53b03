"""Groups of products by how often their prices change: ranges are calibrated within each."""

from __future__ import annotations

import numpy as np

from indexer.types import Floats, Ids
from search.pricing.forecasting.features import CHANGE

CALM, MIXED, LIVELY = 0, 1, 2
GROUPS = ("calm", "mixed", "lively")
WEEKS = 13
MAX_CALM, MAX_MIXED = 1, 4  # changes within WEEKS


def volatility_groups(filled: Floats, end: int) -> Ids:
    """Return the group (n,) of each product before the column `end`, from prices (n, w) that are filled forward."""
    with np.errstate(invalid="ignore"):
        logs = np.log(filled[:, max(end - WEEKS - 1, 0) : end])
        changes = (np.abs(np.diff(logs, axis=1)) > CHANGE).sum(1)
    return np.where(changes <= MAX_CALM, CALM, np.where(changes <= MAX_MIXED, MIXED, LIVELY)).astype(np.int64)
