"""Apply a shop's glossary, synonyms and translations, to a text before it is encoded and looked up."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from catalog.errors import BadInput
from catalog.home import ShopHome
from catalog.text.glossary import ENGLISH, GLOSSARY, GlossaryEntry, read_glossary
from catalog.text.quantities import quantity_of
from catalog.text.tokenizer import (
    bigrams,
    clusters,
    join_compound,
    normalise,
    other_spellings,
    singularise,
    split_compound,
    tokenise,
    unspaced,
)

MAX_REPLACEMENTS = 32  # of one term with a shop's synonyms: each is looked up for a query
OWN = "own"  # the language of a shop's own word that another one explains
SYNONYM_CONFIDENCE = 0.8  # confidence of a product that has a synonym of the word; the word itself gives 1

log = logging.getLogger(__name__)

_FUNCTION_TEXT = (
    "a an the and or of for with without in on at to by from as is are it its be i me my we you your he his her this "
    "that these those some any one something want need like looking look find show get buy please"
)
FUNCTION_WORDS = frozenset(_FUNCTION_TEXT.split())


@dataclass(frozen=True, slots=True)
class Alternative:
    """Words, as the word index has them, that together express a concept, with a confidence from 0 to 1.

    A product that has some of them has part of the concept, unless it is `indivisible`.
    """

    words: tuple[str, ...]
    confidence: float = 1.0
    indivisible: bool = False


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that a text names, and the alternatives by which a product may name it."""

    word: str
    alternatives: tuple[Alternative, ...]
    in_glossary: bool = False
    compounds: tuple[str, ...] = ()  # words of the shop of which the word is a part, any of which names a kind of it


@dataclass(frozen=True, slots=True)
class Replacement:
    """A term in another language than English and its English texts; none when the encoder gets nothing for it."""

    term: str
    language: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RewrittenText:
    """A text as an English-only text encoder reads it, and as concepts for the word index."""

    encoder_words: str
    concepts: tuple[Concept, ...]
    replaced: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word, or a cluster of a run without spaces; its place in the text, and the start of the piece it is in."""

    word: str
    piece: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Synonym:
    """Another word for a term: `term` is also looked for as `other`, and with `both_ways` the other way round.

    One way, the term stands for the other word: the encoder reads that word in its place.
    """

    term: str
    other: str
    both_ways: bool = True


class Glossary:
    """Terms and their replacements; the longest term that matches wins, from the left. Never changes."""

    def __init__(self, entries: Iterable[GlossaryEntry]) -> None:
        self._entries = {_key(entry.term): entry for entry in entries}
        self._longest = max(map(len, self._entries), default=0)

    @classmethod
    def of(cls, home: Path) -> Glossary:
        """Return the shipped glossary, with the shop's own entries for those of the same term. Raises BadInput."""
        own = ShopHome(home).glossary
        return cls((*read_glossary(GLOSSARY), *(read_glossary(own) if own.is_file() else ())))

    @classmethod
    def usable(cls, home: Path) -> Glossary:
        """Do as `of`, but leave out the shop's own entries where they are damaged: searches go on until then."""
        try:
            return cls.of(home)
        except BadInput as error:
            log.error("The shop's glossary is not used: %s", error)
            return cls(read_glossary(GLOSSARY))

    def extended(self, synonyms: Iterable[Synonym]) -> Glossary:
        """Return a glossary that has these synonyms too; a term that it has already keeps what it had."""
        extended = Glossary(())
        extended._entries = dict(self._entries)
        for synonym in synonyms:
            extended._add(synonym.term, synonym.other, meant=not synonym.both_ways)
            if synonym.both_ways:
                extended._add(synonym.other, synonym.term, meant=False)
        extended._longest = max(map(len, extended._entries), default=0)
        return extended

    def _add(self, term: str, other: str, meant: bool) -> None:
        """Add a word to a term's replacements: as the first one, which the encoder reads, when it is `meant`.

        A term that is no English word is read as `other`, or as what `other` is in English where that is known.
        """
        key, known, target = _key(term), self._entries.get(_key(term)), self._entries.get(_key(other))
        if known and len(known.replacements) >= MAX_REPLACEMENTS and not meant:
            return
        is_foreign = target is not None and target.language != ENGLISH
        words = (*target.replacements[:1], other) if target is not None and is_foreign else (other,)
        readable = is_foreign or not unspaced(normalise(other))
        replacements = known.replacements if known else ()
        if readable and (meant or (known is None and unspaced(normalise(term)))):
            language = OWN
        else:
            language = known.language if known else ENGLISH
        merged = dict.fromkeys((*words, *replacements) if meant else (*replacements, *words))
        distinct = [word for word in merged if _key(word) != key][:MAX_REPLACEMENTS]
        self._entries[key] = GlossaryEntry(term, language, tuple(distinct))

    @property
    def english(self) -> frozenset[str]:
        """Every single English word in the glossary, as the word index has it."""
        texts = [entry.term for entry in self._entries.values() if entry.language == ENGLISH]
        texts += [text for entry in self._entries.values() for text in entry.replacements]
        return frozenset(word for text in texts for word in _index_words(normalise(text)))

    def apply(self, text: str) -> RewrittenText:
        """Replace the glossary's terms in a text. Other words stay; the encoder gets no script without spaces."""
        normalised = normalise(text)
        spellings = other_spellings(text)
        units = list(_units(normalised))
        encoder_texts: list[str] = []
        concepts: list[Concept] = []
        replaced: list[Replacement] = []
        end = 0
        while end < len(units):
            first = units[end]
            entry, length = self._match(units, end)
            end += length
            while entry is None and end < len(units) and units[end].piece == first.piece:
                if self._match(units, end)[0] is not None:
                    break
                end += 1
            part = normalised[first.start : units[end - 1].end]
            if entry is None:
                concepts.extend(_unlisted_concepts(part, spellings))
                encoder_texts.append(_readable(part))
                continue
            encoder_texts.append(part if entry.language == ENGLISH else " ".join(entry.replacements[:1]))
            if entry.replacements and entry.replacements[0] not in FUNCTION_WORDS:
                concepts.append(Concept(part, tuple(_alternatives(part, entry)), in_glossary=True))
            if entry.language != ENGLISH:
                replaced.append(Replacement(part, entry.language, entry.replacements))
        encoder_words = " ".join(filter(None, encoder_texts)) if replaced or unspaced(normalised) else ""
        return RewrittenText(encoder_words or text, tuple(dict.fromkeys(concepts)), tuple(replaced))

    def _match(self, units: Sequence[_Unit], at: int) -> tuple[GlossaryEntry | None, int]:
        for length in range(min(self._longest, len(units) - at), 0, -1):
            if entry := self._entries.get(tuple(unit.word for unit in units[at : at + length])):
                return entry, length
        return None, 1


