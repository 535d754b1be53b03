"""Read a query's text with a shop's words: glossary terms, typing mistakes, compounds, and words that nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from catalog.text.glossary import ENGLISH
from catalog.text.quantities import has_digit
from catalog.text.tokenizer import forms, unspaced
from search.execution.paused_value import PausedValue
from search.language.concepts import Alternative, Concept
from search.language.detection import CHINESE
from search.language.english import is_english
from search.language.spelling import SpellingVocabulary, is_truncated, replaced
from search.language.stems import STEMMED
from search.language.vocabulary import LanguageVocabulary, language_in_shop, terms_meant
from search.query.compounds import (
    CompoundVocabulary,
    KnowsWord,
    can_read,
    joined_words,
    letters_and_numbers,
    words_of_letters,
)
from search.query.glossary import Glossary, RewrittenText
from search.words.word_lookup import WordCounts

MAX_CONCEPTS = 32  # first concepts of a text that count
FEW_PRODUCTS = 10  # a word that fewer products have is also looked for in compounds
JOINED_CONFIDENCE = 0.9  # confidence of a product that has two words of the text as one: "tea pot" in "teapot"
SURE_SPLIT = 4  # letters of both parts, from which a split is more probable than a typing mistake
MAX_STRANGE = 3  # words that nobody knows of a text that may be in a language that it does not show

Way = tuple[tuple[str, ...], ...]  # the forms of each word that a product must have


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that no product has, and the word or the two words that replace it."""

    word: str
    used: str


@dataclass(frozen=True, slots=True)
class TextAnalysis:
    """A query's text as typed, and after corrections and the glossary."""

    text: str
    rewritten: RewrittenText
    corrections: tuple[Correction, ...] = ()

    @property
    def encoder_words(self) -> str:
        """The text for the encoder."""
        return self.rewritten.encoder_words

    @property
    def corrected(self) -> str:
        """The text with its typing mistakes corrected, in its own language."""
        return replaced(self.text, {c.word: c.used for c in self.corrections}) if self.corrections else self.text

    @property
    def typed_words(self) -> dict[str, str]:
        """What was typed for each corrected word, and for each English text that replaces a term."""
        typed = {correction.used: correction.word for correction in self.corrections}
        for term in self.rewritten.replaced:
            for text in term.by[:1]:
                typed[text] = term.term
        return typed

    @property
    def other_words(self) -> dict[str, tuple[str, ...]]:
        """The further English texts of replaced terms, by the first."""
        return {term.by[0]: term.by[1:] for term in self.rewritten.replaced if len(term.by) > 1}

    def is_readable(self, knows: KnowsWord) -> bool:
        """Return whether the glossary or the encoder knows a word of the text."""
        concepts = self.rewritten.concepts
        if self.rewritten.language not in (ENGLISH, CHINESE):  # which its words show, and the encoder may read
            return True
        return any(concept.in_glossary for concept in concepts) or any(
            can_read(word, knows) for concept in concepts for word in words_of_letters(concept.word)
        )


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    spelling: SpellingVocabulary
    compounds: CompoundVocabulary
    counts: Mapping[str, int]  # products that have each word
    seq: int  # number of the last change that it shows
    languages: dict[str, LanguageVocabulary] = field(default_factory=dict)

    def in_language(self, language: str) -> LanguageVocabulary:
        """Return the words as those of a language, which are read when a text of it is."""
        return self.languages.setdefault(language, LanguageVocabulary(language, self.counts))


@dataclass(frozen=True, slots=True)
class _CountedWords:
    """How many products have words: from memory where the index is SQLite's and the vocabulary of its moment."""

    index: WordCounts
    counts: Mapping[str, int] | None

    def known(self, words: Sequence[str]) -> bool:
        """Return whether any product has one of the words."""
        return self.index.known(words) if self.counts is None else any(word in self.counts for word in words)

    def count(self, words: Sequence[str], limit: int) -> int:
        """Return how many products have one of the words, counted up to `limit`."""
        if self.counts is not None:
            holding = [self.counts[word] for word in words if word in self.counts]
            if len(holding) < 2 or max(holding) >= limit:
                return min(sum(holding), limit)
        return self.index.count(words, limit)


