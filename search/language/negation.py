"""Find what a German, French, Spanish or Japanese text says is not wanted: "Tasse ohne Henkel", 赤以外のマグカップ.

The words are in `negation_words.csv`. What is not wanted follows its negator up to a comma, to a word that turns to
something else ("mit"), or to the end; in Japanese it stands before. A negator that is part of a term is none: "ohne
Ärmel" is sleeveless.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.text.tokenizer import normalise, split_compound, tokenise
from search.language.alignment import typed_places
from search.language.detection import language_of
from search.language.stems import STEMMED
from search.language.terms import JAPANESE, LanguageTerms, shipped_terms
from search.language.translation import ROMANCE

_TABLE = Path(__file__).with_name("negation_words.csv")
_COMMAS = frozenset(",;.!?()，。；、")
_BEFORE, _SKIP, _END, _LIST, _AFTER = "before", "skip", "end", "list", "after"
_MAX_TERM = 12  # characters of a Japanese phrase that is not wanted
_PARTICLES = "のがはをにでとや、。 "


@dataclass(frozen=True, slots=True)
class Negated:
    """A text less its negated phrases, a comma in place of each, and the phrases."""

    rest: str
    unwanted: tuple[str, ...]


def negated_in(text: str) -> Negated | None:
    """Return the negated phrases of a text in one of these languages; None for other texts."""
    if not _may_negate().search(normalise(text)):
        return None
    language = language_of(text)
    if language == JAPANESE:
        return _japanese(text)
    return _spaced(text, language) if language in STEMMED else None


def names_first(text: str) -> bool:
    """Return whether a text is in a language that names a thing before what describes it."""
    return language_of(text) in ROMANCE


@cache
def negators() -> frozenset[str]:
    """Return the words of one piece before what a text is without, normalised: "ohne", "sans", "sin"."""
    return frozenset(word for language in STEMMED for (word, *more) in _phrases(language, _BEFORE) if not more)


@cache
def pattern_of_negators() -> str:
    """Return a pattern of all negators before what is not wanted, as they are typed, the longest first."""
    typed = {word for language in STEMMED for word in _typed(language, _BEFORE)}
    ways = sorted({way for word in typed for way in (word, normalise(word))}, key=len, reverse=True)
    return "|".join(re.escape(way).replace(r"\ ", r"['’\s]+") for way in ways)


def _spaced(text: str, language: str) -> Negated:
    normalised = normalise(text)
    origins = typed_places(text, normalised)
    if origins is None:
        text, origins = normalised, range(len(normalised) + 1)
    words = [
        (start + first, start + last, word)
        for start, _, piece in tokenise(normalised)
        for first, last, word in split_compound(piece)
    ]
    terms = shipped_terms().get(language)
    unwanted: list[str] = []
    cuts: list[tuple[int, int]] = []
    at = 0
    while at < len(words):
        size = _at(words, at, _phrases(language, _BEFORE))
        if not size or _is_term(words, at, terms):
            at += 1
            continue
        end = _end_of_phrase(normalised, words, at + size, language)
        phrases = _listed(words[at + size : end], language)
        if phrases:
            unwanted += [text[origins[first] : origins[last]] for first, last in phrases]
            cuts.append((origins[words[at][0]], origins[words[end - 1][1]]))
        at = max(end, at + size)
    return Negated(_without(text, cuts), tuple(unwanted))


def _at(words: Sequence[tuple[int, int, str]], at: int, phrases: Sequence[tuple[str, ...]]) -> int:
    """Return the length of the longest of the phrases, which are sorted, that begins at a word; 0 for none."""
    for phrase in phrases:
        if tuple(word for _, _, word in words[at : at + len(phrase)]) == phrase:
            return len(phrase)
    return 0


def _is_term(words: Sequence[tuple[int, int, str]], at: int, terms: LanguageTerms | None) -> bool:
    found = terms.match([word for _, _, word in words], at) if terms is not None else None
    return found is not None and found[1] > 1 and bool(found[0].replacements)


def _end_of_phrase(text: str, words: Sequence[tuple[int, int, str]], first: int, language: str) -> int:
    """Return the place of the first word behind the phrase that begins at a word."""
    ends = {word for (word, *_) in _phrases(language, _END)}
    for at in range(first, len(words)):
        before = text[words[at - 1][1] : words[at][0]]
        if (at > first and not _COMMAS.isdisjoint(before)) or words[at][2] in ends:
            return at
        if _at(words, at, _phrases(language, _LIST)) and at + 1 < len(words) and words[at + 1][2] in ends:
            return at  # "ohne Henkel und mit Deckel"
    return len(words)


def _listed(words: Sequence[tuple[int, int, str]], language: str) -> list[tuple[int, int]]:
    """Return the places of the members of a list, without articles: "Henkel und Deckel" is two."""
    parts: list[list[tuple[int, int, str]]] = [[]]
    skipped = {word for (word, *_) in _phrases(language, _SKIP)}
    at = 0
    while at < len(words):
        if size := _at(words, at, _phrases(language, _LIST)):
            parts.append([])
            at += size
            continue
        if parts[-1] or words[at][2] not in skipped:
            parts[-1].append(words[at])
        at += 1
    return [(part[0][0], part[-1][1]) for part in parts if part]


def _japanese(text: str) -> Negated:
    terms = shipped_terms().get(JAPANESE)
    unwanted: list[str] = []
    cuts: list[tuple[int, int]] = []
    for match in _japanese_negators().finditer(text):
        limit = cuts[-1][1] if cuts else 0
        start = _start_of_phrase(text, match.start(), limit, terms)
        if start == match.start() or (terms is not None and terms.find(tuple(text[start : match.end(1)]))):
            continue
        unwanted.append(text[start : match.start()])
        cuts.append((start, match.end()))
    return Negated(_without(text, cuts), tuple(unwanted))


def _start_of_phrase(text: str, end: int, limit: int, terms: LanguageTerms | None) -> int:
    """Return where the longest term begins that ends at a place, else the run of characters up to a particle."""
    for start in range(max(limit, end - _MAX_TERM), end):
        if terms is not None and terms.find(tuple(normalise(text[start:end]))) is not None:
            return start
    start = end
    while start > limit and text[start - 1] not in _PARTICLES and end - start < _MAX_TERM:
        start -= 1
    return start


def _without(text: str, cuts: Sequence[tuple[int, int]]) -> str:
    for start, end in reversed(cuts):
        text = f"{text[:start]} , {text[end:]}"
    return text


@cache
def _typed(language: str, role: str) -> tuple[str, ...]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["language"], row["role"]) == (language, role)]
    return tuple(word for row in rows for word in row["words"].split("|"))


@cache
def _phrases(language: str, role: str) -> tuple[tuple[str, ...], ...]:
    """Return the words of each phrase of a role, normalised, the longest first."""
    phrases = [tuple(normalise(word).split()) for word in _typed(language, role)]
    return tuple(sorted(phrases, key=len, reverse=True))


@cache
def _may_negate() -> re.Pattern[str]:
    first = {phrase[0] for language in STEMMED for phrase in _phrases(language, _BEFORE)}
    words = "|".join(map(re.escape, sorted(first)))
    after = "|".join(map(re.escape, _typed(JAPANESE, _AFTER)))
    return re.compile(rf"\b(?:{words})\b|{after}")


@cache
def _japanese_negators() -> re.Pattern[str]:
    ordered = sorted(_typed(JAPANESE, _AFTER), key=len, reverse=True)
    return re.compile(rf"({'|'.join(map(re.escape, ordered))})(?:もの|物|やつ)?の?")
