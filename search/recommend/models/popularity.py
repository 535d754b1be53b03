"""Popularity: how many visitors buy a product, recent purchases counting more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.event_log import CART, CLICK, PURCHASE, VIEW
from search.recommend.events.interactions import KIND_CODES, Codes, History, Interactions, last_rows
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import WEEK_S, Arrays, Context, RecommenderModel

HALF_LIFE_WEEKS = 4.0
# Where a shop has purchases, a look says little beside one; where it has none, looks are all there is.
KIND_WEIGHTS: Mapping[str, float] = {VIEW: 0.02, CLICK: 0.02, CART: 0.3, PURCHASE: 1.0}


class Popularity(RecommenderModel):
    """Scores a product by its visitors: each counts once, by kind and age of the event, halved every four weeks.

    One visitor who buys a product each day makes it no more popular than one who bought it today.
    """

    name: ClassVar[str] = "popularity"
    half_life_weeks: ClassVar[float] = HALF_LIFE_WEEKS

    def __init__(self, weights: Floats) -> None:
        self.weights = weights

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit on events before `now`."""
        return cls(NewestEvents.of(events, len(products), now).popularity(cls.half_life_weeks))

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the popularity of each product, the same for every visitor."""
        return self.weights

    def arrays(self) -> Arrays:
        """Return the popularity of each product."""
        return {"weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(arrays["weights"])


class AllTimePopularity(Popularity):
    """Popularity in which an old purchase counts as much as a new one."""

    name: ClassVar[str] = "popularity_all_time"
    half_life_weeks: ClassVar[float] = float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class NewestEvents:
    """The newest event of each visitor, product and kind: its product (m,), weight by kind, and age in weeks."""

    count: int
    products: Codes
    weights: Floats
    ages: Floats

    @classmethod
    def of(cls, events: Interactions, products: int, now: int) -> NewestEvents:
        """Take the newest events of `products` products before `now`."""
        events = events.between(0, now)
        kinds = len(KIND_CODES)
        pairs = (events.visitors.astype(np.int64) * products + events.products) * kinds + events.columns.kinds
        newest = last_rows(pairs)  # events of a visitor are in the order of time
        by_kind = np.array([KIND_WEIGHTS.get(kind, 0.0) for kind in KIND_CODES], np.float32)
        ages = ((now - events.times[newest]) / WEEK_S).astype(np.float32)
        return cls(products, events.products[newest], by_kind[events.columns.kinds[newest]], ages)

    def popularity(self, half_life_weeks: float) -> Floats:
        """Return the decayed number of visitors of each product, float32 (products,)."""
        weights = self.weights * np.float32(0.5) ** (self.ages / np.float32(half_life_weeks))
        return np.bincount(self.products, weights, minlength=self.count).astype(np.float32)
