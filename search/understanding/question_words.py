"""Cut a question into words as names are cut, and into phrases of which each has one head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.text.quantities import quantity_of
from catalog.text.tokenizer import clusters, normalise, singularise, split_compound, tokenise, unspaced
from search.language.english import FUNCTION_WORDS

_PREPOSITION_TEXT = (
    "with for in of by from without to that on at as like near under over inside into which where when through around "
    "against next"
)
PREPOSITIONS = frozenset(_PREPOSITION_TEXT.split())
CONJUNCTIONS = frozenset({"and", "or", "plus", "&", "和", "或", "与", "及", "跟"})
# What follows these is the thing itself: "a set of mugs", "something like a vase".
THING_FOLLOWS = frozenset({"of", "like", "as"})
# The preposition behind these belongs to them: "looking for a mug" names a mug.
SEEKING = frozenset({"looking", "look", "search", "searching", "shopping", "hunting"})
# Chinese characters behind a noun that make no other thing of it.
UNSPACED_ENDINGS = frozenset("的子儿类套款型吗呢吧了和与或配")
_EMPTY_TEXT = (
    "something anything thing things stuff item items product products kind sort type set pair pack piece pieces "
    "nice good best cool pretty beautiful great cheap can could would should will might may must do does did have has "
    "had am was were been not no so very really please new one ones some any buy get give need want search searching "
    "looking there here im i'm id i'd like"
)
EMPTY_WORDS = (FUNCTION_WORDS | frozenset(_EMPTY_TEXT.split())) - PREPOSITIONS
COMMAS = frozenset(",;:，；：、()（）/|")


@dataclass(frozen=True, slots=True)
class Word:
    """A word in the singular, or a character of a script without spaces, with its place in the normalised text."""

    text: str
    start: int
    end: int
    after_comma: bool = False
    unspaced: bool = False
    number: bool = False

    @property
    def empty(self) -> bool:
        """Whether the word says nothing about what is wanted."""
        return self.text in EMPTY_WORDS


def question_words(text: str) -> list[Word]:
    """Return the words of a normalised text, as `name_keys` cuts names."""
    words: list[Word] = []
    end = 0
    for start, stop, piece in tokenise(text):
        comma = not COMMAS.isdisjoint(text[end:start])
        end = stop
        for at, to, word, is_unspaced, number in _parts(piece):
            words.append(Word(word, start + at, start + to, comma, is_unspaced, number))
            comma = False
    return words


def name_keys(name: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of a name, and of a name with a compound also the compound as one word."""
    text = normalise(name)
    words = tuple(word.text for word in question_words(text))
    if not words:
        return
    yield words
    joined = tuple(part for _, _, piece in tokenise(text) for part in _joined(piece))
    if joined != words:
        yield joined


def joined_words(words: Sequence[Word]) -> str:
    """Return two neighbouring words as one: "t", "shirt" -> "tshirt"; "" for others."""
    if len(words) != 2 or any(word.unspaced or word.number for word in words):
        return ""
    return singularise("".join(word.text for word in words))


def _parts(piece: str) -> Iterator[tuple[int, int, str, bool, bool]]:
    if quantity_of(piece):
        yield 0, len(piece), piece, False, True
    elif unspaced(piece):
        at = 0
        for cluster in clusters(piece):
            yield at, at + len(cluster), cluster, True, False
            at += len(cluster)
    else:
        for at, to, word in split_compound(piece):
            yield at, to, singularise(word), False, word.isdigit()


def _joined(piece: str) -> Sequence[str]:
    parts = [word for _, _, word, _, _ in _parts(piece)]
    if len(parts) < 2 or unspaced(piece) or quantity_of(piece):
        return parts
    return [singularise("".join(word for _, _, word in split_compound(piece)))]
