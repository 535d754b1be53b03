"""Parse a question with a shop's names: the longest names win, and the head of a phrase is the kind that is wanted.

In "table lamp for the kitchen table" the lamp is wanted: of the names in a phrase the last one is its head, and what
follows a preposition describes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from catalog.text.tokenizer import normalise
from search.query.negation import DENYING
from search.understanding.question_words import (
    COMMAS,
    CONJUNCTIONS,
    PREPOSITIONS,
    SEEKING,
    THING_FOLLOWS,
    UNSPACED_ENDINGS,
    Word,
    joined_words,
    question_words,
)
from search.understanding.shop_names import Meaning, ShopNames
from search.understanding.understood import KindRef, UnderstoodKind, UnderstoodValue, ValueRef
from search.understanding.world_kinds import heads_of_kinds

MAX_WORDS = 32  # words of a question that are parsed
MAX_SYNONYM_WORDS = 3
UNKNOWN_HEAD = 0.5  # factor for a kind that a word follows which the shop does not have: "mug tree"
OF_THING = 0.9  # factor for a kind after "of" or "like": "a set of mugs"
DESCRIBING = 0.3  # factor for a kind after another preposition: "hooks for mugs"

Synonyms = Callable[[str], Sequence[tuple[tuple[str, ...], float]]]  # of a word: other words, each with a confidence
KnownWord = Callable[[str], bool]  # whether a product or the glossary has a word


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring words with a meaning in the shop, at the confidence of the synonym that gave it."""

    first: int
    last: int  # exclusive
    meaning: Meaning
    confidence: float = 1.0

    @property
    def is_kind(self) -> bool:
        """Whether the words name a kind."""
        return bool(self.meaning.kinds)


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """The kinds and values of a question, the words that none of them is, and the share of words understood.

    `unnamed` is the question without the words of its values, for a comparison of meaning.
    """

    kinds: tuple[UnderstoodKind, ...] = ()
    values: tuple[UnderstoodValue, ...] = ()
    rest: tuple[str, ...] = ()
    coverage: float = 0.0
    unnamed: str = ""

    @property
    def other_thing(self) -> bool:
        """Whether a word behind the named kind makes another thing of it."""
        return DESCRIBING < self.confidence <= UNKNOWN_HEAD

    @property
    def confidence(self) -> float:
        """The confidence of its most certain kind; 0 without kinds."""
        return max((kind.confidence for kind in self.kinds), default=0.0)


@dataclass(slots=True)
class _Phrase:
    """The words between two commas or prepositions, and the preposition before them."""

    before: str
    words: list[int] = field(default_factory=list)


def parse_question(text: str, names: ShopNames, synonyms: Synonyms, known: KnownWord) -> ParsedQuestion:
    """Return what a text, as typed, asks for in the names of a shop."""
    normalised = normalise(text)
    words = question_words(normalised)[:MAX_WORDS]
    spans = list(_spans(words, names, synonyms))
    heads = _heads(words, spans, names, known)
    kinds = tuple(
        UnderstoodKind(refs, _typed(normalised, words, span), confidence)
        for span, confidence in heads
        if (refs := _with_confidence(span.meaning.kinds, span.confidence))
    )
    chosen = {span.first for span, _ in heads}
    values = tuple(
        UnderstoodValue(_with_quality(span), _typed(normalised, words, span), excluded=_is_denied(words, span))
        for span in spans
        if span.first not in chosen and span.meaning.values
    )
    explained = {
        place for span in spans if span.first in chosen or span.meaning.values for place in range(span.first, span.last)
    }
    content = [place for place, word in enumerate(words) if not _says_nothing(word)]
    rest = tuple(words[place].text for place in content if place not in explained)
    coverage = 1 - len(rest) / len(content) if content else 0.0
    of_values = {place for span in spans if span.meaning.values for place in range(span.first, span.last)}
    unnamed = _without(normalised, [words[place] for place in sorted(of_values)]) if rest else ""
    return ParsedQuestion(kinds, values, rest, coverage, unnamed)


def _is_denied(words: Sequence[Word], span: Span) -> bool:
    """Return whether a name follows a word such as "no": "no stripes mug"."""
    return span.first > 0 and words[span.first - 1].text in DENYING


def _without(text: str, words: Sequence[Word]) -> str:
    for word in reversed(words):
        text = text[: word.start] + text[word.end :]
    return " ".join(text.split()).strip(" ,;")


def _says_nothing(word: Word) -> bool:
    return word.empty or word.text in PREPOSITIONS or word.text in CONJUNCTIONS


def _spans(words: Sequence[Word], names: ShopNames, synonyms: Synonyms) -> Iterator[Span]:
    at = 0
    while at < len(words):
        span = _longest(words, at, names) or _synonym(words, at, names, synonyms)
        if span is None:
            at += 1
        else:
            yield span
            at = span.last


def _longest(words: Sequence[Word], at: int, names: ShopNames) -> Span | None:
    for size in range(min(names.longest, len(words) - at), 0, -1):
        part = words[at : at + size]
        if any(word.after_comma for word in part[1:]) or (size == 1 and _says_nothing(part[0])):
            continue
        meaning = names.find(tuple(word.text for word in part))
        if meaning is None and (joined := joined_words(part)):
            meaning = names.find((joined,))
        if meaning is not None:
            return Span(at, at + size, meaning)
    return None


