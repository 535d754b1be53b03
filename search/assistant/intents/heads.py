"""The classifier's parts: a head for English on MiniLM and E5, and a head with a vote on E5 for other languages."""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import BadInput
from catalog.text.glossary import ENGLISH
from indexer.generations.phrase_vectors import quantised, unquantised
from indexer.numeric import softmax, unit
from indexer.types import Floats, Ids
from search.assistant.intents.examples import IntentExample, examples_digest
from search.text_heads.calibration import fit_temperature, threshold_for_precision
from search.text_heads.language_means import ANY, LanguageMeans
from search.text_heads.linear_head import LinearHead, fit_head, load_heads, save_heads
from search.text_heads.neighbours import neighbour_shares
from search.text_heads.text_vectors import TextVectors

PENALTY = 2e-4  # chosen by the log loss of examples left out: 1e-4 to 3e-4 are alike
VOTE = 0.5  # share of the nearest examples beside the head of other languages than English
FEWEST_CALIBRATED = 100  # examples from which a language has a calibration of its own
FOLDS, FEW_FOLDS, MANY_LABELS = 10, 3, 30  # fits of many labels take long
PRECISION = 0.93  # of the answers from the threshold on
LEAST = 1e-4  # probability
_MAIL_ADDRESS = re.compile(r"[^\s,;:<>()]+@[^\s,;:<>()]+")  # a message is not about mail because it has one
_ENGLISH, _OTHER, _MEANS = "english", "multilingual", "means."
_NUMBERS, _ROWS, _PLACES = "calibration.", "rows", "places"


@dataclass(frozen=True, slots=True)
class IntentCalibration:
    """How probabilities are corrected, and the threshold from which on examples left out were right with PRECISION."""

    temperature: float = 1.0
    threshold: float = 0.0

    def apply(self, shares: Floats) -> Floats:
        """Return the corrected probabilities (n, labels)."""
        return softmax(_logarithm(shares) / np.float32(self.temperature))


