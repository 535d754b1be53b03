"""Replace recognised words that no product has by words of the shop that sound like them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from search.language.english import FUNCTION_WORDS, is_english
from search.speech.vocabulary import SpokenVocabulary

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_HYPHENED = re.compile(r"[^\W_]+(?:-[^\W_]+)+")
PAIR_BONUS = 0.06  # two unknown words that sound like one of the shop: "wall nut"
COMMON_LIKENESS = 0.95  # that a word of everyday English must have to be replaced

MAX_REMEMBERED = 4_096  # words
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
        self._best = lru_cache(maxsize=MAX_REMEMBERED)(self._find_best)  # the readings of a recording share words

    def snap(self, text: str, common_likeness: float = COMMON_LIKENESS) -> Snapped:
        """Return a text with unknown words replaced where a word of the shop sounds like them.

        A word of everyday English must be so like the shop's word as `common_likeness` to be replaced.
        """
        words = self._words(text.lower())
        if not words:
            return Snapped("", 0.0, 0.0)
        snapped: list[str] = []
        known, changed, place = 0.0, 0, 0
        while place < len(words):
            taken, replacement, weight = self._replacement(words[place : place + 2], common_likeness)
            snapped.append(replacement)
            known += taken * weight
            changed += taken * (replacement != " ".join(words[place : place + taken]))
            place += taken
        return Snapped(" ".join(snapped), known / len(words), changed / len(words))

    def _replacement(self, words: Sequence[str], common_likeness: float) -> tuple[int, str, float]:
        """Return how many words are replaced, by what, and how well the result is known, from 0 to 1."""
        first = words[0]
        if len(words) == 2 and not all(map(self._is_known, words)):
            joined = "".join(words)
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
        weight = ENGLISH_WEIGHT if is_english(first) else 1.0
        if best and (weight == 1.0 or likeness >= common_likeness):
            return 1, best, likeness * weight
        return 1, first, ENGLISH_WEIGHT if is_english(first) else 0.0

    def _words(self, text: str) -> list[str]:
        """Return the words of a text; one with a hyphen is several, unless the shop has it as one."""

        def joined(match: re.Match[str]) -> str:
            word = match[0].replace("-", "")
            return word if word in self._vocabulary else match[0].replace("-", " ")

        return _WORD.findall(_HYPHENED.sub(joined, text))

    def _find_best(self, word: str) -> tuple[str, float]:
        found = self._vocabulary.nearest(word, 1)
        return found[0] if found else ("", 0.0)

    def _is_known(self, word: str) -> bool:
        return word in FUNCTION_WORDS or word.isdigit() or word in self._vocabulary
