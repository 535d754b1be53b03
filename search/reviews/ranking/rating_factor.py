"""Ratings as a small part of a score: the Bayesian mean of a product's stars against that of the whole shop.

A product with few reviews is near the shop's mean, and one without any is there. The part is at most RATING_SHARE of
a score, so that neither kind nor values give way to it.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import StoreError
from catalog.reviews.review import MAX_RATING
from catalog.reviews.review_query import RatingTable
from catalog.reviews.review_reader import ReviewReader
from indexer.types import Floats
from search.state.column_store import ProductColumns

RATING_PART = "rating"  # the part of a score that reviews gave
RATING_SHARE = 0.03  # its largest size
PRIOR_REVIEWS = 10  # reviews of the shop's mean that each product is taken to have besides its own
LOOK_SECONDS = 1.0  # between looks for changed reviews
HALF_SCALE = (MAX_RATING - 1) / 2
log = logging.getLogger(__name__)


def bayesian_mean(count: float, total: float, shop_mean: float) -> float:
    """Return the mean of a product's stars and of PRIOR_REVIEWS times the shop's mean."""
    return (total + PRIOR_REVIEWS * shop_mean) / (count + PRIOR_REVIEWS)


def no_ratings(columns: ProductColumns) -> None:
    """Return None: ratings give nothing to any score."""


@dataclass(frozen=True, slots=True, eq=False)
class _Aligned:
    """The score parts (n,) of one state of the products and one of the reviews."""

    columns: ProductColumns
    table: RatingTable
    parts: Floats | None


class RatingFollower:
    """The ratings of one shop as they are now, aligned with its products. Threads share it.

    A file that cannot be read leaves the ratings as they were: a search never fails because of them.
    """

    def __init__(self, home: Path, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._reader = ReviewReader(home)
        self._lock = threading.Lock()
        self._table = RatingTable(0)
        self._next_look = 0.0
        self._aligned: _Aligned | None = None
        self._problem = ""

    def current(self) -> RatingTable:
        """Return the ratings, at most LOOK_SECONDS old."""
        with self._lock:
            now = time.monotonic()
            if now >= self._next_look:
                self._next_look = now + LOOK_SECONDS
                self._look()
            return self._table

    def score_parts(self, columns: ProductColumns) -> Floats | None:
        """Return what ratings give to each product's score, float32 (n,) in [-RATING_SHARE, RATING_SHARE].

        None where no product is rated, or where ratings are not to count.
        """
        if not self.enabled:
            return None
        table, aligned = self.current(), self._aligned
        if aligned is None or aligned.columns is not columns or aligned.table is not table:
            aligned = self._aligned = _Aligned(columns, table, rating_parts(table, columns))
        return aligned.parts

    def _look(self) -> None:
        try:
            if self._reader.change_number() != self._table.change:
                self._table = self._reader.ratings()
            self._problem = ""
        except StoreError as error:
            if str(error) != self._problem:  # logged once, not for every search
                log.error("The ratings of the shop cannot be read, and stay as they were: %s", error)
            self._problem = str(error)


def rating_parts(table: RatingTable, columns: ProductColumns) -> Floats | None:
    """Return the score parts (n,) of the products; None where none of them is rated."""
    overall = table.overall
    if not overall.count:
        return None
    shop_mean = overall.total / overall.count
    above = {
        product_id: RATING_SHARE * (bayesian_mean(rating.count, rating.total, shop_mean) - shop_mean) / HALF_SCALE
        for product_id, rating in table.products.items()
    }
    parts = np.zeros(len(columns), np.float32)
    ordinals, rated = columns.places_of([*above])
    parts[ordinals] = np.array([*above.values()], np.float32)[rated]
    return np.clip(parts, -RATING_SHARE, RATING_SHARE) if parts.any() else None
