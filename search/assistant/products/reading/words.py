"""Compare single words: whether two are forms of one English word, and which of the shop's texts have all words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from catalog.text.scripts import unspaced
from catalog.text.tokenizer import singularise

# What may follow the common beginning of two forms of one word: mash and mashed, pasteurised and pasteurized.
_SUFFIXES = frozenset(
    [
        "s",
        "es",
        "ed",
        "d",
        "ing",
        "y",
        "ly",
        "er",
        "ers",
        "en",
        "n",
        "al",
        "ally",
        "ise",
        "ize",
        "ised",
        "ized",
        "ises",
        "izes",
        "ising",
        "izing",
        "isation",
        "ization",
        "ation",
        "ations",
        "ate",
        "ated",
        "able",
        "ible",
        "less",
        "ness",
        "ity",
        "ic",
        "ical",
        "ish",
        "e",
        "ey",
        "ies",
        "ied",
    ]
) | {""}
_LEAST = 4  # letters of a common beginning
_WORD = re.compile(r"[^\W\d_]+")


def same_word(word: str, other: str) -> bool:
    """Return whether two normalised English words are forms of one word."""
    first, second = singularise(word), singularise(other)
    if first == second:
        return True
    common = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        common += 1
    if common < _LEAST:
        return False
    rests = first[common:], second[common:]
    return all(rest in _SUFFIXES for rest in rests)


def places(word: str, text: str) -> list[tuple[int, int]]:
    """Return where a normalised text has forms of an English word."""
    return [match.span() for match in _WORD.finditer(text) if same_word(word, match[0])]


def has_all(items: Iterable[tuple[str, ...]], text: str) -> bool:
    """Return whether a normalised text has one of the alternatives of each item, a word or several, in some form."""
    own = _WORD.findall(text)
    return all(any(_has(alternative, own, text) for alternative in item) for item in items)


def _has(alternative: str, own: list[str], text: str) -> bool:
    if unspaced(alternative):
        return alternative in text
    return all(any(same_word(word, other) for other in own) for word in _WORD.findall(alternative))
