"""Put a German, French or Spanish text into English words and order: "taza de café a rayas" is a striped coffee mug.

English names a thing at the end of its phrase, and what the shop's names are looked for in is English. So what a
Romance language says behind the thing goes before it, last word first, and so does what follows "aus" in German.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog.text.glossary import ENGLISH, GlossaryEntry
from search.language.function_words import (
    BEFORE,
    EMPTY,
    MODIFIER,
    PREPOSITION,
    FunctionWord,
    function_words,
    words_before,
)
from search.language.terms import LanguageTerms

ROMANCE = frozenset({"fr", "es"})
_COMMAS = frozenset(",;:.!?()/|")
_WORD = "word"
_PREPOSITIONS = frozenset({"for", "from", "in", "of", "on", "with", "without"})

Find = Callable[[int], tuple[GlossaryEntry | None, int]]  # the entry of any language that begins at a word, its length


@dataclass(frozen=True, slots=True)
class Piece:
    """A term, a function word or another word of a text, from `start` to `end` of it, with its English."""

    start: int
    end: int
    english: str
    role: str
    entry: GlossaryEntry | None = None
    after_comma: bool = False

    @property
    def is_word(self) -> bool:
        """Whether it is no function word."""
        return self.role in (_WORD, BEFORE)


def pieces_of(text: str, places: Sequence[tuple[int, int]], terms: LanguageTerms, find: Find) -> list[Piece]:
    """Cut a normalised text, with words at `places`, into the terms of its language and others, and other words.

    `find` finds terms that are not of the language: the shop's own count before the language's of the same length,
    English ones behind them.
    """
    words = [text[start:end] for start, end in places]
    known, before = function_words(terms.language), words_before(terms.language)
    pieces: list[Piece] = []
    at = end = 0
    while at < len(words):
        # A single letter is a word only where it is elided: "l'eau", not "taille L".
        elided = len(words[at]) > 1 or text[places[at][1] : places[at][1] + 1] == "'" or words[at] in "aeouy"
        entry, function, length = _at(words, at, terms, find, known if elided else {})
        start, last = places[at][0], places[at + length - 1][1]
        comma = not _COMMAS.isdisjoint(text[end:start])
        part = text[start:last]
        if function is not None:
            pieces.append(Piece(start, last, function.english, function.role, None, comma))
        else:
            english = _english(part, entry)
            role = BEFORE if words[at] in before or part.isdigit() else _WORD
            role = PREPOSITION if starts_phrase(english) else role
            pieces.append(Piece(start, last, english, role, entry, comma))
        at, end = at + length, last
    return pieces


def _at(
    words: Sequence[str], at: int, terms: LanguageTerms, find: Find, known: Mapping[str, FunctionWord]
) -> tuple[GlossaryEntry | None, FunctionWord | None, int]:
    """Return the term or the function word that begins at a word, and its length; 1 for another word."""
    own, own_length = terms.match(words, at) or (None, 0)
    other, length = find(at)
    if other is not None and other.language != ENGLISH and length >= own_length:
        return other, None, length
    function, function_length = _function_word(words, at, known)
    if own is not None and (function is None or own_length > function_length or function.role == EMPTY):
        return own, None, own_length
    if function is not None:
        return None, function, function_length
    compound = terms.entry_of_compound(words[at])
    if compound is not None:
        return compound, None, 1
    return other, None, length


def _function_word(words: Sequence[str], at: int, known: Mapping[str, FunctionWord]) -> tuple[FunctionWord | None, int]:
    for length in (2, 1):
        if at + length <= len(words) and (found := known.get(" ".join(words[at : at + length]))):
            return found, length
    return None, 0


def english_order(pieces: Sequence[Piece], language: str) -> list[Piece]:
    """Return the pieces that have English in its order, phrase by phrase."""
    ordered: list[Piece] = []
    for phrase in _phrases(pieces):
        english = [piece for piece in _in_order(phrase, language) if piece.english]
        comma = bool(ordered) and any(piece.after_comma for piece in phrase)
        ordered += [replace(piece, after_comma=comma and not at) for at, piece in enumerate(english)]
    return ordered


def starts_phrase(english: str) -> bool:
    """Return whether an English text begins with a preposition, so that it follows what it describes: "with lid"."""
    first, _, rest = english.partition(" ")
    return bool(rest) and first in _PREPOSITIONS


def english_text(ordered: Sequence[Piece]) -> str:
    """Return the English of pieces in English order, with a comma where the text has one."""
    return "".join(f", {piece.english}" if piece.after_comma else f" {piece.english}" for piece in ordered).strip()


def _in_order(phrase: Sequence[Piece], language: str) -> Iterator[Piece]:
    """Yield one phrase: what follows a modifier before the head, and in a Romance language the last word first."""
    parts: list[list[Piece]] = [[]]
    for piece in phrase:
        if piece.role == MODIFIER:
            parts.append([])
        elif piece.role != EMPTY:
            parts[-1].append(piece)
    head, *modifiers = [_part_in_order(part, language) for part in parts]
    yield from head[:-1]
    for modifier in reversed(modifiers):
        yield from modifier
    yield from head[-1:]


def _part_in_order(part: Sequence[Piece], language: str) -> list[Piece]:
    if language not in ROMANCE:
        return list(part)
    leading = [piece for piece in part if piece.role in (BEFORE, PREPOSITION)]
    return [*leading, *reversed([piece for piece in part if piece.role not in (BEFORE, PREPOSITION)])]


def _phrases(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Yield the pieces between commas and prepositions; a preposition begins its phrase."""
    phrase: list[Piece] = []
    for piece in pieces:
        if piece.after_comma or piece.role == PREPOSITION:
            yield phrase
            phrase = []
        phrase.append(piece)
    yield phrase


def _english(part: str, entry: GlossaryEntry | None) -> str:
    if entry is None or entry.language == ENGLISH:
        return part
    return entry.replacements[0] if entry.replacements else ""