def _synonym(words: Sequence[Word], at: int, names: ShopNames, synonyms: Synonyms) -> Span | None:
    for size in range(min(MAX_SYNONYM_WORDS, len(words) - at), 0, -1):
        part = words[at : at + size]
        if any(word.unspaced or word.number or _says_nothing(word) for word in part):
            continue
        if any(word.after_comma for word in part[1:]):
            continue
        for other, confidence in synonyms(" ".join(word.text for word in part)):
            meaning = names.find(other)
            if meaning is not None:
                return Span(at, at + size, meaning, confidence)
    return None


def _heads(
    words: Sequence[Word], spans: Sequence[Span], names: ShopNames, known: KnownWord
) -> list[tuple[Span, float]]:
    """Return the spans that name the wanted kinds, each with a confidence."""
    within = {place: span for span in spans for place in range(span.first, span.last)}
    found: list[tuple[Span, float]] = []
    waiting = True  # for a phrase that says what is wanted
    for phrase in _phrases(words, within):
        content = [place for place in phrase.words if not _says_nothing(words[place])]
        if not content:
            continue
        heads = [
            (head, confidence)
            for part in _joined_parts(words, within, phrase.words)
            for head, confidence in _head(words, within, part, known)
        ]
        explained = all(place in within for place in content)
        is_listed = heads and explained and not phrase.before and not any(head.meaning.values for head, _ in heads)
        if found and not is_listed:  # "mug, bowl": a list goes on while its parts are nothing but kinds and values
            break
        described = explained and all(within[place].meaning.values for place in content)
        factor = 1.0 if waiting and not phrase.before else OF_THING if phrase.before in THING_FOLLOWS else DESCRIBING
        found += [(_refined(head, phrase, words, names), confidence * factor) for head, confidence in heads]
        if found and not explained:
            break
        waiting = bool(found) or (waiting and described)  # "red, striped mug": nothing yet names a thing
    return found


def _refined(head: Span, phrase: _Phrase, words: Sequence[Word], names: ShopNames) -> Span:
    """Return the head with the kinds that another word of its phrase makes of it: "formal leather shoes"."""
    own = tuple(word.text for word in words[head.first : head.last])
    for place in phrase.words:
        if place < head.first and (meaning := names.find((words[place].text, *own))) is not None and meaning.kinds:
            return replace(head, meaning=meaning)
    return head


def _phrases(words: Sequence[Word], within: dict[int, Span]) -> Iterator[_Phrase]:
    phrase = _Phrase("")
    for place, word in enumerate(words):
        inside = place in within and within[place].first < place
        if word.text in PREPOSITIONS and place not in within:
            yield phrase
            seeks = place > 0 and words[place - 1].text in SEEKING
            phrase = _Phrase("" if seeks else word.text)
            continue
        if word.after_comma and not inside:
            yield phrase
            phrase = _Phrase("")
        phrase.words.append(place)
    yield phrase


def _joined_parts(words: Sequence[Word], within: dict[int, Span], places: Sequence[int]) -> list[list[int]]:
    """Split a phrase at conjunctions where both sides name a kind; "blue and white bowl" is one bowl."""
    parts: list[list[int]] = [[]]
    for place in places:
        if words[place].text in CONJUNCTIONS and place not in within:
            parts.append([])
        else:
            parts[-1].append(place)
    named = [any(p in within and within[p].is_kind for p in part) for part in parts]
    return [part for part, has_kind in zip(parts, named, strict=True) if has_kind] or [list(places)]


def _head(
    words: Sequence[Word], within: dict[int, Span], places: Sequence[int], known: KnownWord
) -> list[tuple[Span, float]]:
    """Return the head of one noun phrase: its last kind, before a last word that may be a material as well."""
    kinds = list({id(within[p]): within[p] for p in places if p in within and within[p].is_kind}.values())
    if not kinds:
        return []
    head = kinds[-1]
    pure = [span for span in kinds if not span.meaning.values]
    if head.meaning.values and pure and not head.meaning.kinds[0].confidence > pure[-1].meaning.kinds[0].confidence:
        head = pure[-1]
    after = [words[p] for p in places if p >= head.last and p not in within and not _says_nothing(words[p])]
    unknown = any(_names_another_thing(word, known) for word in after)
    follows = words[head.last] if head.last < len(words) and head.last not in within else None
    if follows is not None and words[head.last - 1].unspaced and follows.unspaced:
        unknown |= follows.start == words[head.last - 1].end and follows.text not in UNSPACED_ENDINGS
    best = max(ref.confidence for ref in head.meaning.kinds) * head.confidence
    return [(head, best * (UNKNOWN_HEAD if unknown else 1.0))]


def _names_another_thing(word: Word, known: KnownWord) -> bool:
    """Return whether a word behind a kind makes another thing of it: a mug tree, a watch strap; "mug dune" is a mug."""
    if word.number or word.unspaced:
        return False
    return not known(word.text) or word.text in heads_of_kinds()


def _with_confidence(refs: Sequence[KindRef], confidence: float) -> tuple[KindRef, ...]:
    return tuple(KindRef(ref.field, ref.label, ref.confidence * confidence) for ref in refs)


def _with_quality(span: Span) -> tuple[ValueRef, ...]:
    return tuple(ValueRef(ref.field, ref.label, ref.quality * span.confidence) for ref in span.meaning.values)


def _typed(normalised: str, words: Sequence[Word], span: Span) -> str:
    return normalised[words[span.first].start : words[span.last - 1].end].strip("".join(COMMAS))
