"""Find the aspects of a product in a clause by lists of terms, which also say what some terms mean of themselves."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.reviews.review import SIZE
from catalog.text.glossary import ENGLISH
from search.language.detection import CHINESE

TERMS_FILE = Path(__file__).with_name("aspect_terms.csv")
EXCLUDED = "excluded"  # in place of an aspect: terms that mean none, although they hold a term of one
BLOCKED = "blocked"  # in place of a polarity: parts of a clause in which other terms of the aspect mean something else
COLOUR = "{colour}"  # stands in terms for each name of a colour; the row of this "aspect" lists them
_WORD = re.compile(r"[^\W_]+(?:'[^\W\d_]+)?|\$")
_APOSTROPHES = str.maketrans("’‘`´′", "'''''")
_MEASURES = re.compile(  # a body's height and weight, and sizes of clothes
    r"\b[4-6]\s?'\s?\d|\b\d{2,3}\s?(?:lbs?|pounds)\b|\b(?:2[6-9]|3\d|4[0-6])\s?(?:[a-d]|dd|ddd)\b|\b\d{1,2}p\b"
    r"|\b(?:a|the|my|usual|normal) (?:[02468]|1[0246]|2[4-9]|3[0-4])\b"
)

Index = Mapping[str, Sequence[tuple[tuple[str, ...], "AspectTerm"]]]  # by the first word or character, longest first


@dataclass(frozen=True, slots=True)
class AspectTerm:
    """A term that is about an aspect. `polarity` is "" where the words around it decide."""

    aspect: str
    polarity: str = ""


@dataclass(frozen=True, slots=True)
class AspectList:
    """The terms of a language, and for some aspects what a clause must not hold.

    A term is of words, or of characters where a language puts no spaces.
    """

    spaced: bool
    terms: Index
    blocked: Mapping[str, re.Pattern[str]]

    def found_in(self, clause: str) -> list[AspectTerm]:
        """Return the terms in a clause, from left to right, the longest at each place."""
        text = clause.lower().translate(_APOSTROPHES)
        terms = [
            term
            for term in self._found(_units(text, self.spaced))
            if (blocked := self.blocked.get(term.aspect)) is None or not blocked.search(text)
        ]
        return [*terms, AspectTerm(SIZE)] if _MEASURES.search(text) else terms

    def _found(self, units: Sequence[str]) -> Iterator[AspectTerm]:
        at = 0
        while at < len(units):
            for key, term in self.terms.get(units[at], ()):
                if tuple(units[at : at + len(key)]) == key:
                    if term.aspect != EXCLUDED:
                        yield term
                    at += len(key)
                    break
            else:
                at += 1


def aspect_terms(clause: str, language: str) -> list[AspectTerm]:
    """Return the terms about aspects in a clause; none for languages without lists."""
    found = aspect_lists().get(language)
    return found.found_in(clause) if found is not None else []


def terms_digest() -> str:
    """Return a digest of the lists, which changes with them."""
    return hashlib.sha256(TERMS_FILE.read_bytes()).hexdigest()[:16]


@cache
def aspect_lists() -> Mapping[str, AspectList]:
    """Return the lists of each language that has them."""
    with TERMS_FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    own = {language: [row for row in rows if row["language"] == language] for language in (ENGLISH, CHINESE)}
    return {language: _list_of(listed, language == ENGLISH) for language, listed in own.items()}


def _list_of(rows: Sequence[Mapping[str, str]], spaced: bool) -> AspectList:
    colours = [name for row in rows if row["aspect"] == COLOUR for name in row["terms"].split("|")]
    terms: dict[tuple[str, ...], AspectTerm] = {}
    blocked = {}
    for row in rows:
        if row["polarity"] == BLOCKED:
            blocked[row["aspect"]] = re.compile(row["terms"])
        elif row["aspect"] != COLOUR:
            for text in _expanded(row["terms"].split("|"), colours):
                terms[tuple(_units(text, spaced))] = AspectTerm(row["aspect"], row["polarity"])
    return AspectList(spaced, _by_first(terms), blocked)


def _units(text: str, spaced: bool) -> list[str]:
    return _WORD.findall(text) if spaced else list(text)


def _expanded(texts: Sequence[str], colours: Sequence[str]) -> Iterator[str]:
    for text in texts:
        if COLOUR in text:
            yield from (text.replace(COLOUR, colour) for colour in colours)
        else:
            yield text


def _by_first(terms: Mapping[tuple[str, ...], AspectTerm]) -> Index:
    index: dict[str, list[tuple[tuple[str, ...], AspectTerm]]] = {}
    for key, term in sorted(terms.items(), key=lambda entry: -len(entry[0])):
        index.setdefault(key[0], []).append((key, term))
    return index
