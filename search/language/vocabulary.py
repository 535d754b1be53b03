"""A shop's words as those of one language: which are forms of a word, and which it was probably meant to be."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from catalog.text.glossary import ENGLISH
from catalog.text.tokenizer import forms, normalise, tokenise
from search.language.detection import evidence_of, language_of, speaks
from search.language.english import is_english
from search.language.spelling import SpellingVocabulary
from search.language.stems import MIN_STEM, STEMMED, is_form, stem
from search.language.terms import shipped_terms

MAX_FORMS = 16  # of one word
FREQUENT = 200  # words that tell which language a shop's texts are in


class LanguageVocabulary:
    """The words of a shop, with the number of products that have each, in a language. Threads share it."""

    def __init__(self, language: str, counts: Mapping[str, int]) -> None:
        self._language = language
        self._counts = counts

    def is_meant_by(self, text: str) -> bool:
        """Return whether a text that shows the language is of it, and not all of the words of a shop in another one.

        "Titan" is a brand of watches, and only where no product has it a German metal.
        """
        if self.is_spoken:
            return True
        words = (word for _, _, word in tokenise(normalise(text)))
        return not all(any(form in self._counts for form in forms(word)) for word in words)

    @cached_property
    def is_spoken(self) -> bool:
        """Whether the shop's own texts are in the language, by its most frequent words."""
        frequent = heapq.nlargest(FREQUENT, self._counts, key=lambda word: (self._counts[word], word))
        return speaks(frequent, self._language)

    def forms(self, word: str) -> tuple[str, ...]:
        """Return the shop's words, other than itself, that are forms of a word: "tasse" of "tassen"."""
        if len(word) < MIN_STEM or not word.isalpha():
            return ()
        others = self._by_stem.get(stem(word, self._language), ())
        return tuple(other for other in others if other != word and is_form(word, other))[:MAX_FORMS]

    def nearest(self, word: str) -> str | None:
        """Return the term of the language, or the shop's word that is not English, that a word is a mistake of."""
        terms = shipped_terms().get(self._language)
        if terms is not None and (terms.has(word) or terms.entry_of_compound(word) is not None):
            return None
        found = self._spelling.nearest(word)
        return None if found is None or stem(found, self._language) == stem(word, self._language) else found

    @cached_property
    def _by_stem(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for word in self._counts:
            if len(word) >= MIN_STEM and word.isalpha():
                found.setdefault(stem(word, self._language), []).append(word)
        return found

    @cached_property
    def _spelling(self) -> SpellingVocabulary:
        terms = shipped_terms().get(self._language)
        known = dict.fromkeys(terms.single_words() if terms is not None else (), 0)
        return SpellingVocabulary(sorted((known | dict(self._own_words())).items()))

    def _own_words(self) -> Iterable[tuple[str, int]]:
        return ((word, count) for word, count in self._counts.items() if not is_english(word))


def language_in_shop(typed: str, words: str, in_language: Callable[[str], LanguageVocabulary]) -> str:
    """Return the language of a text that looks for `words` in a shop, whose words `in_language` returns.

    English where the shop has all the words; the shop's own where any word shows it: "rot" is German in a German shop.
    """
    language = language_of(typed)
    if language not in (*STEMMED, ENGLISH):
        return language
    shown = {own: evidence for own, evidence in evidence_of(typed).items() if evidence > 0}
    spoken = [own for own in shown if in_language(own).is_spoken]
    if spoken:
        return max(spoken, key=lambda own: shown[own])
    return language if language != ENGLISH and in_language(language).is_meant_by(words) else ENGLISH
