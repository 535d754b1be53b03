"""Turn what the speech model writes into a text that somebody would type."""

from __future__ import annotations

import re

from catalog.text.folding import simplified
from catalog.text.tokenizer import unspaced

MIN_REPEATED = 2  # words of a text that is said again and again
MAX_CUT = 3  # words that a last repetition has at least, where it is cut off
_SENTENCE_MARKS = re.compile(r"[.,!?¿¡;:…。，、！？；：「」『』\"“”«»()\[\]♪*]+")
_INSIDE_NUMBER = re.compile(r"(?<=\d)[.,](?=\d)")
_DECIMAL_COMMA = frozenset({"de", "fr", "es"})  # languages that write "12,50"
_MARKS = {".": "\ue000", ",": "\ue001"}  # what stands for a mark inside a number meanwhile
_MARKS_AGAIN = str.maketrans({stand_in: mark for mark, stand_in in _MARKS.items()})


def cleaned(text: str, language: str) -> str:
    """Return a reading without sentence marks and repetitions; Chinese in simplified characters, without spaces."""
    written = _MARKS if language in _DECIMAL_COMMA else _MARKS | {",": ""}
    text = _INSIDE_NUMBER.sub(lambda match: written[match[0]], text)
    words = _once(_SENTENCE_MARKS.sub(" ", text).split())
    if language == "zh":
        words = [simplified(word) for word in words]
    if unspaced("".join(words)):
        return _once_unspaced("".join(words)).translate(_MARKS_AGAIN)
    return " ".join(words).translate(_MARKS_AGAIN).removeprefix("- ").strip("- ")


def _once(words: list[str]) -> list[str]:
    """Return words without what repeats at their end, also where its last repetition is cut off."""
    lower = [word.lower() for word in words]
    for size in range(MIN_REPEATED, len(words) - MIN_REPEATED + 1):
        for begin in range(len(words) - size - min(size, MAX_CUT) + 1):
            unit, rest = lower[begin : begin + size], lower[begin + size :]
            if all(word == unit[place % size] for place, word in enumerate(rest)):
                return words[: begin + size]
    return words


def _once_unspaced(text: str) -> str:
    return "".join(_once(list(text)))
