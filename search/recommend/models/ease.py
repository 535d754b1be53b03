"""EASE: item weights in closed form (Steck 2019, "Embarrassingly shallow autoencoders for sparse data").

B = I - P / diag(P) with P = (G + lambda I)^-1 of the Gram matrix G of the visitors' purchases: what a visitor bought,
times B, says what else belongs to it. The inverse grows with the third power of the products, so only the most bought
take part.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from indexer.numeric import chunks
from indexer.types import Floats
from search.recommend.events.interactions import Codes, History, Interactions, last_rows
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Arrays, Context, RecommenderModel
from search.recommend.models.own_history import own_counts

MAX_PRODUCTS = 3_000
MIN_BUYERS = 3
MAX_HISTORY = 200  # newest products of a visitor: the Gram matrix of a few longer ones would be the whole fit
REGULARISATION = 300.0  # lambda; 100 and 1,000 are worse on purchases of 1,456 households
HALF_LIFE_WEEKS = 26.0
VISITORS_AT_ONCE = 2_000  # rows of the matrix of visitors and products in memory


class Ease(RecommenderModel):
    """Scores products by what the visitor bought, through weights between the most bought products."""

    name: ClassVar[str] = "ease"

    def __init__(self, products: int, items: Codes, weights: Floats) -> None:
        self._count = products
        self.items = items  # codes (m,)
        self.weights = weights  # float32 (m, m), from a row's product to a column's
        self._place = np.full(products, -1, np.int32)
        self._place[items] = np.arange(len(items))

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit on purchases before `now`."""
        visitors, codes = newest_products(events.between(0, now).of_kind(), len(products), MAX_HISTORY)
        buyers = np.bincount(codes, minlength=len(products))
        items = np.lexsort((np.arange(len(products)), -buyers))[:MAX_PRODUCTS]
        items = np.sort(items[buyers[items] >= MIN_BUYERS])
        place = np.full(len(products), -1, np.int64)
        place[items] = np.arange(len(items))
        inside = place[codes] >= 0
        return cls(
            len(products), items.astype(np.int32), _fit_weights(visitors[inside], place[codes[inside]], len(items))
        )

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the summed weights from what the visitor bought to each product."""
        scores = np.zeros(self._count, np.float32)
        counts = own_counts(visitor.of_kind(), self._count, context.now, HALF_LIFE_WEEKS)
        counts[context.cart] = np.maximum(counts[context.cart], 1.0)
        own = np.flatnonzero((counts > 0) & (self._place >= 0))
        if len(own):
            scores[self.items] = np.log1p(counts[own]) @ self.weights[self._place[own]].astype(np.float32)
        return scores

    def contributions(self, own: Codes, product: int) -> Floats:
        """Return the weight from each of a visitor's products (m,) to one product; 0 where EASE has none."""
        found = np.zeros(len(own), np.float32)
        if (place := self._place[product]) >= 0:
            known = self._place[own] >= 0
            found[known] = self.weights[self._place[own[known]], place]
        return found

    def arrays(self) -> Arrays:
        """Return the products and their weights, which half precision holds well enough."""
        return {"products": np.array([self._count]), "items": self.items, "weights": self.weights.astype(np.float16)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(int(arrays["products"][0]), arrays["items"], arrays["weights"])


def newest_products(events: Interactions, products: int, limit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct products of each visitor, at most `limit` of the newest, as visitors (m,) and codes (m,)."""
    pairs = events.visitors.astype(np.int64) * products + events.products
    last = last_rows(pairs)
    by_age = last[np.lexsort((events.products[last], -events.times[last], events.visitors[last]))]
    visitors = events.visitors[by_age].astype(np.int64)
    within = np.arange(len(visitors)) - np.searchsorted(visitors, visitors) < limit
    return visitors[within], events.products[by_age][within].astype(np.int64)


def _fit_weights(visitors: NDArray[np.int64], places: NDArray[np.int64], items: int) -> Floats:
    """Return the weights between products, from the products (places) of visitors in their order."""
    gram = np.zeros((items, items), np.float32)
    owners, begins = np.unique(visitors, return_index=True)
    ends = np.append(begins[1:], len(visitors))
    for chunk in chunks(len(owners), VISITORS_AT_ONCE):
        first, last = int(begins[chunk][0]), int(ends[chunk][-1])
        bought = np.zeros((chunk.stop - chunk.start, items), np.float32)
        bought[np.searchsorted(owners[chunk], visitors[first:last]), places[first:last]] = 1.0
        gram += bought.T @ bought
    gram[np.diag_indices(items)] += REGULARISATION
    inverse = np.linalg.inv(gram.astype(np.float64))
    weights: Floats = (-inverse / np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0.0)
    return weights
