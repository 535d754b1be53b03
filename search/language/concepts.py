"""Concepts: the things that a text names, each with the words by which a product may name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from catalog.text.glossary import ENGLISH, GlossaryEntry
from catalog.text.quantities import quantity_of
from catalog.text.tokenizer import bigrams, join_compound, normalise, split_compound, tokenise, unspaced
from search.language.english import FUNCTION_WORDS

SYNONYM_CONFIDENCE = 0.8  # confidence of a product that has a synonym of the word; the word itself gives 1


@dataclass(frozen=True, slots=True)
class Alternative:
    """Words, as the word index has them, that together express a concept, with a confidence from 0 to 1.

    A product that has some of them has part of the concept, unless it is `indivisible`.
    """

    words: tuple[str, ...]
    confidence: float = 1.0
    indivisible: bool = False


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that a text names, and the alternatives by which a product may name it."""

    word: str
    alternatives: tuple[Alternative, ...]
    in_glossary: bool = False
    compounds: tuple[str, ...] = ()  # words of the shop of which the word is a part, any of which names a kind of it


def unlisted_concepts(text: str, spellings: Mapping[str, Sequence[str]]) -> Iterator[Concept]:
    """Yield the concept of a text without terms: a word, also joined for a compound; none for a function word.

    `spellings` are the other spellings of words that have any, as `other_spellings` returns them.
    """
    if quantity := quantity_of(text):
        yield Concept(text, tuple(Alternative((word,), confidence) for word, confidence in quantity.alternatives))
        return
    words = index_words(text)
    if words and text not in FUNCTION_WORDS:
        compound = len(words) > 1 and not unspaced(text)
        ways = [words, (join_compound(text),)] if compound else [words]
        ways += [respelled for way in ways for respelled in _respelled(way, spellings)]
        yield Concept(text, tuple(map(Alternative, ways)))


def _respelled(words: tuple[str, ...], spellings: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    for number in range(max(len(spellings.get(word, ())) for word in words)):
        others = (spellings.get(word, (word,)) for word in words)
        yield tuple(other[min(number, len(other) - 1)] for other in others)


def listed_concepts(
    text: str, entry: GlossaryEntry, spellings: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Iterator[Concept]:
    """Yield the concept of a term, with its synonyms or its translations; none where it is a function word."""
    if entry.replacements and entry.replacements[0] not in FUNCTION_WORDS:
        yield Concept(text, tuple(_alternatives(text, entry, spellings)), in_glossary=True)


def _alternatives(text: str, entry: GlossaryEntry, spellings: Mapping[str, Sequence[str]]) -> Iterator[Alternative]:
    words = index_words(text)
    yield Alternative(words)
    yield from (Alternative(respelled) for respelled in _respelled(words, spellings))
    for number, replacement in enumerate(entry.replacements):
        if words := index_words(normalise(replacement)):
            translation = number == 0 and entry.language != ENGLISH
            yield Alternative(words, 1.0 if translation else SYNONYM_CONFIDENCE)


@lru_cache(maxsize=4096)  # queries repeat their words, and a glossary's replacements are always the same
def index_words(text: str) -> tuple[str, ...]:
    """Return the words of a text as the word index has them."""
    words: list[str] = []
    for _, _, piece in tokenise(text):
        if quantity := quantity_of(piece):
            words.append(quantity.alternatives[0][0])
        elif unspaced(piece):
            words += bigrams(piece) or [piece]
        else:
            words += [word for _, _, word in split_compound(piece)]
    return tuple(dict.fromkeys(words))
