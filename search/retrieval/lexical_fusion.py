"""Match the text of a query with the products' own texts, and fuse the scores of its terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial, reduce

import numpy as np

from catalog.text.glossary import ENGLISH
from indexer.columns.product_table import ShopTable, sorted_places
from indexer.types import Floats, Ids
from search.language.english import FUNCTION_WORDS
from search.query.compounds import KnowsWord, cannot_tell
from search.query.terms import LEXICAL, Query, TextTerm
from search.retrieval.lexical import DEFAULT_SHARE, LexicalHits, Lexicon
from search.retrieval.text_reading import TextAnalysis
from search.words.word_lookup import WordLookup

MIN_HELD = 0.75  # score from which a product holds a text: all of its words, some perhaps in the description
MIN_EXACT_SHARE = 0.5  # share of text in a query's weight from which a number or name in it is an exact match

Readings = Mapping[str, TextAnalysis]  # of text terms, by their words


def cannot_tell_words(word: str) -> bool:
    """Answer as a shop whose words are not known: any word may be one of its own."""
    return True


@dataclass(frozen=True, slots=True)
class TextMatch:
    """The matched text of one query: the analysis of each term's words, and the scores of the products found.

    It is not `understood` when neither the shop nor the glossary nor the encoder knows any of the wanted words.
    """

    readings: Readings
    scores: TextScores | None
    understood: bool = True
    wanted: tuple[LexicalHits, ...] = ()
    unwanted: tuple[LexicalHits, ...] = ()
    knows: Callable[[str], bool] = cannot_tell_words

    @property
    def corrections(self) -> Mapping[str, str]:
        """The words with typing mistakes, and what is searched for instead."""
        return {fix.word: fix.used for analysis in self.readings.values() for fix in analysis.corrections}

    @property
    def notes(self) -> tuple[str, ...]:
        """The corrections and translations, in sentences for shoppers."""
        notes = []
        for analysis in self.readings.values():
            notes += [f"{correction.word!r} was read as {correction.used!r}" for correction in analysis.corrections]
            notes += [
                f"{term.term} was read as {term.by[0]!r}"
                for term in analysis.rewritten.replaced
                if term.by and term.by[0] not in FUNCTION_WORDS
            ]
        return tuple(dict.fromkeys(notes))


def read_text(
    lexicon: Lexicon, query: Query, knows: KnowsWord = cannot_tell, index: WordLookup | None = None
) -> Readings:
    """Analyse the text terms of a query, by their words; there are none where the query has no text.

    `knows` tells which words the encoder has. `index` has the shop's words at one state; without it the catalogue's own
    word index is read.
    """
    terms = _text_terms(query)
    # A part may not show the language of the whole: "pot" of "pot sans couvercle".
    typed = query.typed if terms else ""
    whole = lexicon.language_of(typed, " ".join(term.words for term in terms), index) if typed else ENGLISH
    language = None if whole == ENGLISH else whole
    return {term.words: lexicon.read(term.words, knows, language, index) for term in terms}


def match_text(
    lexicon: Lexicon,
    query: Query,
    knows: KnowsWord = cannot_tell,
    index: WordLookup | None = None,
    readings: Readings | None = None,
) -> TextMatch | None:
    """Look the text of a query up, which `read_text` has read or is to read; None when the query has no text."""
    terms = _text_terms(query)
    if not terms:
        return None
    readings = read_text(lexicon, query, knows, index) if readings is None else readings
    hits = [(term, lexicon.search(readings[term.words], words=index)) for term in terms]
    excludes = any(term.weight < 0 for term in terms)
    wanted = [hit.keys for term, hit in hits if term.weight > 0 and excludes]
    preferred = np.concatenate([np.zeros(0, np.int64), *wanted])
    denied = {
        term.words: lexicon.denied_by(readings[term.words], hit, preferred, index)
        for term, hit in hits
        if term.weight < 0
    }
    return TextMatch(
        readings,
        _fuse(query, hits, denied),
        _is_understood(query, readings, hits, knows),
        tuple(hit for term, hit in hits if term.weight > 0),
        tuple(hit for term, hit in hits if term.weight < 0),
        partial(lexicon.has_word, words=index),
    )


def _text_terms(query: Query) -> list[TextTerm]:
    return [term for term in query.terms if isinstance(term, TextTerm) and term.weight]


def _is_understood(
    query: Query,
    readings: Readings,
    term_hits: Sequence[tuple[TextTerm, LexicalHits]],
    knows: KnowsWord,
) -> bool:
    """Return whether something that the query wants has a meaning: a picture, a product, a word that anyone knows."""
    if any(term.weight > 0 and not isinstance(term, TextTerm) for term in query.terms):
        return True
    wanted = [(term, hits) for term, hits in term_hits if term.weight > 0]
    if not wanted:
        return True
    return any(hits.any or readings[term.words].is_readable(knows) for term, hits in wanted)


def _fuse(
    query: Query, term_hits: Sequence[tuple[TextTerm, LexicalHits]], denied: Mapping[str, Ids]
) -> TextScores | None:
    """Add the scores of all text terms by their weights, which are below 0 for what is not wanted.

    A product whose texts say that it is without what is not wanted holds the words, and is the very thing: `denied` are
    the keys of those products by the words of the term.
    """
    share = (query.blocks or {}).get(LEXICAL, DEFAULT_SHARE)
    if not share:
        return None
    total = sum(abs(term.weight) for term, _ in term_hits)
    whole = sum(abs(term.weight) for term in query.terms)
    keys = _all_keys(term_hits, denied)
    scores: Floats = np.zeros(0, np.float32)  # before the first term
    exact: list[Ids] = [np.zeros(0, np.int64)]
    for term, hits in term_hits:
        weight = np.float32(term.weight / total)
        if hits.all_keys is keys:
            own = hits.all_scores if weight == 1 and not denied else weight * hits.all_scores
            scores = scores + own if len(scores) else own
        else:
            scores = scores if len(scores) else np.zeros(len(keys), np.float32)
            scores[np.searchsorted(keys, hits.all_keys)] += weight * hits.all_scores
        if term.words in denied and term.weight < 0:
            lacking = denied[term.words]
            scores[np.searchsorted(keys, lacking)] -= weight * (1 + hits.scores_of(lacking))
        if term.weight > 0 and total >= MIN_EXACT_SHARE * whole:
            exact.append(hits.exact_keys[: hits.limit])
    if denied and total >= MIN_EXACT_SHARE * whole:
        exact.append(_complete_matches(term_hits, denied))
    share *= total / whole
    return TextScores(keys, {LEXICAL: np.float32(share) * scores}, share, np.concatenate(exact))


def _all_keys(term_hits: Sequence[tuple[TextTerm, LexicalHits]], denied: Mapping[str, Ids]) -> Ids:
    """Return the sorted keys of all products that have a score, or of all products where all hits have these."""
    every = [hits.all_keys for _, hits in term_hits]
    if all(keys is every[0] for keys in every) and all(
        (sorted_places(every[0], keys) >= 0).all() for keys in denied.values()
    ):
        return every[0]
    return np.unique(np.concatenate([*every, *denied.values()]))


def _complete_matches(term_hits: Sequence[tuple[TextTerm, LexicalHits]], denied: Mapping[str, Ids]) -> Ids:
    """Return the keys of products that hold all that is wanted, and say that they are without all that is not."""
    keys = reduce(np.intersect1d, denied.values())
    for term, hits in term_hits:
        if term.weight > 0:
            keys = keys[hits.scores_of(keys) >= MIN_HELD]
    return keys


@dataclass(frozen=True, eq=False)
class TextScores:
    """Score components other than vector similarity, per product; a product's parts add up to at most `share`."""

    keys: Ids  # sorted
    parts: Mapping[str, Floats]  # float32 (n,) each
    share: float  # the vector score counts 1 - share
    exact: Ids  # keys of products whose number or name is in the text, or whose texts say "without" as it does
    places: Ids | None = None  # ordinals of the keys, where they are some of a shop's

    @cached_property
    def scores(self) -> Floats:
        """The sum of all parts, float32 (n,); not to be written to."""
        parts = list(self.parts.values())
        if not parts:
            return np.zeros(len(self.keys), np.float32)
        total = parts[0] if len(parts) == 1 else parts[0] + parts[1]
        for part in parts[2:]:
            total += part
        return total

    def parts_of(self, keys: Ids) -> dict[str, Floats]:
        """Return the parts of these keys, 0 for other products."""
        if keys is self.keys:
            return dict(self.parts)
        places = sorted_places(self.keys, keys)
        if len(places) and places.min() >= 0:
            return {name: part[places] for name, part in self.parts.items()}
        return {name: np.append(part, np.float32(0.0))[places] for name, part in self.parts.items()}

    def ordinals_at(self, at: Ids, table: ShopTable) -> Ids:
        """Return the ordinals of the products at some of these places, without those that a shop's table lacks."""
        if self.places is not None:
            return self.places.take(at)
        if self.keys is table.keys:
            return at
        ordinals = table.ordinals(self.keys[at])
        return ordinals[ordinals >= 0]

    @classmethod
    def of_part(cls, name: str, keys: Ids, places: Ids, share: float) -> TextScores:
        """Return scores of one part, which is `share` for the products at these rising places among all `keys`."""
        return cls(
            keys.take(places),
            {name: np.full(len(places), share, np.float32)},
            share,
            np.zeros(0, np.int64),
            places,
        )

    @classmethod
    def nothing(cls) -> TextScores:
        """Return scores without parts, of no product."""
        none = np.zeros(0, np.int64)
        return cls(none, {}, 0.0, none)

    def aligned(self, keys: Ids, places: Ids | None) -> TextScores:
        """Return the scores of all `keys` of a shop, or of those at some rising places."""
        if places is None:
            return self if keys is self.keys else replace(self, keys=keys, parts=self.parts_of(keys), places=None)
        if keys is self.keys:
            parts = {name: part.take(places) for name, part in self.parts.items()}
        else:
            parts = self.parts_of(keys[places])
        return replace(self, keys=keys.take(places), parts=parts, places=places)

    def plus(self, parts: Mapping[str, Floats], share: float) -> TextScores:
        """Add parts that give at most `share` together, float32 (n,) for these keys; the earlier parts count less."""
        own = {name: np.float32(1 - share) * part for name, part in self.parts.items()}
        return replace(self, parts={**own, **parts}, share=share + (1 - share) * self.share)

    def with_parts(self, keys: Ids, parts: Mapping[str, Floats], share: float) -> TextScores:
        """Add parts as `plus` does, float32 (n,) for all `keys` of the shop."""
        if self.places is not None:
            return self.plus({name: part[self.places] for name, part in parts.items()}, share)
        return self.aligned(keys, None).plus(parts, share)
