"""Recommend products that hardly anybody has bought yet, by how much of what is like them a visitor bought.

A visitor's liking of a cold product is a kernel average over the visitor's history (Nadaraya 1964): the weight of each
product times a power of its similarity to the cold one. It is divided by the average liking of all visitors. Without
that division everybody is shown what is like the shop's bestsellers; with it the score is a lift, 1 for the average
visitor. What was measured against it is in docs/decisions/personalisation.md.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from indexer.numeric import chunks
from indexer.types import Floats, Mask
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Arrays, Context, RecommenderModel, ScoredProducts, top
from search.recommend.models.content_rows import Interests, interests
from search.recommend.models.text_rows import Halves, text_rows

MIN_BUYERS = 3  # a product with fewer is cold
MAX_WARM = 30_000  # heaviest products that the average liking is computed from
SHRINKAGE = 0.1  # of the median average liking, added to each, against lifts of next to nothing
_LEAST = float(np.finfo(np.float32).tiny)
_CHUNK = 512


class LookAlikes(RecommenderModel):
    """Scores cold products by the lift of a visitor's liking of their look-alikes; other products have 0.

    `rows` (products, dim) are of unit length; `chance` is the mean similarity of two products, which counts as none;
    `average` float32 (products,) is the average liking, 0 for a product that is not cold.
    """

    name: ClassVar[str] = "look_alikes"

    def __init__(self, rows: Halves | Floats, chance: float, average: Floats) -> None:
        self._rows = rows.astype(np.float32)
        self._chance = chance
        self._average = average

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit on the words of a table. A shop with pictures uses `fit_rows` with its rows."""
        return cls.fit_rows(events, text_rows(products), now)

    @classmethod
    def fit_rows(cls, events: Interactions, rows: Halves | Floats, now: int, candidates: Mask | None = None) -> Self:
        """Fit on rows of unit length (products, dim) and the events before `now`.

        `candidates` (products,) are the products that may ever be shown, None for all; the fewer, the faster.
        """
        present = rows.any(axis=1)
        wanted = present & (buyers(events, len(rows)) < MIN_BUYERS)
        cold = np.flatnonzero(wanted if candidates is None else wanted & candidates)
        mean = rows[present].mean(axis=0, dtype=np.float32) if present.any() else np.zeros(rows.shape[1], np.float32)
        model = cls(rows, float(mean @ mean), np.zeros(len(rows), np.float32))
        liked = _all_interests(events, len(rows), now)
        if len(cold) and len(liked.products):
            average = np.concatenate([model._likings(liked, cold[part]) for part in chunks(len(cold), _CHUNK)])
            model._average[cold] = shrunk(average)
        return model

    @property
    def cold(self) -> Mask:
        """The products that are cold, mask (products,)."""
        return self._average > 0

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the lift of each cold product, float32 (products,), 0 where dismissals outweigh the rest."""
        return self._scores(visitor, context.now, self.cold)

    def recommend(self, visitor: History, context: Context, k: int, allowed: Mask | None = None) -> ScoredProducts:
        """Return up to k allowed cold products, best first; only these are scored."""
        return top(self._scores(visitor, context.now, self.cold if allowed is None else self.cold & allowed), k)

    def arrays(self) -> Arrays:
        """Return rows, float16 (products, dim), average likings and the chance similarity."""
        return {
            "rows": self._rows.astype(np.float16),
            "average": self._average,
            "chance": np.array([self._chance], np.float32),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(arrays["rows"], float(arrays["chance"][0]), arrays["average"])

    def _scores(self, visitor: History, now: int, wanted: Mask) -> Floats:
        scores = np.zeros(len(self._rows), np.float32)
        liked, products = interests(visitor, now), np.flatnonzero(wanted)
        if len(liked.products) and len(products):
            scores[products] = np.maximum(self._likings(liked, products), 0.0) / self._average[products]
        return scores

    def _likings(self, liked: Interests, products: NDArray[np.int64]) -> Floats:
        return likings(liked.weights, self._rows[liked.products], self._rows[products], self._chance)


def likings(weights: Floats, liked: Floats, rows: Floats, chance: float) -> Floats:
    """Return how much liked products speak for others, float32 (len(rows),): a mean of the fifth power of similarity.

    `weights` (m,) and `liked` (m, dim) are those of the liked products, `chance` the similarity that counts as none.
    """
    similarity = liked @ rows.T
    similarity -= chance
    similarity *= 1.0 / (1.0 - chance)
    np.maximum(similarity, 0.0, out=similarity)
    kernel = similarity * similarity
    kernel *= kernel
    kernel *= similarity
    return np.asarray(weights @ kernel / np.abs(weights).sum(), np.float32)


def shrunk(average: Floats) -> Floats:
    """Return average likings with SHRINKAGE, by which likings can be divided."""
    return np.asarray(average + max(SHRINKAGE * float(np.median(average)), _LEAST), np.float32)


def _all_interests(events: Interactions, products: int, now: int) -> Interests:
    """Return the products that visitors liked, by the sum of their weights, at most MAX_WARM."""
    sums = np.zeros(products)
    for visitor in range(len(events.visitor_ids)):
        liked = interests(events.history(visitor), now)
        sums[liked.products] += np.maximum(liked.weights, 0.0)
    warm = np.argsort(-sums, kind="stable")[:MAX_WARM]
    warm = np.sort(warm[sums[warm] > 0])
    return Interests(warm.astype(np.int32), sums[warm].astype(np.float32))


def buyers(events: Interactions, products: int) -> Codes:
    """Return how many visitors bought each product, int32 (products,)."""
    bought = events.of_kind()
    pairs = np.unique(bought.visitors.astype(np.int64) * products + bought.products)
    return np.bincount(pairs % products, minlength=products).astype(np.int32)