@functools.lru_cache(maxsize=1 << 14)  # the shipped terms, for each shop that is opened
def _key(term: str) -> tuple[str, ...]:
    return tuple(unit.word for unit in _units(normalise(term)))


def _units(text: str) -> Iterator[_Unit]:
    for start, end, piece in tokenise(text):
        if quantity_of(piece):
            yield _Unit(piece, start, start, end)
        elif unspaced(piece):
            at = start
            for cluster in clusters(piece):
                yield _Unit(cluster, start, at, at + len(cluster))
                at += len(cluster)
        else:
            for first, last, word in split_compound(piece):
                yield _Unit(singularise(word), start, start + first, start + last)


def _readable(text: str) -> str:
    """Return a text without terms as an English encoder reads it: "750毫升" as "750 ml", other such scripts as ""."""
    if not unspaced(text):
        return text
    quantity = quantity_of(text)
    return quantity.english if quantity else ""


def _unlisted_concepts(text: str, spellings: Mapping[str, Sequence[str]]) -> Iterator[Concept]:
    """Yield the concept of a text without terms: a word, also joined for a compound; none for a function word.

    `spellings` are the other spellings of words that have any, as `other_spellings` returns them.
    """
    if quantity := quantity_of(text):
        yield Concept(text, tuple(Alternative((word,), confidence) for word, confidence in quantity.alternatives))
        return
    words = _index_words(text)
    if words and text not in FUNCTION_WORDS:
        compound = len(words) > 1 and not unspaced(text)
        ways = [words, (join_compound(text),)] if compound else [words]
        ways += [respelled for way in ways for respelled in _respelled(way, spellings)]
        yield Concept(text, tuple(map(Alternative, ways)))


def _respelled(words: tuple[str, ...], spellings: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    for number in range(max(len(spellings.get(word, ())) for word in words)):
        others = (spellings.get(word, (word,)) for word in words)
        yield tuple(other[min(number, len(other) - 1)] for other in others)


def _alternatives(text: str, entry: GlossaryEntry) -> Iterator[Alternative]:
    yield Alternative(_index_words(text))
    for number, replacement in enumerate(entry.replacements):
        if words := _index_words(normalise(replacement)):
            translation = number == 0 and entry.language != ENGLISH
            yield Alternative(words, 1.0 if translation else SYNONYM_CONFIDENCE)


@lru_cache(maxsize=4096)  # queries repeat their words, and a glossary's replacements are always the same
def _index_words(text: str) -> tuple[str, ...]:
    words: list[str] = []
    for _, _, piece in tokenise(text):
        if quantity := quantity_of(piece):
            words.append(quantity.alternatives[0][0])
        elif unspaced(piece):
            words += bigrams(piece) or [piece]
        else:
            words += [word for _, _, word in split_compound(piece)]
    return tuple(dict.fromkeys(words))
