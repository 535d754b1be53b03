"""Split a review into sentences and clauses; each knows its place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from catalog.text.scripts import unspaced

MIN_CLAUSE_WORDS = 3  # on each side of a comma or an "and" where an English clause is split
MAX_CLAUSE = 400  # characters: longer ones are split at a space, so that models read all of a text
# A full stop ends a sentence before a space, at the end, and where a writer forgot the space before a capital letter:
# not in "8.5", and not after initials ("U.S.").
_INNER_STOP = r"\.(?=[0-9a-z,;:%$€£-])|\.(?=[A-Z])(?<![a-z]{2}\.)|(?<=\.[A-Za-z])\.(?=[^\S\n\r]*\w)"
_SENTENCE = re.compile(
    rf"(?:[^.!?。！？…\n\r]|{_INNER_STOP})+"
    r"(?:[.!?。！？…]+[\"'”’)\]]*(?=\s|$|[^\x00-\x7f])|[.!?。！？…]+|[\n\r]+|$)"
)
_CONTRAST = r"but|however|although|though|yet|except|unfortunately|whereas|while|aber|mais|pero|jedoch|cependant"
_ADDED = r"the|it|its|it's|i|i'm|they|this|these|my|we|she|he|there|also|very|so"
_SPLIT = re.compile(
    rf"[;:()\[\]]+\s*|\s[-–—]+\s|\.{{2,}}|(?:,|(?<!\s))\s+(?=(?:{_CONTRAST})\b)|,\s+(?=(?:and\s+)?(?:{_ADDED})\b)"
    rf"|(?<!\s)\s+(?=and\s+(?:{_ADDED})\b)",
    re.IGNORECASE,
)
_CONTRASTING = re.compile(rf"(?:{_CONTRAST})\b", re.IGNORECASE)
_HAN_SPLIT = re.compile(r"[，,；;：:、()（）\s~～]+|(?=但是|但|可惜|不过|可是|就是|只是|唯一)(?<=[^不也还])")
_EDGES = " \t\r\n,.;:!?，。！？；：、…~～-–—\"'“”()（）[]"


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A part of a text: the text from `start` to `end`."""

    text: str
    start: int
    end: int


def sentences_of(text: str) -> list[TextSpan]:
    """Return the sentences of a text, without those that have no letter or digit."""
    return [span for part in _SENTENCE.finditer(text) for span in _trimmed(text, part.start(), part.end())]


def clauses_of(sentence: TextSpan) -> list[TextSpan]:
    """Return the clauses of a sentence, with their places in the text that the sentence is from."""
    splits = _han_splits(sentence.text) if unspaced(sentence.text) else _splits(sentence.text)
    places = [0, *splits, len(sentence.text)]
    return [
        TextSpan(span.text, span.start + sentence.start, span.end + sentence.start)
        for start, end in pairwise(places)
        for span in _trimmed(sentence.text, start, end)
    ]


def _splits(text: str) -> Iterator[int]:
    """Yield where clauses begin: at a contrast always, at a comma or an "and" only between parts of some words."""
    last = 0
    for found in _SPLIT.finditer(text):
        contrast = _CONTRASTING.match(text, found.end())
        rest = text[found.end() :].split(None, MIN_CLAUSE_WORDS)
        words = 1 if contrast or found.group().strip(" ,") else MIN_CLAUSE_WORDS
        if len(text[last : found.start()].split(None, words)) >= words and len(rest) >= words:
            last = found.end()
            yield last


def _han_splits(text: str) -> Iterator[int]:
    for found in _HAN_SPLIT.finditer(text):
        if 0 < found.end() < len(text):
            yield found.end()


def _trimmed(text: str, start: int, end: int) -> Iterator[TextSpan]:
    """Yield the part of a text without space and punctuation at its ends, in pieces that are not too long."""
    while start < end:
        stop = end
        if end - start > MAX_CLAUSE:
            space = text.rfind(" ", start + 1, start + MAX_CLAUSE)
            stop = space if space > 0 else start + MAX_CLAUSE
        part = text[start:stop]
        inner = part.strip(_EDGES)
        if any(map(str.isalnum, inner)):
            begin = start + part.index(inner)
            last = begin + len(inner)
            while last < stop and text[last] in "!?！？":  # they say how strongly something is meant
                last += 1
            yield TextSpan(text[begin:last], begin, last)
        start = stop
