"""Which words of a text as typed stand behind words of its English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.text.tokenizer import normalise, tokenise


@dataclass(frozen=True, slots=True)
class AlignedPart:
    """A part of a typed text, from `start` to `end` of it, and the English words that it became."""

    english: tuple[str, ...]
    start: int
    end: int
    is_function: bool = False  # a preposition or a conjunction


class WordAlignment:
    """The parts of a typed text in the order of its English."""

    def __init__(self, typed: str, parts: Sequence[AlignedPart]) -> None:
        self._typed = typed
        self._parts = parts
        self._words = [(word, part) for part in parts for word in part.english]

    def in_order(self) -> tuple[str, WordAlignment]:
        """Return the typed words in the order of the English, with its prepositions and conjunctions, and their places.

        A shop's own names in the language of the text are found in it as English names are.
        """
        parts = [part if part.is_function else replace(part, english=self._typed_words(part)) for part in self._parts]
        return " ".join(word for part in parts for word in part.english), WordAlignment(self._typed, parts)

    def _typed_words(self, part: AlignedPart) -> tuple[str, ...]:
        return english_words(self._typed[part.start : part.end])

    def typed_for(self, english: str) -> str:
        """Return what was typed for neighbouring words of the English; the words themselves where they are not in it.

        What stands between two typed parts is given too where it says nothing: "taza de café" for "coffee mug".
        """
        wanted = english_words(english)
        for at in range(len(self._words) - len(wanted) + 1):
            if wanted and [word for word, _ in self._words[at : at + len(wanted)]] == list(wanted):
                return self._joined({id(part): part for _, part in self._words[at : at + len(wanted)]})
        return english

    def _joined(self, parts: dict[int, AlignedPart]) -> str:
        chosen = sorted(parts.values(), key=lambda part: part.start)
        first, last = chosen[0].start, chosen[-1].end
        between = [part for part in self._parts if first <= part.start < last and id(part) not in parts]
        if not between:
            return self._typed[first:last]
        return " ".join(self._typed[part.start : part.end] for part in chosen)


def english_words(text: str) -> tuple[str, ...]:
    """Return the words of an English text as parts are compared."""
    return tuple(piece for _, _, piece in tokenise(normalise(text)))


def typed_places(text: str, normalised: str) -> Sequence[int] | None:
    """Return where in a text each character of its normalised form comes from, and its end; None where none tells."""
    if len(text) == len(normalised):
        return range(len(text) + 1)
    places = [at for at, character in enumerate(text) for _ in normalise(character)]
    if "".join(map(normalise, text)) != normalised:
        return None
    return [*places, len(text)]