class TextReader:
    """Reads texts with a shop's vocabulary, which it follows. Threads share it."""

    def __init__(self, glossary: Glossary) -> None:
        self._glossary = glossary
        self._vocabulary = PausedValue[_Vocabulary]()

    def read(self, text: str, index: WordCounts, knows: KnowsWord, language: str | None = None) -> TextAnalysis:
        """Analyse a text, of the language that its words show where none is given: terms, corrections, compounds."""
        word_counts = self._word_counts(index)
        language = language or self.language_of(text, text, index)
        rewritten = self._glossary.apply(text, language)
        corrections, compounds = self._look_up(word_counts, rewritten, knows)
        if rewritten.language in (ENGLISH, *STEMMED):  # a mistake may hide the language, or show another one
            foreign, language = self._foreign_corrections(word_counts, rewritten, corrections, knows)
            corrections += foreign
        if corrections:
            corrected = replaced(text, {correction.word: correction.used for correction in corrections})
            rewritten = self._glossary.apply(corrected, language)
        else:
            corrected = text
        joined = joined_words(corrected, word_counts.known)
        related = self._forms_of(index, rewritten, knows)
        if compounds or joined or related or has_digit(corrected):
            extended = (_extended(concept, compounds, joined, related) for concept in rewritten.concepts)
            rewritten = replace(rewritten, concepts=tuple(extended))
        return TextAnalysis(text, rewritten, tuple(corrections))

    def language_of(self, typed: str, words: str, index: WordCounts) -> str:
        """Return the language of a text as typed that looks for words: what it shows, and what the shop has."""
        return language_in_shop(typed, words, lambda own: self._current_vocabulary(index).in_language(own))

    def has_word(self, word: str, index: WordCounts) -> bool:
        """Return whether a product or the glossary has a word in any form."""
        known = self._word_counts(index).known(forms(word))
        return known or any(concept.in_glossary for concept in self._glossary.apply(word, ENGLISH).concepts)

    def _forms_of(
        self, index: WordCounts, rewritten: RewrittenText, knows: KnowsWord
    ) -> dict[str, list[tuple[str, ...]]]:
        """Return the shop's words for a word of a text with stems: "tasse" of "tassen"; "kaffee", "tasse" as one."""
        if rewritten.language not in STEMMED:
            return {}
        vocabulary = self._current_vocabulary(index)
        forms_of, split = vocabulary.in_language(rewritten.language).forms, vocabulary.compounds.split_in
        return {
            word: [*((form,) for form in forms_of(word)), *filter(None, [split(word, rewritten.language, knows)])]
            for word in (concept.word for concept in rewritten.concepts)
        }

    def _look_up(
        self, word_counts: _CountedWords, rewritten: RewrittenText, knows: KnowsWord
    ) -> tuple[list[Correction], dict[str, tuple[str, ...]]]:
        """Return the corrections of words that no product has, and the compounds of words that few products have."""
        language, concepts = rewritten.language, rewritten.concepts[:MAX_CONCEPTS]
        corrections: list[Correction] = []
        compounds: dict[str, tuple[str, ...]] = {}
        vocabulary: _Vocabulary | None = None
        for concept in concepts:
            spellings = [way.words[0] for way in concept.alternatives if len(way.words) == 1]
            word = concept.alternatives[0].words[0]
            if not spellings or word != concept.word or unspaced(word):
                continue
            holding = word_counts.count([form for spelling in spellings for form in forms(spelling)], FEW_PRODUCTS)
            if holding == FEW_PRODUCTS:
                continue
            vocabulary = vocabulary or self._current_vocabulary(word_counts.index)
            unknown = not holding and not concept.in_glossary
            if unknown and (used := _corrected(word, vocabulary, knows, language)):
                corrections.append(Correction(word, used))
            elif parts := vocabulary.compounds.compounds_in(word, language, knows):
                compounds[word] = parts
        return corrections, compounds

    def _foreign_corrections(
        self, word_counts: _CountedWords, rewritten: RewrittenText, corrections: Sequence[Correction], knows: KnowsWord
    ) -> tuple[list[Correction], str]:
        """Return the corrections of words that nobody knows to terms of a language that the text then shows, and it."""
        done = {correction.word for correction in corrections}
        strange = [
            concept.word
            for concept in rewritten.concepts[:MAX_CONCEPTS]
            if not concept.in_glossary
            and concept.word.isalpha()
            and concept.word not in done
            and not (word_counts.known(forms(concept.word)) or knows(concept.word) or is_english(concept.word))
        ]
        if not 0 < len(strange) <= MAX_STRANGE:
            return [], rewritten.language
        vocabulary = self._current_vocabulary(word_counts.index)
        strange = [word for word in strange if not next(vocabulary.compounds.words_around(word), None)]
        vocabularies = {language: vocabulary.in_language(language) for language in STEMMED}
        known = {correction.word: correction.used for correction in corrections}
        terms, language = terms_meant(rewritten.typed, strange, known, vocabularies)
        return [Correction(word, term) for word, term in terms.items()], language or rewritten.language

    def _word_counts(self, index: WordCounts) -> _CountedWords:
        vocabulary = self._vocabulary.made
        if index.is_lasting or vocabulary is None or vocabulary.seq != index.seq():
            return _CountedWords(index, None)
        return _CountedWords(index, vocabulary.counts)

    def _current_vocabulary(self, index: WordCounts) -> _Vocabulary:
        """Return the shop's vocabulary; of a large shop that has changed, an earlier one for some seconds."""
        seq, ways_by_term = index.seq(), self._ways_by_term  # these are made once, so their time does not count

        def read() -> _Vocabulary:
            known = dict(index.vocabulary())
            terms = (term for term, ways in ways_by_term.items() if _finds_products(ways, known))
            counts = dict.fromkeys(terms, 0) | known
            return _Vocabulary(
                SpellingVocabulary(sorted(counts.items())), CompoundVocabulary(known.items()), known, seq
            )

        return self._vocabulary.current(seq, read, background=index.is_lasting)

    @cached_property
    def _ways_by_term(self) -> dict[str, list[Way]]:
        """The ways in which a product can have each English term of the glossary."""
        return {
            term: [
                tuple(map(forms, alternative.words))
                for concept in self._glossary.apply(term, ENGLISH).concepts
                for alternative in concept.alternatives
            ]
            for term in self._glossary.english
        }


