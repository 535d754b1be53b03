"""Words that a shop does not have, brought to the nearest that it has."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

SHORTEST = 4  # letters; shorter words are too near to too many others
SHORT = 4  # letters up to which the first one must be right: "case" is no vase
LONG = 8  # letters from which two mistakes are allowed
LONGEST = 32
_A = ord("a")

Codes = NDArray[np.uint8]
Numbers = NDArray[np.int16]


class SpellingVocabulary:
    """A shop's words of plain letters and how often each occurs. Never changes."""

    def __init__(self, words: Iterable[tuple[str, int]]) -> None:
        kept = [(word, count) for word, count in words if _plain(word)]
        self._words = [word for word, _ in kept]
        self._counts = np.array([count for _, count in kept], np.int64)
        self._lengths = np.array([len(word) for word in self._words], np.int16)
        self._codes = np.zeros((len(kept), LONGEST), np.uint8)
        if kept:
            flat = np.frombuffer("".join(self._words).encode(), np.uint8)
            self._codes[np.arange(LONGEST) < self._lengths[:, None]] = flat
        self._letters = _letters(self._codes)

    def nearest(self, word: str) -> str | None:
        """The word that was probably meant: fewest mistakes, then the same first letter, then the most frequent.

        A mistake is a letter too many, missing, wrong, or two neighbours exchanged; one is allowed, in words of eight
        letters two, and of four letters the first must be right. None when there is no such word, or it is not of four
        to 32 plain letters.
        """
        if not _plain(word) or len(word) < SHORTEST:
            return None
        most = 2 if len(word) >= LONG else 1
        asked = np.frombuffer(word.encode(), np.uint8)
        # Each mistake changes at most two of the letters that a word is made of.
        differing = np.bitwise_count(self._letters ^ _letters(asked[None, :])[0])
        near = np.flatnonzero((np.abs(self._lengths - len(word)) <= most) & (differing <= 2 * most))
        if not len(near):
            return None
        mistakes = _mistakes(asked, self._codes[near, : len(word) + most], self._lengths[near])
        meant = mistakes <= most
        if len(word) <= SHORT:
            meant &= self._codes[near, 0] == asked[0]
        near, mistakes = near[meant], mistakes[meant]
        if not len(near):
            return None
        other_start = self._codes[near, 0] != asked[0]
        best = np.lexsort((near, -self._counts[near], other_start, mistakes))[0]
        return self._words[int(near[best])]


def _plain(word: str) -> bool:
    return word.isascii() and word.isalpha() and word.islower() and len(word) <= LONGEST


def _letters(codes: Codes) -> NDArray[np.uint32]:
    """Which letters occur in each word, a bit a letter."""
    bits = np.where(codes > 0, np.uint32(1) << (np.maximum(codes, _A) - _A).astype(np.uint32), np.uint32(0))
    letters: NDArray[np.uint32] = np.bitwise_or.reduce(bits, axis=1)
    return letters


def _mistakes(asked: Codes, codes: Codes, lengths: Numbers) -> Numbers:
    """How many mistakes lie between one word and each of the others: restricted Damerau-Levenshtein distance."""
    rows = np.arange(codes.shape[1] + 1, dtype=np.int16)
    last = np.repeat(rows[None, :], len(codes), axis=0)
    before = last
    for i, letter in enumerate(asked.tolist(), 1):
        row = np.empty_like(last)
        row[:, 0] = i
        same = codes == letter
        for j in range(1, row.shape[1]):
            row[:, j] = np.minimum(np.minimum(last[:, j], row[:, j - 1]) + 1, last[:, j - 1] + ~same[:, j - 1])
            if i > 1 and j > 1:
                exchanged = same[:, j - 2] & (codes[:, j - 1] == asked[i - 2])
                row[:, j] = np.where(exchanged, np.minimum(row[:, j], before[:, j - 2] + 1), row[:, j])
        before, last = last, row
    return last[np.arange(len(codes)), lengths]
