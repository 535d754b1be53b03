"""Read a text that is being typed: complete words, and the beginning of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.text.tokenizer import normalise, unspaced
from indexer.suggestions.text_units import pieces_of
from indexer.suggestions.unspaced_words import MAX_LABEL_UNITS, unit_starts
from search.suggest.vocabulary import ShopVocabulary

# Words that join others in languages of Europe. Searches look for them, but nobody searches for one alone.
_JOINING_TEXT = (
    "und oder mit ohne für von zu zum zur im am aus auf der die das den dem des ein eine et ou avec sans pour de "
    "du la le les un une en au aux y con sin para por del el los las e ed di da per senza il lo gli do dos das "
    "com sem em van het een voor met zonder och med utan til av og i z ze na bez dla w ve ile için и или с со без "
    "для из в во на по к от"
)
JOINING_WORDS = frozenset(map(normalise, _JOINING_TEXT.split()))


@dataclass(frozen=True, slots=True)
class TypedText:
    """Words that are complete, and the `prefix` of the last one, "" behind a blank. All are normalised."""

    words: tuple[str, ...]
    prefix: str


def readings(text: str, vocabulary: ShopVocabulary) -> Iterator[TypedText]:
    """Yield the ways to read a text, the most probable first; a run without spaces may have several words."""
    pieces = pieces_of(text)
    if not pieces:
        return
    head = [word for piece in pieces[:-1] for word in _words_of(piece, vocabulary)]
    last = pieces[-1]
    if text[-1:].isspace() and not unspaced(last):
        yield TypedText((*head, last), "")
        return
    yield TypedText(tuple(head), last)
    if not unspaced(last):
        return
    for start in unit_starts(last)[1:]:
        if (before := _split(last[:start], vocabulary)) is not None:
            yield TypedText((*head, *before), last[start:])


def words_of(text: str, vocabulary: ShopVocabulary) -> tuple[str, ...]:
    """Return the words of a text that is complete; a run that is not made of the shop's words is one."""
    return tuple(word for piece in pieces_of(text) for word in _words_of(piece, vocabulary))


def _words_of(piece: str, vocabulary: ShopVocabulary) -> Sequence[str]:
    return (_split(piece, vocabulary) or (piece,)) if unspaced(piece) else (piece,)


def _split(run: str, vocabulary: ShopVocabulary) -> tuple[str, ...] | None:
    """Return a run as words of the shop, few and long ones; None when it is not made of them alone."""
    ends = [*unit_starts(run), len(run)]
    ways: list[tuple[str, ...] | None] = [()]
    for last in range(1, len(ends)):
        found: tuple[str, ...] | None = None
        for first in range(max(0, last - MAX_LABEL_UNITS), last):
            word, before = run[ends[first] : ends[last]], ways[first]
            if before is None or (found is not None and len(before) + 1 >= len(found)):
                continue
            if any(segment.number(word) >= 0 for segment in vocabulary.segments):
                found = (*before, word)
        ways.append(found)
    return ways[-1]
