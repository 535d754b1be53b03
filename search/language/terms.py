"""The glossary's terms of one language, found by their words, by the stems of these, and as parts of a compound."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import islice, product
from pathlib import Path

from catalog.text.folding import respellings
from catalog.text.glossary import GLOSSARY, GlossaryEntry, read_glossary
from catalog.text.scripts import clusters, unspaced
from catalog.text.tokenizer import normalise, split_compound, tokenise
from search.language.function_words import MODIFIER, function_words
from search.language.stems import MIN_STEM, STEMMED, is_form, stem

JAPANESE = "ja"
LANGUAGES = (*STEMMED, JAPANESE)  # those that have a file of terms beside the first one's Chinese and English
GERMAN = "de"
MIN_HEAD, MIN_MODIFIER = 3, 3  # letters of a compound's parts
MAX_COMPOUND = 40  # letters
MAX_WAYS = 4  # English readings of a compound
_LINKS = ("", "s", "n", "en", "es", "er", "e")  # letters between the parts: "Küche-n-uhr", "Arbeit-s-tisch"
_SUFFIX = re.compile(r"(?:farb(?:en|ig)|(?P<shape>formig))(?:e[mnrs]?)?$")
_MATTER = "<modifier>"  # stands in a key for any word such as "de": "table en bois" and "table de bois" are alike


class LanguageTerms:
    """The terms of one language. Never changes; threads share it."""

    def __init__(self, language: str, entries: Iterable[GlossaryEntry]) -> None:
        self.language = language
        self._function_words = function_words(language)
        self._exact: dict[tuple[str, ...], GlossaryEntry] = {}
        self._stems: dict[tuple[str, ...], list[tuple[tuple[str, ...], GlossaryEntry]]] = {}
        for entry in entries:
            for spelling in (normalise(entry.term), *respellings(entry.term)):
                key = tuple(term_words(spelling))
                if key and key not in self._exact:
                    self._exact[key] = entry
                    if language in STEMMED:
                        self._stems.setdefault(self._stem_key(key), []).append((key, entry))
        self.longest = max(map(len, self._exact), default=0)
        self._longest_from: dict[str, int] = {}  # of the terms that begin with a word, or with a stem
        for key in (*self._exact, *self._stems):
            self._longest_from[key[0]] = max(len(key), self._longest_from.get(key[0], 0))
        self._reach = lru_cache(maxsize=1 << 15)(self._reach_from)
        self.entry_of_compound = lru_cache(maxsize=4096)(self._entry_of_compound)

    def match(self, words: Sequence[str], at: int) -> tuple[GlossaryEntry, int] | None:
        """Return the longest term that begins at a place of normalised words, and its length; exact before by stem."""
        for length in range(min(self._reach(words[at]), len(words) - at), 0, -1):
            if entry := self.find(tuple(words[at : at + length])):
                return entry, length
        return None

    def begins(self, word: str) -> bool:
        """Return whether a term begins with a word or a form of it."""
        return self._reach(word) > 0

    def find(self, key: tuple[str, ...]) -> GlossaryEntry | None:
        """Return the entry of a term as it is written, or else of a term of which the words are forms."""
        if (entry := self._exact.get(key)) is not None or not self._stems:
            return entry
        if len(key) == 1 and (key[0] in self._function_words or len(key[0]) < MIN_STEM):
            return None
        found = [
            (sum(map(_distance, key, term)), term, entry)
            for term, entry in self._stems.get(self._stem_key(key), ())
            if all(map(self._is_alike, key, term))
        ]
        return min(found)[2] if found else None

    def is_exact(self, word: str) -> bool:
        """Return whether a word as it is is a term."""
        return (word,) in self._exact

    def has(self, word: str) -> bool:
        """Return whether a word, in any form, is a term."""
        return self.find((word,)) is not None

    def single_words(self) -> list[str]:
        """Return the terms of one word, as they are typed."""
        return [key[0] for key in self._exact if len(key) == 1]

    def covered(self, text: str) -> int:
        """Return how many characters of a run without spaces are in terms, the longest first from the left."""
        at = total = 0
        while at < len(text):
            found = self.match(text, at)
            total += found[1] if found else 0
            at += found[1] if found else 1
        return total

    def _reach_from(self, word: str) -> int:
        """Return how many words the longest term has that may begin with a word."""
        longest = self._longest_from.get(word, 0)
        return max(longest, self._longest_from.get(self._stem(word), 0)) if self._stems else longest

    def _stem_key(self, key: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._stem(word) for word in key)

    def _stem(self, word: str) -> str:
        known = self._function_words.get(word)
        if known is None:
            return stem(word, self.language)
        return _MATTER if known.role == MODIFIER else word

    def _is_alike(self, word: str, other: str) -> bool:
        return word in self._function_words or is_form(word, other)

    def _entry_of_compound(self, word: str) -> GlossaryEntry | None:
        """Return what a compound of two or three terms is in English: its head last, as in German; None for others."""
        if self.language != GERMAN or not MIN_HEAD + MIN_MODIFIER <= len(word) <= MAX_COMPOUND or not word.isalpha():
            return None
        english = self._coloured(word) or self._joined(word)
        return GlossaryEntry(word, self.language, tuple(english)) if english else None

    def _coloured(self, word: str) -> Sequence[str]:
        """Return the English of "bernsteinfarbenes" or "herzförmiges"; nothing for other words."""
        found = _SUFFIX.search(word)
        first = self._modifier(word[: found.start()]) if found else ()
        return [f"{text} shaped" for text in first] if found and found["shape"] else first

    def _joined(self, word: str) -> Sequence[str]:
        for at in range(MIN_MODIFIER, len(word) - MIN_HEAD + 1):  # the longest head first
            head = self.find((word[at:],))
            if head is not None and head.replacements and (first := self._modifier(word[:at])):
                ways = product(first, head.replacements)
                return [_joined_english(*way) for way in islice(ways, MAX_WAYS)]
        return ()

    def _modifier(self, part: str) -> Sequence[str]:
        """Return the English of a compound's first part, with or without the letters that link it to the next."""
        for link in _LINKS:
            plain = part.removesuffix(link) if link else part
            if (link and plain == part) or len(plain) < MIN_MODIFIER:
                continue
            for spelling in (plain, f"{plain}e", f"{plain}en"):  # "Woll-decke" of "Wolle", "Ess-tisch" of "essen"
                entry = self._exact.get((spelling,)) or (self.find((spelling,)) if spelling == plain else None)
                if entry is not None and entry.replacements:
                    return entry.replacements
        return self._joined(part) if len(part) >= MIN_HEAD + MIN_MODIFIER else ()


