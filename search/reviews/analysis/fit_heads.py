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
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.reviews.review import NEGATIVE, NEUTRAL, POSITIVE
from indexer.types import Floats, Mask
from search.reviews.analysis.examples import ReviewExample, examples_digest, read_examples
from search.reviews.analysis.polarity import HEADS_FILE, POLARITY, SENTIMENT
from search.text_heads.calibration import fit_temperature
from search.text_heads.linear_head import LinearHead, fit_head, save_heads
from search.text_heads.text_vectors import TextVectors

PACKAGE = "vaderSentiment==3.3.2"
_ARCHIVE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
_FILES = {"amazonReviewSnippets": 3708, "movieReviewSnippets": 4500, "tweets": 1200}  # and how many are taken
CLEAR, FLAT = 0.8, 0.3  # mean ratings from which a sentence is positive or negative, and below which neither
OWN_WEIGHT, FILM_WEIGHT = 3.0, 0.6  # of an example, where a rated product sentence has 1
POLARITY_WEIGHT = 0.05  # of a rated product sentence among clauses
PENALTIES = {SENTIMENT: 1e-3, POLARITY: 5e-4}
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Labelled:
    """Examples of a head: vectors (n, 384), labels and weights; the first `own` are ours."""

    rows: Floats
    labels: tuple[str, ...]
    weights: Floats
    own: int


def rated_sentences(sdist: Path) -> dict[str, list[tuple[float, str]]]:
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
    """Fit both heads, write them to the shipped file, and return their temperatures."""
    own = read_examples()
    own_rows = vectors.multilingual([example.text for example in own])
    rated = {
        name: (vectors.multilingual([text for _, text in rows]), np.array([rating for rating, _ in rows]))
        for name, rows in rated_sentences(sdist).items()
    }
    about = {
        "examples": examples_digest(),
        "package": PACKAGE,
        "sha256": hashlib.sha256(sdist.read_bytes()).hexdigest(),
    }
    sets = {SENTIMENT: _sentiment(own, own_rows, rated), POLARITY: _polarity(own, own_rows, rated)}
    heads = {name: replace(_fit(labelled, PENALTIES[name]), about=about) for name, labelled in sets.items()}
    save_heads(HEADS_FILE, heads)
    return {name: head.temperature for name, head in heads.items()}


def _sentiment(own: Sequence[ReviewExample], own_rows: Floats, rated: dict[str, tuple[Floats, Floats]]) -> Labelled:
    mine = np.array([example.polarity != NEUTRAL for example in own])
    labels = [example.polarity for example in own if example.polarity != NEUTRAL]
    rows, weights, count = [own_rows[mine]], [np.full(len(labels), OWN_WEIGHT)], len(labels)
    for name, (vectors, ratings) in rated.items():
        clear = np.abs(ratings) >= CLEAR
        rows.append(vectors[clear])
        labels += [POSITIVE if rating > 0 else NEGATIVE for rating in ratings[clear]]
        weights.append(np.full(clear.sum(), 1.0 if name.startswith("amazon") else FILM_WEIGHT))
    return Labelled(np.concatenate(rows), tuple(labels), np.asarray(np.concatenate(weights), np.float32), count)


def _polarity(own: Sequence[ReviewExample], own_rows: Floats, rated: dict[str, tuple[Floats, Floats]]) -> Labelled:
    """Return own examples of one polarity, and rated product sentences."""
    simple = np.array([len(set(example.aspects.values())) <= 1 for example in own])
    labels = [example.polarity for example in own if len(set(example.aspects.values())) <= 1]
    count = len(labels)
    vectors, ratings = rated["amazonReviewSnippets"]
    usable: Mask = (np.abs(ratings) >= CLEAR) | (np.abs(ratings) < FLAT)
    weights = [np.ones(count), np.full(usable.sum(), POLARITY_WEIGHT)]
    labels += [NEUTRAL if abs(r) < FLAT else POSITIVE if r > 0 else NEGATIVE for r in ratings[usable]]
    rows = np.concatenate([own_rows[simple], vectors[usable]])
    return Labelled(rows, tuple(labels), np.asarray(np.concatenate(weights), np.float32), count)


def _fit(labelled: Labelled, penalty: float) -> LinearHead:
    """Fit a head; its temperature is the best one for examples of ours, each read by a head that did not see it."""
    head = fit_head(labelled.rows, labelled.labels, penalty=penalty, weights=labelled.weights)
    folds = np.where(np.arange(len(labelled.labels)) < labelled.own, np.arange(len(labelled.labels)) % FOLDS, -1)
    logits, targets = [], []
    for fold in range(FOLDS):
        out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        labels = [labelled.labels[place] for place in rest]
        part = fit_head(labelled.rows[rest], labels, penalty=penalty, weights=labelled.weights[rest])
        logits.append(part.logits(labelled.rows[out]))
        targets += [part.labels.index(labelled.labels[place]) for place in out]
    return head.with_temperature(fit_temperature(np.concatenate(logits), np.array(targets)))


if __name__ == "__main__":
    print(fit_heads(Path(sys.argv[1]), TextVectors.open()))
