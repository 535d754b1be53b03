"""Replace recognised words that no product has by words of the shop that sound like them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from search.language.english import FUNCTION_WORDS, is_english
from search.speech.vocabulary import SpokenVocabulary

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
PAIR_BONUS = 0.06  # two unknown words that sound like one of the shop: "wall nut"
COMMON_LIKENESS = 0.9  # that a word of everyday English must have to be replaced

ENGLISH_WEIGHT = 0.7  # how well a word is known that English has and the shop lacks


@dataclass(frozen=True, slots=True)
class Snapped:
    """A reading in the shop's words; the share of its words that the shop or the language has, and of changed ones."""

    text: str
    known: float
    changed: float


class WordSnapper:
    """Replaces words by sound, in English."""

    def __init__(self, vocabulary: SpokenVocabulary) -> None:
        self._vocabulary = vocabulary

    def snap(self, text: str) -> Snapped:
        """Return a text with unknown words replaced where a word of the shop sounds like them."""
        words = _WORD.findall(text.lower())
        if not words:
            return Snapped("", 0.0, 0.0)
        snapped: list[str] = []
        known, changed, place = 0.0, 0, 0
        while place < len(words):
            taken, replacement, weight = self._replacement(words[place : place + 2])
            snapped.append(replacement)
            known += taken * weight
            changed += taken * (replacement != " ".join(words[place : place + taken]))
            place += taken
        return Snapped(" ".join(snapped), known / len(words), changed / len(words))

    def _replacement(self, words: Sequence[str]) -> tuple[int, str, float]:
        """Return how many words are replaced, by what, and how well the result is known, from 0 to 1."""
        first = words[0]
        if len(words) == 2 and not all(map(self._is_known, words)):
            joined = "".join(words).replace("-", "")
            if joined in self._vocabulary:
                return 2, joined, 1.0
        if self._is_known(first):
            return 1, first, 1.0
        best, likeness = self._best(first)
        if len(words) == 2 and not self._is_known(words[1]):
            pair, pair_likeness = self._best("".join(words))
            alone = min(likeness, self._best(words[1])[1])
            if pair and pair_likeness + PAIR_BONUS > alone:
                return 2, pair, pair_likeness
        if best and (not is_english(first) or likeness >= COMMON_LIKENESS):
            return 1, best, likeness
        return 1, first, ENGLISH_WEIGHT if is_english(first) else 0.0

    def _best(self, word: str) -> tuple[str, float]:
        found = self._vocabulary.nearest(word.replace("-", ""), 1)
        return found[0] if found else ("", 0.0)

    def _is_known(self, word: str) -> bool:
        parts = [word, *word.split("-")] if "-" in word else [word]
        return word in FUNCTION_WORDS or any(part.isdigit() or part in self._vocabulary for part in parts)
