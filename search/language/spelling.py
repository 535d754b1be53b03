"""Correct words that no product has to the nearest word of the shop."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping

import numpy as np
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from catalog.text.tokenizer import normalise, tokenise, unspaced

# A mistake is a letter too many, missing, wrong, or two neighbours exchanged; one is allowed in a short word.
MIN_LETTERS = 4  # shorter words are too near to too many others
FIXED_START_LETTERS = 4  # up to this length the first letter must be right: "case" is no vase
TWO_MISTAKES_LETTERS = 8  # words from this length on may have two mistakes
MAX_LETTERS = 32


class SpellingVocabulary:
    """A shop's words of letters, in any alphabet, and how often each occurs. Never changes."""

    def __init__(self, words: Iterable[tuple[str, int]]) -> None:
        self._counts = {word: count for word, count in words if _is_plain(word)}
        self._words = sorted(self._counts, key=len)

    def nearest(self, word: str, max_mistakes: int | None = None) -> str | None:
        """Return the word probably meant: fewest mistakes, then same first letter, then most frequent; or None."""
        matches = self.matches(word, max_mistakes)
        if len(word) <= FIXED_START_LETTERS:
            matches = [match for match in matches if match[0][0] == word[0]]
        matches.sort(key=lambda match: (match[1], match[0][0] != word[0], -self._counts[match[0]], match[0]))
        return matches[0][0] if matches else None

    def matches(self, word: str, max_mistakes: int | None = None) -> list[tuple[str, int]]:
        """Return every word that a word may be a mistake of, with the number of mistakes."""
        if not _is_plain(word) or len(word) < MIN_LETTERS:
            return []
        limit = max_mistakes or (2 if len(word) >= TWO_MISTAKES_LETTERS else 1)
        first = bisect_left(self._words, len(word) - limit, key=len)
        near = self._words[first : bisect_right(self._words, len(word) + limit, key=len)]
        distances = cdist([word], near, scorer=OSA.distance, score_cutoff=limit, dtype=np.uint8)[0]
        return [(near[i], int(distances[i])) for i in np.flatnonzero(distances <= limit).tolist()]


def is_truncated(word: str, nearest: str, other: str) -> bool:
    """Return whether a word is `nearest` less its end or a letter, although another word of the shop has it whole."""
    return other.startswith((nearest, word)) if nearest.startswith(word) else other.startswith(nearest)


def replaced(text: str, corrections: Mapping[str, str]) -> str:
    """Return a text, normalised, with the words that replace others."""
    corrected = normalise(text)
    for start, end, piece in reversed(list(tokenise(corrected))):
        corrected = corrected[:start] + corrections.get(piece, piece) + corrected[end:]
    return corrected


def _is_plain(word: str) -> bool:
    """Return whether a normalised word has letters only, of a script with spaces; Indic vowel signs are marks."""
    if len(word) > MAX_LETTERS:
        return False
    if word.isascii():
        return word.isalpha() and word.islower()
    return not unspaced(word) and all(unicodedata.category(letter)[0] in "LM" for letter in word)
