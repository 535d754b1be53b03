"""Products that came after the fit, in the order in which they suit a visitor, as models/cold.py measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from indexer.types import Floats, Ids
from search.recommend.models.cold import likings, shrunk
from search.recommend.models.content_rows import Interests

MAX_NEWER = 100  # newest products that the fitted model does not know
MAX_WARM = 2_000  # most popular products, whose buyers are the average visitor

RowsOf = Callable[[Ids], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class NewerProducts:
    """Products by ordinal (c,), ascending, with their rows (c, dim) and the average visitor's liking of each (c,)."""

    ordinals: Ids
    rows: Floats
    chance: float
    average: Floats

    @classmethod
    def of(cls, ordinals: Ids, popularity: Floats, rows_of: RowsOf) -> NewerProducts:
        """Compute the average liking of at most MAX_NEWER products from the popularity of all products (n,)."""
        ordinals = ordinals[-MAX_NEWER:]
        warm = np.argsort(-popularity, kind="stable")[:MAX_WARM]
        warm = warm[popularity[warm] > 0]
        rows, warm_rows = rows_of(ordinals), rows_of(warm)
        if not len(warm) or not len(ordinals):
            return cls(ordinals, rows, 0.0, np.ones(len(ordinals), np.float32))
        mean = warm_rows.mean(axis=0, dtype=np.float32)
        chance = float(mean @ mean)
        return cls(ordinals, rows, chance, shrunk(likings(popularity[warm], warm_rows, rows, chance)))

    def lifts(self, liked: Interests, liked_rows: Floats) -> Floats:
        """Return the visitor's liking of each product over the average visitor's (c,), 1 for no difference."""
        if not len(liked.products):
            return np.ones(len(self.ordinals), np.float32)
        found = likings(liked.weights, liked_rows, self.rows, self.chance)
        return np.asarray(np.maximum(found, 0.0) / self.average, np.float32)