@dataclass(frozen=True, slots=True)
class IntentHeads:
    """What tells intents apart. `rows` (n, 384) and `places` (n,) are the examples of the vote, by `other.labels`."""

    english: LinearHead
    other: LinearHead
    rows: Floats
    places: Ids
    means: LanguageMeans
    calibrations: Mapping[str, IntentCalibration]  # by language; ANY for those of few examples

    @property
    def examples(self) -> str:
        """What identifies the examples that the heads were fitted on."""
        return self.other.about.get("examples", "")

    @property
    def vectors(self) -> str:
        """The fingerprint of the vectors that the heads were fitted on."""
        return self.other.about.get("vectors", "")

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, in alphabetical order."""
        return tuple(sorted({*self.english.labels, *self.other.labels}))

    def threshold(self, language: str) -> float:
        """Return the least probability of a certain intent in a language."""
        return self._calibration(language).threshold

    def probabilities(self, texts: Sequence[str], languages: Sequence[str], vectors: TextVectors) -> Floats:
        """Return the probability of each label of `labels`, float32 (n, labels)."""
        result = np.zeros((len(texts), len(self.labels)), np.float32)
        spoken = np.array([language == ENGLISH for language in languages], bool)
        for is_english, head in ((True, self.english), (False, self.other)):
            places = np.flatnonzero(spoken == is_english)
            if len(places):
                own = places.tolist()
                shares = self._shares([texts[i] for i in own], [languages[i] for i in own], vectors)
                columns = np.array([self.labels.index(label) for label in head.labels])
                result[np.ix_(places, columns)] = shares
        return result

    def _shares(self, texts: Sequence[str], languages: Sequence[str], vectors: TextVectors) -> Floats:
        """Return the probabilities of texts that are all English, or all not."""
        read = [normalised(text) for text in texts]
        if languages[0] == ENGLISH:
            return self._calibration(ENGLISH).apply(self.english.probabilities(vectors.both(read)))
        rows = unit(self.means.centre(vectors.multilingual(read), languages))
        vote = neighbour_shares(rows, self.rows, self.places, len(self.other.labels))
        mixed = (1 - VOTE) * self.other.probabilities(rows) + VOTE * vote
        parts = zip(mixed[:, None], languages, strict=True)
        return np.concatenate([self._calibration(language).apply(row) for row, language in parts])

    def _calibration(self, language: str) -> IntentCalibration:
        return self.calibrations.get(language) or self.calibrations[ANY]

    def save(self, path: Path) -> None:
        """Write everything to one file; the examples of the vote as int8 vectors, without their texts."""
        arrays: dict[str, NDArray[Any]] = {_MEANS + language: mean for language, mean in self.means.means.items()}
        for language, calibration in self.calibrations.items():
            arrays[_NUMBERS + language] = np.array([calibration.temperature, calibration.threshold], np.float32)
        arrays[_ROWS] = quantised(self.rows)
        save_heads(path, {_ENGLISH: self.english, _OTHER: self.other}, arrays | {_PLACES: self.places.astype(np.int32)})

    @classmethod
    def load(cls, path: Path) -> IntentHeads:
        """Read what `save` wrote. Raises StoreError."""
        file = load_heads(path, (_ENGLISH, _OTHER), (_NUMBERS, _MEANS, _ROWS, _PLACES))
        means = _by_language(file.arrays, _MEANS)
        numbers = _by_language(file.arrays, _NUMBERS)
        calibrations = {name: IntentCalibration(float(pair[0]), float(pair[1])) for name, pair in numbers.items()}
        rows, places = unquantised(file.arrays[_ROWS]), file.arrays[_PLACES].astype(np.int64)
        heads = file.heads
        return cls(heads[_ENGLISH], heads[_OTHER], rows, places, LanguageMeans(means), calibrations)


def _by_language(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def normalised(text: str) -> str:
    """Return a message as the classifier reads it: in lower case, without mail addresses and marks at its ends."""
    return " ".join(_MAIL_ADDRESS.sub(" ", text.lower()).split()).strip(" .!?,;:。！？，；：…~～") or text.strip()


def says_something(text: str) -> bool:
    """Return whether a text has a word besides addresses of e-mail and numbers, so that it can want anything."""
    return any(character.isalpha() for character in _MAIL_ADDRESS.sub(" ", text))


def fit_intents(
    examples: Sequence[IntentExample], vectors: TextVectors, means: LanguageMeans | None = None
) -> IntentHeads:
    """Fit everything on examples of any language; what is calibrated is calibrated on examples left out.

    `means` are those of languages that the examples lack. Where English has examples of fewer than two intents, its
    head is fitted on all. Raises BadInput with fewer than two intents.
    """
    return fit_and_leave_out(examples, vectors, means)[0]


def fit_and_leave_out(
    examples: Sequence[IntentExample], vectors: TextVectors, means: LanguageMeans | None = None
) -> tuple[IntentHeads, Floats]:
    """Return what `fit_intents` does, and the probabilities (n, labels) of each example by a fit without it."""
    if len({example.intent for example in examples}) < 2:
        raise BadInput("The examples have fewer than two intents.", "Add examples of other intents.")
    about = {"examples": examples_digest(examples), "vectors": vectors.fingerprint}
    texts, languages = [normalised(e.text) for e in examples], [e.language for e in examples]
    labels = [example.intent for example in examples]
    multilingual = vectors.multilingual(texts)
    means = LanguageMeans({**(means.means if means else {}), **LanguageMeans.of(multilingual, languages).means})

    rows = unit(means.centre(multilingual, languages))
    other = replace(fit_head(rows, labels, penalty=PENALTY), about=about)
    shares, targets = left_out_shares(rows, labels, other.labels, folds_of(texts, labels))
    vote = neighbour_shares(rows, rows, targets, len(other.labels), left_out=True)
    mixed = (1 - VOTE) * shares + VOTE * vote
    calibrations = {ANY: _calibration(mixed, targets)}
    left_out = calibrations[ANY].apply(mixed)
    for language in sorted({name for name in languages if name != ENGLISH}):
        of_it = np.array([name == language for name in languages], bool)
        if of_it.sum() >= FEWEST_CALIBRATED:
            calibrations[language] = _calibration(mixed[of_it], targets[of_it])
            left_out[of_it] = calibrations[language].apply(mixed[of_it])

    spoken = np.array([language == ENGLISH for language in languages], bool)
    own = np.flatnonzero(spoken) if len(set(itertools.compress(labels, spoken))) > 1 else np.arange(len(labels))
    own_labels = [labels[place] for place in own.tolist()]
    own_texts = [texts[place] for place in own.tolist()]
    both = vectors.both(own_texts)
    english = replace(fit_head(both, own_labels, penalty=PENALTY), about=about)
    shares, own_targets = left_out_shares(both, own_labels, english.labels, folds_of(own_texts, own_labels))
    calibrations[ENGLISH] = _calibration(shares, own_targets)
    left_out[own] = 0.0
    columns = np.array([other.labels.index(label) for label in english.labels])
    left_out[np.ix_(own, columns)] = calibrations[ENGLISH].apply(shares)
    return IntentHeads(english, other, rows, targets, means, calibrations), left_out


def folds_of(texts: Sequence[str], labels: Sequence[str]) -> Ids:
    """Return the fold of each text, int64 (n,). It is the same whatever other texts there are."""
    count = FEW_FOLDS if len(set(labels)) > MANY_LABELS else FOLDS
    return np.array([zlib.crc32(text.encode()) % count for text in texts], np.int64)


def left_out_shares(rows: Floats, labels: Sequence[str], names: Sequence[str], folds: Ids) -> tuple[Floats, Ids]:
    """Return each example's probabilities (n, names) by a head fitted without its fold, and the labels' places."""
    places: Mapping[str, int] = {name: place for place, name in enumerate(names)}
    targets = np.array([places[label] for label in labels], np.int64)
    shares = np.zeros((len(rows), len(names)), np.float32)
    for fold in np.unique(folds):
        rest = np.flatnonzero(folds != fold)
        present = [labels[place] for place in rest.tolist()]
        if len(set(present)) > 1:
            head = fit_head(rows[rest], present, penalty=PENALTY)
            columns = np.array([places[label] for label in head.labels])
            shares[np.ix_(folds == fold, columns)] = head.probabilities(rows[folds == fold])
    return shares, targets


def _calibration(shares: Floats, targets: Ids) -> IntentCalibration:
    temperature = fit_temperature(_logarithm(shares), targets)
    corrected = IntentCalibration(temperature).apply(shares)
    threshold = threshold_for_precision(corrected.max(axis=1), corrected.argmax(axis=1) == targets, PRECISION)
    return IntentCalibration(temperature, min(threshold, 1.0))


def _logarithm(shares: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(shares, LEAST)), np.float32)
