"""A shop's words as those of one language: which are forms of a word, and which it was probably meant to be."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property

from catalog.text.glossary import ENGLISH, GlossaryEntry
from catalog.text.tokenizer import forms, normalise, tokenise
from search.language.detection import evidence_of, is_word_of, language_of, speaks
from search.language.english import is_english
from search.language.spelling import FIXED_START_LETTERS, SpellingVocabulary, replaced
from search.language.stems import MIN_STEM, STEMMED, is_form, stem
from search.language.terms import shipped_terms, term_words

MAX_FORMS = 16  # of one word
FREQUENT = 200  # words that tell which language a shop's texts are in
MIN_ALONE = 5  # letters of a mistake in a text that shows no language: three languages have words near a shorter one
FIXED_START = 6  # letters up to which the first one must be right in a mistake for a term: "weder" is no "feder"


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
        if any(is_word_of(word, language) for language in STEMMED):
            return None
        ranked = []
        for term, mistakes in self._spelling.matches(word):
            is_own, starts = term in self._counts, term[0] == word[0]
            if starts or len(word) > (FIXED_START_LETTERS if is_own else FIXED_START):
                sold = is_own or self._is_sold(term)
                ranked.append((mistakes, not starts, not sold, -self._counts.get(term, 0), term))
        found = min(ranked)[-1] if ranked else None
        return None if found is None or stem(found, self._language) == stem(word, self._language) else found

    def sold_near(self, word: str) -> list[tuple[str, GlossaryEntry, bool]]:
        """Return the terms with one mistake less than a word of which the shop has the English.

        With each comes whether the shop has the first of its English texts, which is the usual one.
        """
        terms = shipped_terms().get(self._language)
        if terms is None:
            return []
        found = []
        for term, _ in _terms_spelling(self._language).matches(word, 1):
            entry = terms.find((term,))
            if entry is not None and (sold := [text for text in entry.replacements if self._has_all(text)]):
                found.append((term, entry, sold[0] == entry.replacements[0]))
        return found

    def _is_sold(self, term: str) -> bool:
        terms = shipped_terms().get(self._language)
        entry = terms.find((term,)) if terms is not None else None
        return entry is not None and any(map(self._has_all, entry.replacements))

    def _has_all(self, text: str) -> bool:
        return all(any(form in self._counts for form in forms(word)) for word in term_words(normalise(text)))

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


def terms_meant(
    text: str, words: Iterable[str], corrections: Mapping[str, str], vocabularies: Mapping[str, LanguageVocabulary]
) -> tuple[dict[str, str], str | None]:
    """Return the terms that words of a text are mistakes of, and the language that it shows with them and corrections.

    Nothing, and None, where it shows none that has the terms.
    """
    meant = {word: found for word in words if (found := _meant(word, vocabularies))}
    if not meant:
        return {}, None
    language = language_of(replaced(text, {**corrections, **{word: term for word, (term, _) in meant.items()}}))
    terms = {word: term for word, (term, languages) in meant.items() if language in languages}
    return terms, language if terms else None


def _meant(word: str, vocabularies: Mapping[str, LanguageVocabulary]) -> tuple[str, frozenset[str]] | None:
    """Return the term that a word of an unknown language is a mistake of, and the languages that have it.

    The shop has what the term means. None where several terms are as near and mean different things.
    """
    if len(word) < MIN_ALONE or any(is_word_of(word, language) for language in vocabularies):
        return None
    ranks: dict[tuple[bool, bool], list[tuple[str, str, str]]] = {}
    for language, vocabulary in vocabularies.items():
        for term, entry, usual in vocabulary.sold_near(word):
            starts = term[0] == word[0]
            if len(term) >= MIN_ALONE and (starts or len(word) > FIXED_START):
                ranks.setdefault((not starts, not usual), []).append((term, language, entry.replacements[0]))
    best: Sequence[tuple[str, str, str]] = ranks[min(ranks)] if ranks else ()
    if len({english for _, _, english in best}) != 1:
        return None
    used = min(term for term, _, _ in best)
    return used, frozenset(language for term, language, _ in best if term == used)


@cache
def _terms_spelling(language: str) -> SpellingVocabulary:
    """Return the terms of one word; made with the first mistake, as texts without any need none."""
    return SpellingVocabulary((word, 0) for word in shipped_terms()[language].single_words())
