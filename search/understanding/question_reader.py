"""Read the text of a query with a shop's names, in the language it is typed in and in the glossary's English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog.text.glossary import ENGLISH
from catalog.text.tokenizer import normalise, unspaced
from search.execution.paused_value import PausedValue
from search.language.alignment import WordAlignment, typed_places
from search.language.terms import JAPANESE
from search.query.glossary import Glossary
from search.query.terms import Query, TextTerm
from search.state.column_store import ProductColumns
from search.understanding.question_parser import UNKNOWN_HEAD, KnownWord, ParsedQuestion, parse_question
from search.understanding.question_words import UNSPACED_ENDINGS, name_keys
from search.understanding.shop_names import ShopNames
from search.understanding.understood import Understood, UnderstoodKind, UnderstoodValue, ValueRef

MIN_UNTRANSLATED = 2  # characters that nobody has, from which they are a word that was not understood
MAX_SYNONYMS = 4_096  # texts whose synonyms stay in memory
MIN_EXCLUDED = 0.4  # quality of a value that excludes a product: "not blue" excludes "cobalt blue" as well


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text as typed and in the glossary's English, and what of it was replaced: English or mended -> as typed.

    `others` are the other English texts for the same term: "hat" -> "cap" where a language has one word for both.
    """

    typed: str
    english: str
    replaced: Mapping[str, str]
    others: Mapping[str, Sequence[str]]
    alignment: WordAlignment | None = None  # of a text whose English has another order
    language: str = ENGLISH

    def typed_for(self, words: str) -> str:
        """Return what was typed for words of the English, or for corrected words."""
        if self.alignment is not None:
            words = self.alignment.typed_for(words)
        return self.replaced.get(words) or " ".join(self.replaced.get(word, word) for word in words.split())

    def as_written(self, words: str) -> str:
        """Return normalised words of Japanese as they were written: 鏡, which is 镜 where it is compared."""
        normalised = normalise(self.typed)
        start = normalised.find(words) if self.language == JAPANESE else -1
        places = typed_places(self.typed, normalised) if start >= 0 else None
        return self.typed[places[start] : places[start + len(words)]] if places is not None else words


class QuestionReader:
    """Understands questions with a shop's names, which it follows. Threads share it."""

    def __init__(self, glossary: Glossary) -> None:
        self._glossary = glossary
        self._names = PausedValue[ShopNames]()
        self._known_synonyms: dict[str, Sequence[tuple[tuple[str, ...], float]]] = {}

    def read(
        self, query: Query, texts: Mapping[str, ReadText], columns: ProductColumns, known: KnownWord
    ) -> Understood:
        """Return the parts of the text terms of a query; `texts` has the text of each."""
        names = self._names.current(columns, lambda: ShopNames(columns))
        kinds: list[UnderstoodKind] = []
        values: list[UnderstoodValue] = []
        rest: list[str] = []
        unnamed: list[str] = []
        other_things: list[bool] = []
        is_text = all(isinstance(term, TextTerm) for term in query.terms)
        for term in query.terms:
            if not isinstance(term, TextTerm) or not term.weight or term.words not in texts:
                continue
            parsed = self._parse(texts[term.words], names, known)
            if term.weight > 0:
                kinds += parsed.kinds
                values += [value for value in parsed.values if not value.excluded]
                values += _excluded(filter(_is_excluded, parsed.values))
                rest += parsed.rest
                unnamed.append(parsed.unnamed)
                other_things.append(parsed.other_thing)
            elif parsed.values and parsed.kinds and not kinds and is_text:  # "blue but not navy cushion"
                kinds += parsed.kinds
                values += _excluded(parsed.values)
            else:
                values += [*_excluded(parsed.values), *_excluded_kinds(parsed.kinds)]
        return Understood(
            tuple(kinds), tuple(values), " ".join(rest), " ".join(filter(None, unnamed)), any(other_things)
        )

    def _parse(self, text: ReadText, names: ShopNames, known: KnownWord) -> ParsedQuestion:
        """Parse both readings; the shop's own names of kinds win, and the reading that explains more gives values."""
        if text.alignment is not None:
            return self._parse_ordered(text, names, known)
        own = parse_question(text.typed, names, self._synonyms, known)
        if normalise(text.english) == normalise(text.typed):
            own = _as_typed(own, text)
            return own if any(map(str.isascii, filter(str.isalpha, own.unnamed))) else replace(own, unnamed="")
        english = parse_question(text.english, names, self._synonyms, known)
        english = _as_typed(_with_others(english, text.others, names), text)
        own = replace(own, unnamed=english.unnamed)  # the encoder reads English
        if english.confidence > UNKNOWN_HEAD:
            own = _without_parts_of_terms(own, text)
        if lost := _untranslated(text, own):
            english = replace(english, rest=(*english.rest, *lost), coverage=english.coverage / 2)
        of_kinds = own if own.confidence >= english.confidence else english
        is_own = own.coverage > english.coverage or (own.coverage == english.coverage and text.language != JAPANESE)
        fuller = own if is_own else english
        if of_kinds.kinds and not fuller.kinds and fuller is not of_kinds:
            named = {kind.words for kind in of_kinds.kinds}
            return replace(fuller, kinds=of_kinds.kinds, rest=tuple(w for w in fuller.rest if w not in named))
        return replace(fuller, kinds=of_kinds.kinds or fuller.kinds)

    def _parse_ordered(self, text: ReadText, names: ShopNames, known: KnownWord) -> ParsedQuestion:
        """Parse the English of a text in another language; the text as typed where the shop's names explain more of it.

        A word that both languages have means what the text's own language says: a French "pot" is a jug.
        """
        english = parse_question(text.english, names, self._synonyms, known)
        if text.alignment is not None:
            typed, alignment = text.alignment.in_order()
            own = parse_question(typed, names.in_language(text.language), _no_synonyms, known)
            if own.coverage > english.coverage or (own.kinds and not english.kinds):
                return _as_typed(replace(own, unnamed=english.unnamed), replace(text, alignment=alignment))
        return _as_typed(_with_others(english, text.others, names), text)

    def _synonyms(self, text: str) -> Sequence[tuple[tuple[str, ...], float]]:
        """Return what the glossary says for one word, or for neighbouring words that are one term of it."""
        if text not in self._known_synonyms:
            concepts = self._glossary.apply(text, ENGLISH).concepts
            ways = concepts[0].alternatives[1:] if len(concepts) == 1 and concepts[0].in_glossary else ()
            if len(self._known_synonyms) >= MAX_SYNONYMS:
                self._known_synonyms.clear()
            self._known_synonyms[text] = [(way.words, way.confidence) for way in ways]
        return self._known_synonyms[text]


