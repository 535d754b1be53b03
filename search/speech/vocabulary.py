"""The words of a shop as they are spoken: what a recognised word that no product has was probably meant to be."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cdist

from catalog.extras import requires_extra
from search.speech.weights import EXTRA

MIN_LETTERS, MAX_LETTERS = 3, 24
MAX_WORDS = 30_000  # the most frequent ones of a shop
MIN_SOUND = 0.66  # likeness of two words' sounds, 0 to 1, from which one may be meant by the other
MIN_LIKENESS = 0.72  # mean likeness of sounds and of letters
MAX_CANDIDATES = 64  # words whose letters are compared, nearest sounds first


class SpokenVocabulary:
    """Words of a shop in Latin letters with the number of their products, to be found by sound. Never changes."""

    def __init__(self, words: Iterable[tuple[str, int]]) -> None:
        with requires_extra(EXTRA, "Recognising speech"):
            library: Any = importlib.import_module("jellyfish")
        self._metaphone = library.metaphone
        usable = sorted((pair for pair in words if _is_speakable(pair[0])), key=lambda pair: (-pair[1], pair[0]))
        self._counts = dict(usable[:MAX_WORDS])
        self._words = list(self._counts)
        self._sounds = [self._sound(word) for word in self._words]

    def __contains__(self, word: str) -> bool:
        return word in self._counts

    def count(self, word: str) -> int:
        """Return how many products have a word."""
        return self._counts.get(word, 0)

    def frequent(self, limit: int) -> Sequence[str]:
        """Return the words of the most products."""
        return self._words[:limit]

    def nearest(self, word: str, limit: int = 3) -> list[tuple[str, float]]:
        """Return at most `limit` words that sound like this one, most like first, with the likeness up to 1."""
        if not _is_speakable(word) or not self._words:
            return []
        sound = self._sound(word)
        sounds = cdist([sound], self._sounds, scorer=OSA.normalized_similarity, score_cutoff=MIN_SOUND)[0]
        near = np.argsort(-sounds, kind="stable")[:MAX_CANDIDATES]
        found = []
        for place in near[sounds[near] > 0].tolist():
            candidate = self._words[place]
            likeness = (float(sounds[place]) + JaroWinkler.similarity(word, candidate)) / 2
            if likeness >= MIN_LIKENESS:
                found.append((candidate, likeness))
        found.sort(key=lambda pair: (-pair[1], -self._counts[pair[0]], pair[0]))
        return found[:limit]

    def _sound(self, word: str) -> str:
        """Return the consonants of a word as they sound, with a vowel where it begins with one."""
        return str(self._metaphone(word)).replace(" ", "") or word


def _is_speakable(word: str) -> bool:
    return MIN_LETTERS <= len(word) <= MAX_LETTERS and word.isascii() and word.isalpha()
