"""What questions about products are about: topics.csv lists words of questions and texts, in five languages.

In a row, `role` says what its words do. "asks" are words of a question; "values" too, but they are a value that the
topic may have. "says" are words of a text of the shop, where these differ. "yes" and "no" are phrases that state or
deny the topic by themselves. "attributes" are names of attributes. "*" stands for the rest of a word. Words that name a
part of a product are in parts.csv.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.text.folding import normalise
from search.assistant.products.reading.expressions import alternatives

FEATURE, CONTENT, VALUE, MEASURE, OFFER = "feature", "content", "value", "measure", "offer"  # forms
ASKS, VALUES, SAYS, SAYS_YES, SAYS_NO, ATTRIBUTES = "asks", "values", "says", "yes", "no", "attributes"  # roles
LANGUAGES = ("en", "zh", "de", "fr", "es")
_FOLDER = Path(__file__).parent
Span = tuple[int, int]
Patterns = Mapping[str, re.Pattern[str]]  # by language


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question may be about, with patterns for normalised texts by role and language."""

    name: str
    form: str
    patterns: Mapping[str, Patterns]
    attributes: frozenset[str] = frozenset()

    def find(self, role: str, text: str, languages: Iterable[str]) -> Iterator[Span]:
        """Yield where words of a role stand in a normalised text of these languages."""
        known = self.patterns.get(role, {})
        for language in languages:
            if language in known:
                yield from (match.span() for match in known[language].finditer(text))

    def spoken_of(self, text: str, languages: Iterable[str]) -> Iterator[Span]:
        """Yield where a text of the shop has words of the topic."""
        yield from self.find(SAYS if SAYS in self.patterns else ASKS, text, languages)


@cache
def topics() -> Mapping[str, Topic]:
    """Return all topics by name."""
    return {topic.name: topic for topic in _read(_FOLDER / "topics.csv")}


@cache
def parts() -> Mapping[str, Topic]:
    """Return the parts that products have, by name."""
    return {part.name: part for part in _read(_FOLDER / "parts.csv")}


def pattern_of(words: Iterable[str], language: str) -> re.Pattern[str]:
    """Return a pattern that finds words or phrases of a language in a normalised text."""
    return re.compile(alternatives((normalise(word.strip()) for word in words), language))


def _read(path: Path) -> Iterator[Topic]:
    rows: dict[str, list[dict[str, str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["topic"], []).append(row)
    for name, own in rows.items():
        patterns: dict[str, dict[str, re.Pattern[str]]] = {}
        attributes: frozenset[str] = frozenset()
        for row in own:
            words = row["words"].split("|")
            if row["role"] == ATTRIBUTES:
                attributes = frozenset(normalise(word) for word in words)
            else:
                patterns.setdefault(row["role"], {})[row["language"]] = pattern_of(words, row["language"])
        yield Topic(name, own[0]["form"], patterns, attributes)
