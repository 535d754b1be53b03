"""Other names of what is asked for: a shop's glossary, applied to words before they are encoded and looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.home import ShopHome
from catalog.text.glossary import ENGLISH, GLOSSARY, GlossaryEntry, read_glossary
from catalog.text.tokenizer import bigrams, joined, normalise, singularise, split_compound, tokenise, unspaced

SYNONYM = 0.8  # what a product is given that has a synonym of the word, where the word itself gives 1

_LITTLE = (
    "a an the and or of for with without in on at to by from as is are it its be i me my we you your he his her this "
    "that these those some any one something want need like looking look find show get buy please"
)
LITTLE_WORDS = frozenset(_LITTLE.split())


@dataclass(frozen=True, slots=True)
class Alternative:
    """Words, as the index has them, that together say it; `sure` in 0 to 1 is how well they do."""

    words: tuple[str, ...]
    sure: float = 1.0


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that is asked for and the ways in which a product may say it; `listed` when the glossary has it."""

    word: str
    ways: tuple[Alternative, ...]
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Replacement:
    """A term in another language than English and what stands for it; nothing when it was left out."""

    term: str
    language: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RewrittenText:
    """What was asked, as a text tower that knows only English reads it, and as the index of words is asked."""

    encoder_words: str
    concepts: tuple[Concept, ...]
    replaced: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word, or a character of a run without spaces: where its piece of the text begins, and it itself; its end."""

    word: str
    piece: int
    start: int
    end: int


class Glossary:
    """Terms and their replacements; the longest term that fits is taken, from the left. Never changes."""

    def __init__(self, entries: Iterable[GlossaryEntry]) -> None:
        self._entries = {tuple(unit.word for unit in _units(normalise(entry.term))): entry for entry in entries}
        self._longest = max(map(len, self._entries), default=0)

    @classmethod
    def of(cls, home: Path) -> Glossary:
        """The shipped glossary and, if the shop has a file of them, its own entries, added or in place of those.

        Raises BadInput, which tells the line, when the shop's file cannot be used.
        """
        own = ShopHome(home).glossary
        return cls((*read_glossary(GLOSSARY), *(read_glossary(own) if own.is_file() else ())))

    @property
    def english(self) -> frozenset[str]:
        """Every single English word in it, as the index has words."""
        terms = (_asked(normalise(entry.term)) for entry in self._entries.values() if entry.language == ENGLISH)
        listed = (_asked(normalise(text)) for entry in self._entries.values() for text in entry.replacements)
        return frozenset(word for words in (*terms, *listed) for word in words)

    def apply(self, words: str) -> RewrittenText:
        """Find the terms in the words. What is not listed stays; the encoder gets none of a script without spaces."""
        folded = normalise(words)
        units = list(_units(folded))
        said: list[str] = []
        concepts: list[Concept] = []
        replaced: list[Replacement] = []
        at = 0
        while at < len(units):
            entry, length = self._match(units, at)
            if entry is None:
                length = _rest(units, at, lambda place: self._match(units, place)[0] is not None)
            text = folded[units[at].start : units[at + length - 1].end]
            if entry is None:
                concepts.extend(_own(text))
                said.extend([] if unspaced(text) else [text])
            else:
                said.append(text if entry.language == ENGLISH else " ".join(entry.replacements[:1]))
                if entry.replacements and entry.replacements[0] not in LITTLE_WORDS:
                    concepts.append(Concept(text, tuple(_ways(text, entry)), listed=True))
                if entry.language != ENGLISH:
                    replaced.append(Replacement(text, entry.language, entry.replacements))
            at += length
        encoder_words = " ".join(filter(None, said)) if replaced or unspaced(folded) else ""
        return RewrittenText(encoder_words or words, tuple(dict.fromkeys(concepts)), tuple(replaced))

    def _match(self, units: Sequence[_Unit], at: int) -> tuple[GlossaryEntry | None, int]:
        for length in range(min(self._longest, len(units) - at), 0, -1):
            entry = self._entries.get(tuple(unit.word for unit in units[at : at + length]))
            if entry is not None:
                return entry, length
        return None, 1


def _units(folded: str) -> Iterator[_Unit]:
    for start, _, piece in tokenise(folded):
        if unspaced(piece):
            for at, character in enumerate(piece, start):
                yield _Unit(character, start, at, at + 1)
            continue
        for first, last, word in split_compound(piece):
            yield _Unit(singularise(word), start, start + first, start + last)


def _rest(units: Sequence[_Unit], at: int, listed: Callable[[int], bool]) -> int:
    """How many units from here on belong to the same piece of text, before a listed term begins."""
    end = at + 1
    while end < len(units) and units[end].piece == units[at].piece and not listed(end):
        end += 1
    return end - at


def _own(text: str) -> Iterator[Concept]:
    """What is not listed: a word, in one or, joined, in two ways, or a run without spaces; nothing for little words."""
    words = _asked(text)
    if words and text not in LITTLE_WORDS:
        compound = len(words) > 1 and not unspaced(text)
        yield Concept(text, (Alternative(words), Alternative((joined(text),))) if compound else (Alternative(words),))


def _ways(text: str, entry: GlossaryEntry) -> Iterator[Alternative]:
    """The term itself, what it is in English, and synonyms."""
    yield Alternative(_asked(text))
    for place, replacement in enumerate(entry.replacements):
        words = _asked(normalise(replacement))
        if words:
            yield Alternative(words, 1.0 if place == 0 and entry.language != ENGLISH else SYNONYM)


def _asked(folded: str) -> tuple[str, ...]:
    """The words by which a product holds a text, as the index has them."""
    found: list[str] = []
    for _, _, piece in tokenise(folded):
        found += (bigrams(piece) or [piece]) if unspaced(piece) else [word for _, _, word in split_compound(piece)]
    return tuple(dict.fromkeys(found))
