"""Use a model with a table of products that is not the one of its fit."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from typing_extensions import Self

from indexer.types import Floats
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Context, RecommenderModel


class AlignedModel(RecommenderModel):
    """Scores the products of another table by a model; products that came after its fit have the score 0."""

    name: ClassVar[str] = "aligned"

    def __init__(self, model: RecommenderModel, fitted: ProductTable, products: ProductTable) -> None:
        self._model = model
        code_of = fitted.code_of
        # Position of each product of the new table in the table of the fit, -1 for none.
        self._codes = np.fromiter((code_of.get(product, -1) for product in products.ids), np.int32, len(products))

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Raise TypeError: the model was fitted before."""
        raise TypeError("An aligned model is made of a fitted one.")

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the score of each product of the new table."""
        codes = self._codes[visitor.products]
        known = visitor.where(codes >= 0)
        history = History(codes[codes >= 0], known.times, known.kinds, known.quantities, known.prices)
        cart: Codes = self._codes[context.cart]
        scores = self._model.scores(history, Context(context.now, cart[cart >= 0]))
        return np.where(self._codes >= 0, scores[np.maximum(self._codes, 0)], np.float32(0))