def _no_synonyms(text: str) -> Sequence[tuple[tuple[str, ...], float]]:
    return ()


def _with_others(parsed: ParsedQuestion, others: Mapping[str, Sequence[str]], names: ShopNames) -> ParsedQuestion:
    """Add the kinds that other translations of the words for a kind name."""

    def extended(kind: UnderstoodKind) -> UnderstoodKind:
        meanings = [names.find(key) for text in others.get(kind.words, ()) for key in name_keys(text)]
        refs = [ref for meaning in meanings if meaning is not None for ref in meaning.kinds]
        return replace(kind, refs=tuple(dict.fromkeys((*kind.refs, *refs))))

    return replace(parsed, kinds=tuple(map(extended, parsed.kinds)))


def _is_excluded(value: UnderstoodValue) -> bool:
    return value.excluded


def _excluded(values: Iterable[UnderstoodValue]) -> Iterator[UnderstoodValue]:
    """Yield values as excluded ones, with the labels that are near enough to exclude a product."""
    for value in values:
        refs = tuple(ref for ref in value.refs if ref.quality >= MIN_EXCLUDED)
        if refs:
            yield replace(value, refs=refs, excluded=True)


def _excluded_kinds(kinds: Iterable[UnderstoodKind]) -> Iterator[UnderstoodValue]:
    for kind in kinds:
        if kind.confidence >= MIN_EXCLUDED:
            refs = tuple(ValueRef(ref.field, ref.label, ref.confidence) for ref in kind.refs)
            yield UnderstoodValue(refs, kind.words, excluded=True)


def _as_typed(parsed: ParsedQuestion, text: ReadText) -> ParsedQuestion:
    """Return the parts with the words that were typed for them.

    English has no word for what the glossary lacks, so a kind whose term is part of a longer word is uncertain: 洗碗机,
    a dishwasher, is no bowl (碗).
    """

    def placed(kind: UnderstoodKind) -> UnderstoodKind:
        words = text.typed_for(kind.words)
        factor = UNKNOWN_HEAD if _is_followed(words, text) else 1.0
        return replace(kind, words=text.as_written(words), confidence=kind.confidence * factor)

    values = tuple(replace(value, words=text.as_written(text.typed_for(value.words))) for value in parsed.values)
    return replace(parsed, kinds=tuple(map(placed, parsed.kinds)), values=values)


def _without_parts_of_terms(parsed: ParsedQuestion, text: ReadText) -> ParsedQuestion:
    """Return the parts without kinds whose name is inside a longer term of the glossary: a 脚凳 is no 凳."""
    terms = text.replaced.values()
    kinds = [kind for kind in parsed.kinds if not any(kind.words in term != kind.words for term in terms)]
    return replace(parsed, kinds=tuple(kinds))


def _untranslated(text: ReadText, own: ParsedQuestion) -> tuple[str, ...]:
    """Return what neither the glossary nor the shop's names have of a text in a script without spaces."""
    typed = normalise(text.typed)
    known = [*text.replaced.values(), *(kind.words for kind in own.kinds), *(value.words for value in own.values)]
    for words in sorted(filter(None, known), key=len, reverse=True):
        typed = typed.replace(words, " ")
    runs = ("".join(c for c in run if unspaced(c) and c not in UNSPACED_ENDINGS) for run in typed.split())
    return tuple(run for run in runs if len(run) >= MIN_UNTRANSLATED)


def _is_followed(term: str, text: ReadText) -> bool:
    """Return whether a character that no known term has follows a term of a script without spaces."""
    typed = normalise(text.typed)
    end = typed.find(term) + len(term)
    if not unspaced(term) or end < len(term) or end >= len(typed) or not unspaced(typed[end]):
        return False
    known = any(typed.startswith(other, end) for other in text.replaced.values())
    return not known and typed[end] not in UNSPACED_ENDINGS
