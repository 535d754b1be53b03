"""Fit the heads of sentiment and polarity that are shipped.

A developer runs `python -m search.reviews.analysis.fit_heads vaderSentiment-3.3.2.tar.gz`; the file comes from
`pip download --no-deps --no-binary :all: vaderSentiment==3.3.2` (MIT). It holds sentences of product and film reviews
and tweets with the mean of twenty people's ratings from -4 to 4 (Hutto and Gilbert, ICWSM 2014). They are read here
alone; neither they nor their vectors are shipped. The other examples are our own, `examples.csv`.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.reviews.review import NEGATIVE, NEUTRAL, POSITIVE
from indexer.types import Floats
from search.reviews.analysis.examples import ReviewExample, examples_digest, read_examples
from search.reviews.analysis.fit_word_pairs import LabelledTexts, fit_word_pairs
from search.reviews.analysis.polarity import HEADS_FILE, POLARITY, SENTIMENT, WORD_BIAS, WORD_WEIGHTS
from search.text_heads.calibration import fit_temperature
from search.text_heads.linear_head import LinearHead, fit_head, save_heads
from search.text_heads.text_vectors import TextVectors

PACKAGE = "vaderSentiment==3.3.2"
_ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
PRODUCTS = "amazonReviewSnippets"
_FILES = {PRODUCTS: 3708, "movieReviewSnippets": 4500, "tweets": 1200}  # and how many are taken
CLEAR, FLAT = 0.8, 0.3  # mean ratings from which a sentence is positive or negative, and below which neither
OWN_WEIGHT, FILM_WEIGHT = 3.0, 0.6  # of an example, where a rated product sentence has 1
POLARITY_WEIGHT = 0.05  # of a rated product sentence among clauses
PENALTIES = {SENTIMENT: 1e-3, POLARITY: 5e-4}
FOLDS = 5


Rated = Mapping[str, Sequence[tuple[float, str]]]  # (mean rating, sentence), by what the sentences are about


@dataclass(frozen=True, slots=True)
class Labelled:
    """Examples of a head, with labels and weights; the first `own` are ours, the others are rated English ones."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    weights: tuple[float, ...]
    own: int

    def as_texts(self) -> LabelledTexts:
        """Return the examples for the quick head."""
        return LabelledTexts(self.texts, self.labels, self.weights)


def rated_sentences(sdist: Path) -> Rated:
    """Return the rated sentences of the package by file, as (mean rating, sentence)."""
    found: dict[str, list[tuple[float, str]]] = {}
    with tarfile.open(sdist) as outer, tarfile.open(fileobj=_member(outer, _ARCHIVE)) as inner:
        for name, count in _FILES.items():
            lines = _member(inner, f"hutto_ICWSM_2014/{name}_GroundTruth.txt").read().decode("latin-1").splitlines()
            cells = [line.split("\t") for line in lines]
            rows = [(float(row[1]), row[2].strip()) for row in cells if len(row) == 3]
            chosen = np.random.default_rng(3).permutation(len(rows))[:count]
            found[name] = [rows[place] for place in sorted(chosen)]
    return found


def _member(archive: tarfile.TarFile, name: str) -> io.BytesIO:
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file")
    return io.BytesIO(file.read())


def fit_heads(sdist: Path, vectors: TextVectors) -> dict[str, float]:
    """Fit all heads, write them to the shipped file, and return the temperatures of those on vectors."""
    own, rated = read_examples(), rated_sentences(sdist)
    sets = {SENTIMENT: _of_sentiment(own, rated), POLARITY: _of_polarity(own, rated)}
    words = fit_word_pairs(*(labelled.as_texts() for labelled in sets.values()))
    about = {
        "examples": examples_digest(),
        "package": PACKAGE,
        "sha256": hashlib.sha256(sdist.read_bytes()).hexdigest(),
    }
    heads = {
        name: replace(_fit(labelled, vectors.multilingual(labelled.texts), PENALTIES[name]), about=about)
        for name, labelled in sets.items()
    }
    arrays: dict[str, NDArray[Any]] = {WORD_WEIGHTS: words.weights.astype(np.float16), WORD_BIAS: words.bias}
    save_heads(HEADS_FILE, heads, arrays)
    return {name: head.temperature for name, head in heads.items()}


def _columns(rows: Sequence[tuple[str, str, float]]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[float, ...]]:
    return tuple(row[0] for row in rows), tuple(row[1] for row in rows), tuple(row[2] for row in rows)


def _of_sentiment(own: Sequence[ReviewExample], rated: Rated) -> Labelled:
    rows = [(example.text, example.polarity, OWN_WEIGHT) for example in own if example.polarity != NEUTRAL]
    count = len(rows)
    for name, sentences in rated.items():
        weight = 1.0 if name == PRODUCTS else FILM_WEIGHT
        clear = [(text, rating) for rating, text in sentences if abs(rating) >= CLEAR]
        rows += [(text, POSITIVE if rating > 0 else NEGATIVE, weight) for text, rating in clear]
    return Labelled(*_columns(rows), count)


def _of_polarity(own: Sequence[ReviewExample], rated: Rated) -> Labelled:
    """Return own examples of one polarity, and rated product sentences."""
    rows = [(example.text, example.polarity, 1.0) for example in own if len(set(example.aspects.values())) <= 1]
    count = len(rows)
    for rating, text in rated[PRODUCTS]:
        if abs(rating) < FLAT:
            rows.append((text, NEUTRAL, POLARITY_WEIGHT))
        elif abs(rating) >= CLEAR:
            rows.append((text, POSITIVE if rating > 0 else NEGATIVE, POLARITY_WEIGHT))
    return Labelled(*_columns(rows), count)


def _fit(labelled: Labelled, rows: Floats, penalty: float) -> LinearHead:
    """Fit a head; its temperature is the best one for examples of ours, each read by a head that did not see it."""
    weights = np.asarray(labelled.weights, np.float32)
    head = fit_head(rows, labelled.labels, penalty=penalty, weights=weights)
    folds = np.where(np.arange(len(rows)) < labelled.own, np.arange(len(rows)) % FOLDS, -1)
    logits, targets = [], []
    for fold in range(FOLDS):
        out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        labels = [labelled.labels[place] for place in rest]
        part = fit_head(rows[rest], labels, penalty=penalty, weights=weights[rest])
        logits.append(part.logits(rows[out]))
        targets += [part.labels.index(labelled.labels[place]) for place in out]
    return head.with_temperature(fit_temperature(np.concatenate(logits), np.array(targets)))


if __name__ == "__main__":
    print(fit_heads(Path(sys.argv[1]), TextVectors.open()))
