"""Fit the quick head on words, pairs and triples of words. A developer's command needs it, and the extra `recs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.extras import import_extra
from catalog.reviews.review import POLARITIES, POSITIVE
from indexer.types import Floats
from search.reviews.analysis.word_pairs import BUCKETS, WordPairHead, word_pairs

INVERSE_PENALTY = 3.0
SENTIMENT_TEMPERATURE, POLARITY_TEMPERATURE = 0.76, 0.68  # the best ones for our examples, by heads of three folds
WHAT = "Fitting the quick head of reviews"


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Sentences with their labels and weights."""

    texts: Sequence[str]
    labels: Sequence[str]
    weights: Sequence[float]


def fit_word_pairs(sentiment: LabelledTexts, polarity: LabelledTexts) -> WordPairHead:
    """Return a head of four logits: that a sentence is positive, and those of POLARITIES. Raises MissingExtra."""
    first, second = _logistic(sentiment), _logistic(polarity)
    columns = [first[POSITIVE], *(second[name] for name in POLARITIES)]
    temperatures = np.array([SENTIMENT_TEMPERATURE, *[POLARITY_TEMPERATURE] * len(POLARITIES)])
    weights = np.stack([column[0] for column in columns], axis=1) / temperatures
    bias = np.array([column[1] for column in columns]) / temperatures
    return WordPairHead(np.asarray(weights, np.float32), np.asarray(bias, np.float32))


def _logistic(labelled: LabelledTexts) -> Mapping[str, tuple[Floats, float]]:
    """Return weights (BUCKETS,) and bias by label; with two labels, those of the second one against the first."""
    linear = import_extra("recs", "sklearn.linear_model", WHAT)
    model = linear.LogisticRegression(C=INVERSE_PENALTY, max_iter=300)
    model.fit(_rows(labelled.texts), list(labelled.labels), sample_weight=np.asarray(labelled.weights))
    names = [str(name) for name in model.classes_][-len(model.coef_) :]
    return {name: (model.coef_[place], float(model.intercept_[place])) for place, name in enumerate(names)}


def _rows(texts: Sequence[str]) -> Any:
    """Return the features of texts as a sparse matrix (n, BUCKETS), weighted as the head weighs them."""
    sparse = import_extra("recs", "scipy.sparse", WHAT)
    rows = [word_pairs(text) for text in texts]
    lengths = np.array([len(row) for row in rows])
    values = np.repeat(1 / np.sqrt(lengths), lengths)
    places = np.concatenate([[0], lengths.cumsum()])
    return sparse.csr_matrix((values, np.concatenate(rows), places), shape=(len(texts), BUCKETS))
