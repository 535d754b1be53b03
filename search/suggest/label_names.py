"""Find the labels of a field, categories or brands, by the words of their names, in each language of the shop."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from catalog.product import CATEGORY_SEPARATOR, levels_of
from catalog.text.tokenizer import forms, normalise, singularise, tokenise, unspaced
from indexer.columns.label_columns import LabelColumn
from indexer.suggestions.text_units import compound_words
from indexer.suggestions.unspaced_words import unit_starts
from indexer.suggestions.word_segment import LAST
from indexer.types import Mask
from search.suggest.typing_mistakes import near_spellings

KNOWN_WORDS = 16_384  # of which it is remembered whether a name has them


class LabelNames:
    """The labels of a field by the words of their names. Never changes."""

    def __init__(self, column: LabelColumn, translations: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._words = column.words
        self._size = len(column.words)
        self._translations = translations or {}
        entries: set[tuple[str, int]] = set()
        labels = column.words.labels(self._size)
        for number, text in enumerate(column.words.texts[: self._size]):
            name = levels_of(text)[-1] if translations is not None and levels_of(text) else text
            label = number if labels is None else int(labels[number])
            translated = (names.get(name) for names in self._translations.values())
            for known in filter(None, (name, *translated)):
                entries.update((word, label) for word in _name_words(known))
        texts = column.words.texts[: self._size]
        parents = {text.rpartition(CATEGORY_SEPARATOR)[0] for text in texts}
        self._leaves = np.array([text not in parents for text in texts], np.bool_)
        ordered = sorted(entries)
        self._names = [word for word, _ in ordered]
        self._labels = [label for _, label in ordered]
        self.names: Callable[[str], bool] = lru_cache(maxsize=KNOWN_WORDS)(self._names_any)

    def covers(self, column: LabelColumn) -> bool:
        """Return whether these are all names of a column."""
        return self._words is column.words and self._size == len(column.words)

    def leaves(self, count: int) -> Mask:
        """Return the mask of the first `count` labels that have none below them."""
        return np.append(self._leaves, np.zeros(max(0, count - self._size), np.bool_))[:count]

    def translated(self, name: str, language: str) -> str:
        """Return a name in another language of the shop; "" where the shop has none."""
        return self._translations.get(language, {}).get(name, "")

    def matching(self, words: Sequence[str], alphabet: str) -> tuple[set[int], bool]:
        """Return the labels whose names hold the beginnings of all words, and whether a mistake was mended for it.

        Where none does, the first words are left out one after another: "red mu" finds "Mugs".
        """
        for first in range(len(words)):
            found = [self._starting(word) for word in words[first:]]
            if labels := set.intersection(*found):
                return labels, False
        if not words:
            return set(), False
        near = dict.fromkeys(near_spellings(words[-1], alphabet))
        return set().union(*(self._with_prefix(spelling) for spelling in near)), True

    def _names_any(self, word: str) -> bool:
        """Return whether a word, in one of its forms, is in a name."""
        return any(self._with_prefix(form) for form in forms(word))

    def _starting(self, word: str) -> set[int]:
        return self._with_prefix(word) or self._with_prefix(singularise(word))

    def _with_prefix(self, prefix: str) -> set[int]:
        first = bisect_left(self._names, prefix)
        if first == len(self._names) or not self._names[first].startswith(prefix):
            return set()
        return set(self._labels[first : bisect_left(self._names, prefix + LAST)])


def _name_words(name: str) -> Iterator[str]:
    for _, _, piece in tokenise(normalise(name)):
        if unspaced(piece):
            yield from (piece[start:] for start in unit_starts(piece))
        else:
            yield piece
            yield from compound_words(piece)
