"""Recommend by content: products whose rows are near a visitor's taste, and away from what was dismissed.

Rows are given to the model, float16 or float32 (products, dim), in the order of the table: those of pictures and words
of a shop (`SearchEngine.similarity_vectors`), or those of the table's words (`text_rows`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.numeric import unit
from indexer.types import Floats
from search.recommend.events.event_log import CART, CLICK, DISMISS, EVENT_KINDS, PURCHASE, VIEW
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import WEEK_S, Arrays, Context, RecommenderModel
from search.recommend.models.text_rows import Halves, text_rows

KIND_WEIGHTS = {VIEW: 1.0, CLICK: 1.0, CART: 3.0, PURCHASE: 5.0, DISMISS: -3.0}  # our judgement, as for popularity
HALF_LIFE_WEEKS = 13.0
PICTURE_SHARE = 0.4  # of pictures in rows joined with words; 0.3 to 0.7 differ little
MAX_LIKED = 500  # products of a history that count, by weight
_WEIGHT_OF = np.array([KIND_WEIGHTS[kind] for kind in EVENT_KINDS])


@dataclass(frozen=True, slots=True, eq=False)
class Interests:
    """Products of a history with weights (m,): above 0 for what was liked, below 0 for what was dismissed."""

    products: Codes
    weights: Floats


def interests(visitor: History, now: int, limit: int = MAX_LIKED) -> Interests:
    """Return the products of a history by what was done with them, halved every 13 weeks, at most `limit`.

    What was done again counts by the logarithm, so a staple does not hide everything else.
    """
    products, place = np.unique(visitor.products, return_inverse=True)
    ages = np.maximum(now - visitor.times, 0) / (HALF_LIFE_WEEKS * WEEK_S)
    sums = np.bincount(place, _WEIGHT_OF[visitor.kinds] * 0.5**ages, minlength=len(products))
    weights = np.sign(sums) * np.log1p(np.abs(sums))
    heaviest = np.sort(np.argsort(-np.abs(weights), kind="stable")[:limit])
    return Interests(products[heaviest].astype(np.int32), weights[heaviest].astype(np.float32))


class ContentRows(RecommenderModel):
    """Scores a product by the cosine of its row and the visitor's taste, both without what all products share.

    The taste is the weighted sum of the rows of a history (Pazzani and Billsus 2007). A score is 0 for a product whose
    row is no nearer to it than any product's.
    """

    name: ClassVar[str] = "content"

    def __init__(self, rows: Halves | Floats) -> None:
        self._rows = centred(rows)

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Return the model on the words of a table; events are not needed. A shop with pictures gives its rows."""
        return cls(text_rows(products))

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the cosine of each product and the taste, float32 (products,), 0 where it is negative."""
        liked = interests(visitor, context.now)
        taste = unit(liked.weights @ self._rows[liked.products])
        return np.asarray(np.maximum(self._rows @ taste, 0.0), np.float32)

    def arrays(self) -> Arrays:
        """Return the centred rows, float16 (products, dim)."""
        return {"rows": self._rows.astype(np.float16)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        model = cls.__new__(cls)
        model._rows = arrays["rows"].astype(np.float32)
        return model


def centred(rows: Halves | Floats) -> Floats:
    """Return rows without their mean, of unit length, float32; a product without a row still has none."""
    present = rows.any(axis=1)
    moved = rows.astype(np.float32)
    if present.any():
        moved[present] -= moved[present].mean(axis=0)
    return unit(moved)


def joined_rows(parts: Sequence[Halves | Floats], shares: Sequence[float]) -> Halves:
    """Return rows of parts (products, dim) side by side, float16: their dot product is the sum of share * cosine.

    The parts are centred, so that none has similarities of its own for everything; shares add up to 1. A product
    without a row in one part, all zeros, has the other parts at full length.
    """
    columns = [centred(part) * np.float32(math.sqrt(share)) for part, share in zip(parts, shares, strict=True)]
    return unit(np.concatenate(columns, axis=1)).astype(np.float16)
