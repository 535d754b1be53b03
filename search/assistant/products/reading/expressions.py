"""Words that say how and not what: negators, comparisons, "may contain", as expressions.csv lists them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from catalog.text.folding import normalise
from catalog.text.scripts import unspaced

_TABLE = Path(__file__).with_name("expressions.csv")
# Endings that a word may have besides: plurals, and the cases of German and Spanish adjectives.
_ENDINGS = {"en": "(?:s|es)?", "de": "(?:e|en|er|es|n|s)?", "fr": "(?:e|s|es|x)?", "es": "(?:s|es)?"}
_SHORTEST = 4  # letters of a word that takes endings


def words_of(name: str, language: str = "") -> tuple[str, ...]:
    """Return the words of a row of the table, normalised; without a language those of all languages."""
    rows = _rows()[name]
    found = rows.values() if not language else (rows.get(language, ()),)
    return tuple(word for words in found for word in words)


def expression(name: str) -> str:
    """Return a regular expression for the words of all languages, as whole words where these have spaces."""
    return alternatives(words_of(name))


def has(name: str, text: str) -> bool:
    """Return whether a normalised text has one of the words."""
    return _pattern(name).search(text) is not None


def alternatives(words: Iterable[str], language: str = "") -> str:
    """Return a regular expression for normalised words or phrases; "*" is the rest of a word, a blank a hyphen too.

    With a language, words may have its endings.
    """
    found = sorted(filter(None, (_expression(word, language) for word in words)), key=len, reverse=True)
    return f"(?:{'|'.join(found)})"


def _expression(word: str, language: str) -> str:
    body = r"[ \-]".join(re.escape(piece).replace(r"\*", r"[^\W_]*") for piece in re.split("[ -]", word))
    if not word or unspaced(word):
        return body
    ending = "" if word.endswith("*") or not word[-1].isalpha() or len(word) < _SHORTEST else _ENDINGS.get(language, "")
    return rf"(?<![^\W_]){body}{ending}(?![^\W_])"


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(expression(name))


@cache
def _rows() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words = tuple(normalise(word) for word in row["words"].split("|"))
            found.setdefault(row["name"], {})[row["language"]] = words
    return found
