"""Apply a shop's glossary, synonyms and translations, to a text before it is encoded and looked up."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from catalog.errors import BadInput
from catalog.home import ShopHome
from catalog.text.glossary import ENGLISH, GLOSSARY, GlossaryEntry, read_glossary
from catalog.text.quantities import quantity_of
from catalog.text.tokenizer import (
    clusters,
    normalise,
    other_spellings,
    singularise,
    split_compound,
    tokenise,
    unspaced,
)
from search.language.alignment import AlignedPart, WordAlignment, english_words, typed_places
from search.language.concepts import Concept, index_words, listed_concepts, unlisted_concepts
from search.language.detection import language_of
from search.language.stems import STEMMED
from search.language.terms import JAPANESE, LanguageTerms, shipped_terms
from search.language.translation import english_order, english_text, pieces_of, starts_phrase

MAX_REPLACEMENTS = 32  # of one term with a shop's synonyms: each is looked up for a query
OWN = "own"  # the language of a shop's own word that another one explains

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A term in another language than English and its English texts; none when the encoder gets nothing for it."""

    term: str
    language: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RewrittenText:
    """A text as an English-only text encoder reads it, and as concepts for the word index.

    `language` is that of the text as typed; `alignment` tells what was typed for English words in another order.
    """

    encoder_words: str
    concepts: tuple[Concept, ...]
    replaced: tuple[Replacement, ...] = ()
    typed: str = ""
    language: str = ENGLISH
    alignment: WordAlignment | None = None


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

    def __init__(
        self, entries: Iterable[GlossaryEntry], languages: Mapping[str, LanguageTerms] = MappingProxyType({})
    ) -> None:
        self._entries = {_key(entry.term): entry for entry in entries}
        self._languages = languages
        self._longest = max(map(len, self._entries), default=0)

    @classmethod
    def of(cls, home: Path) -> Glossary:
        """Return the shipped glossary, with the shop's own entries for those of the same term. Raises BadInput."""
        own = ShopHome(home).glossary
        return cls((*read_glossary(GLOSSARY), *(read_glossary(own) if own.is_file() else ())), shipped_terms())

    @classmethod
    def usable(cls, home: Path) -> Glossary:
        """Do as `of`, but leave out the shop's own entries where they are damaged: searches go on until then."""
        try:
            return cls.of(home)
        except BadInput as error:
            log.error("The shop's glossary is not used: %s", error)
            return cls(read_glossary(GLOSSARY), shipped_terms())

    def extended(self, synonyms: Iterable[Synonym]) -> Glossary:
        """Return a glossary that has these synonyms too; a term that it has already keeps what it had."""
        extended = Glossary((), self._languages)
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
        return frozenset(word for text in texts for word in index_words(normalise(text)))

    def apply(self, text: str, language: str | None = None) -> RewrittenText:
        """Replace the glossary's terms in a text of a language. Other words stay; the encoder gets no unspaced script.

        The language is that which the text's words show where none is given.
        """
        language = language or language_of(text)
        normalised = normalise(text)
        units = list(_units(normalised))
        if language in STEMMED and language in self._languages and not unspaced(normalised):
            return self._translate(text, normalised, units, self._languages[language])
        terms = self._languages.get(JAPANESE) if language == JAPANESE else None
        spellings = other_spellings(text)
        encoder_texts: list[str] = []
        concepts: list[Concept] = []
        replaced: list[Replacement] = []
        end = 0
        while end < len(units):
            first = units[end]
            entry, length = self._match(units, end, terms)
            end += length
            while entry is None and end < len(units) and units[end].piece == first.piece:
                if self._match(units, end, terms)[0] is not None:
                    break
                end += 1
            part = normalised[first.start : units[end - 1].end]
            if entry is None:
                concepts.extend(unlisted_concepts(part, spellings))
                encoder_texts.append(_readable(part))
                continue
            encoder_texts.append(part if entry.language == ENGLISH else " ".join(entry.replacements[:1]))
            concepts.extend(listed_concepts(part, entry))
            if entry.language != ENGLISH:
                replaced.append(Replacement(part, entry.language, entry.replacements))
        if terms is not None:
            encoder_texts.sort(key=starts_phrase)  # "lidded" stands before its thing in Japanese, "with lid" behind it
        encoder_words = " ".join(filter(None, encoder_texts)) if replaced or unspaced(normalised) else ""
        concepts = list(dict.fromkeys(concepts))
        return RewrittenText(encoder_words or text, tuple(concepts), tuple(replaced), text, language)

    def _translate(self, text: str, normalised: str, units: Sequence[_Unit], terms: LanguageTerms) -> RewrittenText:
        """Return a text of a language with words, stems and compounds in English words and English order."""
        spellings = other_spellings(text)
        places = [(unit.start, unit.end) for unit in units]
        pieces = pieces_of(normalised, places, terms, lambda at: self._match(units, at))
        concepts: list[Concept] = []
        for piece in pieces:
            part = normalised[piece.start : piece.end]
            if piece.entry is not None:
                concepts.extend(listed_concepts(part, piece.entry, spellings))
            elif piece.is_word:
                concepts.extend(unlisted_concepts(part, spellings))
        ordered = english_order(pieces, terms.language)
        known = typed_places(text, normalised)
        typed, origins = (text, known) if known is not None else (normalised, range(len(normalised) + 1))
        aligned = [
            AlignedPart(
                english_words(piece.english),
                origins[piece.start],
                origins[piece.end],
                is_function=piece.entry is None and not piece.is_word,
            )
            for piece in ordered
        ]
        replaced = [
            Replacement(typed[origins[piece.start] : origins[piece.end]], terms.language, piece.entry.replacements)
            for piece in pieces
            if piece.entry is not None and piece.entry.language != ENGLISH
        ]
        english = english_text(ordered)
        return RewrittenText(
            english or text,
            tuple(dict.fromkeys(concepts)),
            tuple(replaced),
            text,
            terms.language,
            WordAlignment(typed, aligned) if english else None,
        )

    def _match(
        self, units: Sequence[_Unit], at: int, terms: LanguageTerms | None = None
    ) -> tuple[GlossaryEntry | None, int]:
        """Return the longest entry that begins at a unit, that of a language's own `terms` first; 1 without one."""
        longest = self._longest if terms is None else max(self._longest, terms.longest)
        for length in range(min(longest, len(units) - at), 0, -1):
            words = tuple(unit.word for unit in units[at : at + length])
            if terms is not None and (entry := terms.find(words)):
                return entry, length
            if entry := self._entries.get(words):
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
