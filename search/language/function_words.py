"""The function words of German, French, Spanish and Japanese, and what each is in English."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.text.folding import respellings
from catalog.text.tokenizer import normalise

_TABLE = Path(__file__).with_name("function_words.csv")

# Roles of function words. What follows a modifier says what the thing before is, as English says before the thing:
# "Kerzenhalter aus Kupfer" is a copper candle holder. An adjective "before" its noun stays there in a Romance language.
EMPTY, SOMETHING, PREPOSITION, MODIFIER, CONJUNCTION = "empty", "something", "preposition", "modifier", "conjunction"
BEFORE = "before"
OWN = "own"  # words of other languages that English uses as its own, and that lists of English words lack


@dataclass(frozen=True, slots=True)
class FunctionWord:
    """What a function word does, and its English, "" for none."""

    role: str
    english: str


@cache
def function_words(language: str) -> Mapping[str, FunctionWord]:
    """Return the function words of a language, normalised, also as written without umlauts ("fuer")."""
    return _tables()[0].get(language, {})


@cache
def words_before(language: str) -> frozenset[str]:
    """Return the adjectives, normalised, that stand before their noun in a language that puts others behind it."""
    return _tables()[1].get(language, frozenset())


@cache
def _tables() -> tuple[dict[str, dict[str, FunctionWord]], dict[str, frozenset[str]]]:
    words: dict[str, dict[str, FunctionWord]] = {}
    before: dict[str, frozenset[str]] = {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            language, forms = row["language"], row["words"].split("|")
            plain = [spelling for form in forms for spelling in (normalise(form), *respellings(form))]
            if row["role"] == BEFORE:
                before[language] = frozenset(plain)
                continue
            known = words.setdefault(language, {})
            for word in plain:  # a word that has two roles has the later one: "des" is an article and "of the"
                known[word] = FunctionWord(row["role"], row["english"])
    return words, before
