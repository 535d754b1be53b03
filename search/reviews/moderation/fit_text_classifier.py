"""Fit the shipped classifier of reviews: `python -m search.reviews.moderation.fit_text_classifier`, for developers.

All examples are our own: `examples.csv`, and as further reviews those of the analysis.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np

from catalog.errors import StoreError
from indexer.types import Floats
from search.reviews.analysis.examples import read_examples
from search.reviews.moderation.text_classifier import (
    EXAMPLES_FILE,
    HEAD_FILE,
    LABELS,
    REVIEW,
    SURE,
    classifier_examples_digest,
)
from search.text_heads.linear_head import fit_head
from search.text_heads.text_vectors import TextVectors

FURTHER_WEIGHT = 0.2  # of the analysis's many examples
PENALTY = 1e-4
FOLDS = 5


@dataclass(frozen=True, slots=True)
class ModerationExamples:
    """Texts with their labels and weights."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    weights: Floats


def read_moderation_examples() -> ModerationExamples:
    """Return the shipped examples. Raises StoreError where a label is unknown."""
    with EXAMPLES_FILE.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"], 1.0) for row in csv.DictReader(file)]
    rows += [(example.text, REVIEW, FURTHER_WEIGHT) for example in read_examples()]
    texts, labels = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
    if unknown := set(labels) - set(LABELS):
        raise StoreError(f"{EXAMPLES_FILE.name} has the label {min(unknown)!r}.", f"Labels: {', '.join(LABELS)}.")
    return ModerationExamples(texts, labels, np.array([row[2] for row in rows], np.float32))


def fit_text_classifier(vectors: TextVectors) -> dict[str, str]:
    """Fit the head, write it, and return of each label how many were found by heads that had not seen them."""
    examples = read_moderation_examples()
    rows = vectors.multilingual(examples.texts)
    about = {"examples": classifier_examples_digest()}
    fit_head(rows, examples.labels, penalty=PENALTY, weights=examples.weights, about=about).save(HEAD_FILE)
    return _measured(rows, examples)


def _measured(rows: Floats, examples: ModerationExamples) -> dict[str, str]:
    folds = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    labels = np.array(examples.labels)
    found = np.full(len(rows), REVIEW, dtype=labels.dtype)
    for fold in range(FOLDS):
        rest = folds != fold
        head = fit_head(rows[rest], list(labels[rest]), penalty=PENALTY, weights=examples.weights[rest])
        probabilities = head.probabilities(rows[~rest])
        sure = probabilities.max(axis=1) >= SURE
        found[~rest] = np.where(sure, np.array(head.labels)[probabilities.argmax(axis=1)], REVIEW)
    return {
        name: f"{int(((found == name) & (labels == name)).sum())} of {int((labels == name).sum())}" for name in LABELS
    }


if __name__ == "__main__":
    print(fit_text_classifier(TextVectors.open()))
