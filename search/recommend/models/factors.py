"""Matrix factorisation by the library implicit: alternating least squares, and Bayesian personalised ranking.

Both hold the factors of products alone. A visitor's factors are computed from the history at each question, so they
are those of a visitor whom the model never saw as well.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits
from typing_extensions import Self

from catalog.extras import import_extra
from indexer.types import Floats
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import Arrays, Context, RecommenderModel

FACTORS = 128
SEED = 0
# The library's own defaults are made for play counts; these are for visitors of some hundred products.
ALS_SETTINGS = {"regularization": 10.0, "iterations": 10}
CONFIDENCE = 1.0  # what a unit of log(1 + events) adds to the confidence 1
BPR_SETTINGS = {"learning_rate": 0.05, "regularization": 0.002, "iterations": 50, "num_threads": 1}
BPR_STEPS, BPR_RATE, BPR_SHRINKAGE = 50, 0.5, 0.01  # of a visitor's factors


class _Factorisation(RecommenderModel):
    def __init__(self, product_factors: Floats) -> None:
        self.product_factors = product_factors  # float32 (products, factors)

    def scores(self, visitor: History, context: Context) -> Floats:
        """Return the inner product of the visitor's factors with those of each product; 0 without a history."""
        known = visitor.before(context.now)
        products, counts = np.unique(known.products, return_counts=True)
        if not len(products):
            return np.zeros(len(self.product_factors), np.float32)
        return self.product_factors @ self.visitor_factors(products, counts.astype(np.float32))

    @abstractmethod
    def visitor_factors(self, products: Codes, counts: Floats) -> Floats:
        """Return the factors, float32 (factors,), of a visitor with so many events on some products."""

    def arrays(self) -> Arrays:
        """Return the factors of the products."""
        return {"product_factors": self.product_factors}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Make the model of its arrays."""
        return cls(arrays["product_factors"])


class AlternatingLeastSquares(_Factorisation):
    """Factors of least squares in which a choice has a confidence of 1 + log(1 + events) (Hu, Koren, Volinsky 2008)."""

    name: ClassVar[str] = "als"

    def __init__(self, product_factors: Floats) -> None:
        super().__init__(product_factors)
        self._squares = product_factors.T @ product_factors

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit on events of every kind before `now`. Raises MissingExtra."""
        library = _library("als").AlternatingLeastSquares
        make = partial(library, FACTORS, random_state=SEED, **ALS_SETTINGS)
        return cls(_fit(make, events.between(0, now), products))

    def visitor_factors(self, products: Codes, counts: Floats) -> Floats:
        """Solve the least squares of one visitor, as the fit does for each."""
        rows = self.product_factors[products]
        confidence = _confidence(counts)
        left = self._squares + (rows * (confidence - 1)[:, None]).T @ rows
        left[np.diag_indices_from(left)] += ALS_SETTINGS["regularization"]
        solution: Floats = np.linalg.solve(left, rows.T @ confidence).astype(np.float32)
        return solution


class BayesianPersonalisedRanking(_Factorisation):
    """Factors by which a visitor's products rank above others (Rendle et al. 2009); the last factor is the bias."""

    name: ClassVar[str] = "bpr"

    @classmethod
    def fit(cls, events: Interactions, products: ProductTable, now: int) -> Self:
        """Fit on events of every kind before `now`, on one thread, so that it can be repeated. Raises MissingExtra."""
        library = _library("bpr").BayesianPersonalizedRanking
        make = partial(library, FACTORS, random_state=SEED, **BPR_SETTINGS)
        return cls(_fit(make, events.between(0, now), products))

    def visitor_factors(self, products: Codes, counts: Floats) -> Floats:
        """Climb the likelihood that the visitor's products rank above drawn ones; the same draw for every visitor."""
        drawn = np.random.default_rng(SEED).integers(0, len(self.product_factors), (BPR_STEPS, len(products)))
        factors = np.zeros(self.product_factors.shape[1], np.float32)
        factors[-1] = 1.0  # of the bias
        for others in drawn:
            differences = self.product_factors[products] - self.product_factors[others]
            doubt = 1.0 / (1.0 + np.exp(np.clip(differences @ factors, -30, 30)))
            step = BPR_RATE * (differences.T @ doubt / len(products) - BPR_SHRINKAGE * factors)
            factors[:-1] += step[:-1].astype(np.float32)
        return factors


def _library(module: str) -> Any:
    return import_extra("recs", f"implicit.cpu.{module}", "Fitting factors")


def _fit(make: Callable[[], Any], events: Interactions, products: ProductTable) -> Floats:
    """Fit the model that `make` returns; return the factors of all products, zero where a product has no event."""
    sparse = import_extra("recs", "scipy.sparse", "Fitting factors")
    cells = np.unique(events.visitors.astype(np.int64) * len(products) + events.products, return_counts=True)
    positions, counts = cells
    shape = (len(events.visitor_ids), len(products))
    row, column = positions // len(products), (positions % len(products)).astype(np.int32)
    values = sparse.csr_matrix((_confidence(counts), (row, column)), shape=shape, dtype=np.float32)
    factors = np.zeros((len(products), FACTORS), np.float32)
    if not len(positions):
        return factors
    # With threads of its own, OpenBLAS and the library wait for each other, which it says when it is made.
    with threadpool_limits(1, "blas"):
        library = make()
        library.fit(values, show_progress=False)
    found: Floats = np.asarray(library.item_factors, np.float32)
    found[np.setdiff1d(np.arange(len(products)), column)] = 0.0
    return found


def _confidence(counts: Any) -> Floats:
    confidence: Floats = (1.0 + CONFIDENCE * np.log1p(counts)).astype(np.float32)
    return confidence
