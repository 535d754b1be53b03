"""Divide a text into what was typed and what was not, so that a page can mark the former."""

from __future__ import annotations

import re
from itertools import groupby

from catalog.text.tokenizer import normalise, unspaced
from indexer.suggestions.text_units import pieces_of

_CHUNK = re.compile(r"\S+")
_START = re.compile(r"[^\W_]")


def parts_of(text: str, typed: str) -> tuple[str, ...]:
    """Return a text in parts: the first was not typed, the second was, and so on; the first may be empty.

    A word of `typed` is looked for at the beginning of the text's words, in whatever case and with or without accents,
    and in scripts without spaces anywhere.
    """
    pieces = pieces_of(typed)
    marks = [False] * len(text)
    for chunk in _CHUNK.finditer(text):
        for piece in pieces:
            first, end = _found(chunk.group(), piece)
            marks[chunk.start() + first : chunk.start() + end] = [True] * (end - first)
    parts = ["".join(letter for letter, _ in group) for _, group in groupby(zip(text, marks, strict=True), _mark)]
    return ("", *parts) if marks and marks[0] else tuple(parts)


def _found(chunk: str, piece: str) -> tuple[int, int]:
    """Return where a piece stands in a chunk; an empty place where it does not."""
    normalised = normalise(chunk)
    if unspaced(piece):
        at = normalised.find(piece) if len(normalised) == len(chunk) else -1
        return (at, at + len(piece)) if at >= 0 else (0, 0)
    start = _START.search(chunk)
    first = start.start() if start else 0
    if not normalise(chunk[first:]).startswith(piece):
        return 0, 0
    end = next(end for end in range(first + 1, len(chunk) + 1) if len(normalise(chunk[first:end])) >= len(piece))
    return first, end


def _mark(pair: tuple[str, bool]) -> bool:
    return pair[1]