def _finds_products(ways: Sequence[Way], known: Mapping[str, int]) -> bool:
    return any(all(any(form in known for form in word) for word in way) for way in ways)


def _corrected(word: str, vocabulary: _Vocabulary, knows: KnowsWord, language: str) -> str | None:
    """Return what a word that no product has probably means: a word with a mistake less, or two words.

    An English word is no mistake: a shop of baskets that is asked for a hammer has none, and its hampers are no answer.
    A word of a German text is a mistake for a German word, and none for an English one.
    """
    if language not in STEMMED and (knows(word) or is_english(word)):
        return None
    parts = vocabulary.compounds.split(word, knows)
    if parts and min(map(len, parts)) >= SURE_SPLIT:
        return " ".join(parts)
    own = vocabulary.in_language(language) if language in STEMMED else None
    nearest = own.nearest(word) if own else vocabulary.spelling.nearest(word, 1 if parts else None)
    if nearest is None:
        return " ".join(parts) if parts else None
    # "topf" is no mistake where there is a "kochtopf"; "comfor" is one although there is a "comfortsoft".
    whole = (other for other in vocabulary.compounds.words_around(word) if not is_truncated(word, nearest, other))
    return None if nearest in forms(word) or next(whole, None) else nearest


def _extended(
    concept: Concept,
    compounds: Mapping[str, tuple[str, ...]],
    joined: Mapping[str, Sequence[str]],
    related: Mapping[str, Sequence[tuple[str, ...]]],
) -> Concept:
    ways = [Alternative(words, JOINED_CONFIDENCE ** (len(words) - 1)) for words in related.get(concept.word, ())]
    ways += [Alternative((word,), JOINED_CONFIDENCE) for word in joined.get(concept.word, ())]
    ways += [Alternative(words, JOINED_CONFIDENCE, indivisible=True) for words in letters_and_numbers(concept.word)]
    return replace(
        concept,
        alternatives=(*concept.alternatives, *ways),
        compounds=compounds.get(concept.word, concept.compounds),
    )
