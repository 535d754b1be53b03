"""The words of a question that say what it is about, besides its topics, each with what it is called in English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from babel import Locale

from catalog.text.folding import normalise
from catalog.text.glossary import ENGLISH, GLOSSARY, read_glossary
from catalog.text.tokenizer import singularise
from search.assistant.products.reading.expressions import alternatives, words_of
from search.assistant.products.reading.words import same_word
from search.language.function_words import function_words
from search.language.terms import shipped_terms

CHINESE = "zh"
MAX_TERM = 8  # characters of a Chinese term
Item = tuple[str, ...]  # what one word may be called: as it is, and in English
_CHINESE_STOP = re.compile(f"{alternatives(words_of('stop', CHINESE))}|[^\u3400-\u9fff]+")
# A shop names the kind where customers ask for the stuff.
_WOODS = ("oak", "walnut", "pine", "beech", "ash", "teak", "birch", "maple", "cherry", "acacia", "mahogany", "bamboo")
_METALS = ("steel", "iron", "aluminium", "aluminum", "brass", "copper", "zinc")
_KINDS = {"wood": _WOODS, "wooden": ("wood", *_WOODS), "metal": _METALS}
_WORD = re.compile(r"[^\W\d_]+")


def content_items(text: str, language: str, spans: Sequence[tuple[int, int]], kind: frozenset[str]) -> tuple[Item, ...]:
    """Return what a normalised question is about besides the words at `spans` and the words for the product's kind."""
    rest = "".join(" " if any(start <= at < end for start, end in spans) else mark for at, mark in enumerate(text))
    found = _chinese(rest, kind) if language == CHINESE else _spaced(rest, language, kind)
    return tuple(dict.fromkeys(found))


def names_of(word: str, language: str) -> Item:
    """Return what a word of a language may be called: as it is, in English, and what is a kind of it."""
    names = _names(word, language)
    return tuple(dict.fromkeys((*names, *(kind for name in names for kind in _KINDS.get(name, ())))))


def _names(word: str, language: str) -> Item:
    if language == CHINESE:
        stems = dict.fromkeys((word, word.removesuffix("的"), word.rstrip("的头质制") or word))
        return (*stems, *(name for stem in stems for name in _terms().get(stem, ())))
    terms = shipped_terms().get(language) if language != ENGLISH else None
    found = terms.match([word], 0) if terms is not None else None
    names = found[0].replacements if found else _synonyms(word)
    return (word, *(normalise(name) for name in names))


def _spaced(text: str, language: str, kind: frozenset[str]) -> Iterator[Item]:
    stop = frozenset(words_of("stop", language if language == ENGLISH else ""))
    for word in _WORD.findall(text.replace("'", " ")):
        if word in stop or len(word) < 2 or (language != ENGLISH and word in function_words(language)):
            continue
        names = names_of(word, language)
        if not _is_kind(names, kind):
            yield names


def _chinese(text: str, kind: frozenset[str]) -> Iterator[Item]:
    for run in filter(None, _CHINESE_STOP.split(text)):
        at = 0
        while at < len(run):
            length = next((n for n in range(min(MAX_TERM, len(run) - at), 1, -1) if run[at : at + n] in _terms()), 0)
            if length:
                names = (run[at : at + length], *_terms()[run[at : at + length]])
                if not _is_kind(names, kind):
                    yield names
                at += length
            elif len(run) - at > 1:
                yield (run[at:],)
                return
            else:
                return


def _is_kind(names: Item, kind: frozenset[str]) -> bool:
    return any(all(any(same_word(word, own) for own in kind) for word in _WORD.findall(name)) for name in names)


@cache
def _terms() -> Mapping[str, tuple[str, ...]]:
    entries = (entry for entry in read_glossary(GLOSSARY) if entry.language == CHINESE)
    chinese, english = (Locale.parse(code).territories for code in (CHINESE, ENGLISH))
    countries = {normalise(name): (normalise(english[code]),) for code, name in chinese.items() if code in english}
    return countries | {normalise(entry.term): tuple(map(normalise, entry.replacements)) for entry in entries}


@cache
def _all_synonyms() -> Mapping[str, tuple[str, ...]]:
    entries = (entry for entry in read_glossary(GLOSSARY) if entry.language == ENGLISH)
    return {normalise(entry.term): tuple(normalise(name) for name in entry.replacements) for entry in entries}


def _synonyms(word: str) -> tuple[str, ...]:
    return _all_synonyms().get(word) or _all_synonyms().get(singularise(word), ())