def term_words(text: str) -> list[str]:
    """Return the words of a normalised text as terms are compared: parts of compounds, characters without spaces."""
    if text.isascii() and text.replace(" ", "").isalpha():
        return text.split()
    words: list[str] = []
    for _, _, piece in tokenise(text):
        words += clusters(piece) if unspaced(piece) else [word for _, _, word in split_compound(piece)]
    return words


def path_of_terms(language: str) -> Path:
    """Return the file of the terms of a language."""
    return GLOSSARY.with_name(f"glossary_{language}.csv")


class _ShippedTerms(Mapping[str, LanguageTerms]):
    """The shipped terms by language, each read when it is first needed: all of them take half a second."""

    def __init__(self) -> None:
        self._languages = tuple(language for language in LANGUAGES if path_of_terms(language).is_file())
        self._terms: dict[str, LanguageTerms] = {}

    def __getitem__(self, language: str) -> LanguageTerms:
        if language not in self._terms:
            if language not in self._languages:
                raise KeyError(language)
            self._terms[language] = LanguageTerms(language, read_glossary(path_of_terms(language)))
        return self._terms[language]

    def __contains__(self, language: object) -> bool:
        return language in self._languages

    def __iter__(self) -> Iterator[str]:
        return iter(self._languages)

    def __len__(self) -> int:
        return len(self._languages)


@cache
def shipped_terms() -> Mapping[str, LanguageTerms]:
    """Return the shipped terms of each language that has a file of its own."""
    return _ShippedTerms()


def _distance(word: str, other: str) -> int:
    return 0 if word == other else 1 + abs(len(word) - len(other))


def _joined_english(first: str, head: str) -> str:
    """Return two English texts as one, without a word that both have: "drinking glass" of "drink" and "glass"."""
    return " ".join(dict.fromkeys([*first.split(), *head.split()]))
