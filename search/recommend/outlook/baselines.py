"""Simple predictors of purchases that the outlook is measured against, fitted on the same pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.extras import import_extra
from indexer.types import Floats
from search.recommend.outlook.features import NAMES
from search.recommend.outlook.training_pairs import SEED, LabelledPairs

RECENCY_DAYS = (7, 14, 28, 56, 112, 400)  # classes of the days since the last purchase begin here, after the first
TIMES = (1, 2, 3, 5, 8, 13, 21, 40)
MAX_PAIRS = 60_000  # pairs that the logistic regression is fitted on


class FrequencyTable:
    """The share of pairs of a class of recency and a class of frequency that were bought."""

    def __init__(self, pairs: LabelledPairs) -> None:
        cells, count = self._cells(pairs.features), (len(RECENCY_DAYS) + 1) * (len(TIMES) + 1)
        bought = np.bincount(cells, weights=pairs.weights * pairs.labels, minlength=count)
        total = np.bincount(cells, weights=pairs.weights, minlength=count)
        self._rates = (bought + bought.sum() / total.sum()) / (total + 1.0)

    def predict(self, features: Floats) -> Floats:
        """Return the probability of each row of features."""
        return np.asarray(self._rates[self._cells(features)], np.float32)

    @staticmethod
    def _cells(features: Floats) -> NDArray[np.int64]:
        times, last = (np.expm1(features[:, NAMES.index(name)]) for name in ("times", "since_last"))
        # Half a unit keeps rounding from moving a whole number below its class.
        recency = np.digitize(last + 0.5, RECENCY_DAYS)
        return np.asarray(recency * (len(TIMES) + 1) + np.digitize(times + 0.5, TIMES))


class LogisticRegression:
    """A linear model over the same features, each with mean 0 and variance 1."""

    def __init__(self, pairs: LabelledPairs) -> None:
        linear = import_extra("recs", "sklearn.linear_model", "Measuring the outlook")
        rows = np.random.default_rng(SEED).permutation(len(pairs.labels))[:MAX_PAIRS]
        features = pairs.features[rows].astype(np.float64)
        self._mean, self._scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
        model = linear.LogisticRegression(C=0.1, max_iter=200)
        self._model = model.fit(self._scaled(features), pairs.labels[rows], sample_weight=pairs.weights[rows])

    def predict(self, features: Floats) -> Floats:
        """Return the probability of each row of features."""
        return np.asarray(self._model.predict_proba(self._scaled(features))[:, 1], np.float32)

    def _scaled(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        # A value far outside of what was fitted would rule the sum.
        return np.asarray(np.clip((features - self._mean) / self._scale, -5.0, 5.0))
