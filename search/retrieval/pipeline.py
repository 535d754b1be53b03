"""Answer queries with pages of hits: resolve, match the text, encode, and run.

Every page comes from one state of the shop. A step that fails or is late is left out where there is an answer without
it, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TypeVar

import numpy as np

from catalog.errors import WindowshopError
from catalog.storage.catalogue import Catalogue
from indexer.types import Floats
from search.execution.deadlines import LEXICAL, Deadline, StepRunner
from search.execution.step_timing import METADATA, timed
from search.hits import SearchPage
from search.merchandising.applied import apply_rules
from search.merchandising.rule_set import Rules, no_rules, rules_of
from search.query.builder import resolve_query
from search.query.glossary import Glossary, Synonym
from search.query.pending_query import PendingQuery, QueryEncoding
from search.query.query_encoder import EncodedQuery
from search.query.terms import Query, TextTerm
from search.retrieval.collapse import QueryProduct
from search.retrieval.lexical import Lexicon
from search.retrieval.lexical_fusion import Readings, TextMatch, match_text, read_text
from search.retrieval.relevance import PreparedQuery, relevance
from search.retrieval.search_run import SearchRun
from search.retrieval.serving_state import ServingState
from search.reviews.ranking.rating_factor import RATING_PART, RATING_SHARE, no_ratings
from search.state.column_store import ProductColumns
from search.understanding.question_reader import QuestionReader
from search.words.word_lookup import WordLookup

LEXICAL_SHARE = 0.4  # share of the time that is left: the rest is for what comes after
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Words:
    """The shop's glossary with the owner's synonyms, and what reads texts with it."""

    synonyms: tuple[Synonym, ...]
    glossary: Glossary
    lexicon: Lexicon
    reader: QuestionReader

    @classmethod
    def of(cls, catalogue: Catalogue, glossary: Glossary, synonyms: tuple[Synonym, ...] = ()) -> _Words:
        extended = glossary.extended(synonyms) if synonyms else glossary
        return cls(synonyms, extended, Lexicon(catalogue, extended), QuestionReader(extended))


@dataclass(frozen=True, slots=True)
class _ReadQuery:
    """A query whose texts were read, with the shop's words at one state; without these, the catalogue's are read."""

    query: Query
    readings: Readings
    index: WordLookup | None


class SearchPipeline:
    """Answers queries; keeps no state of the shop. `rules` returns the owner's rules as they are now.

    `ratings` returns what reviews give to each product's score, float32 (n,), or None where they give nothing.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        glossary: Glossary,
        steps: StepRunner,
        rules: Callable[[], Rules] = no_rules,
        ratings: Callable[[ProductColumns], Floats | None] = no_ratings,
    ) -> None:
        self._catalogue = catalogue
        self._glossary = glossary
        self._words = _Words.of(catalogue, glossary)
        self._steps = steps
        self._rules = rules
        self._ratings = ratings

    def pages(self, state: ServingState, queries: Sequence[Query], rules: Rules | None = None) -> list[SearchPage]:
        """Return a page for each query; their pictures and texts are encoded in one batch each.

        `rules` are to be tried instead of the owner's.
        """
        started = perf_counter()
        words = self._words_with(self._rules() if rules is None else rules, tried=rules is not None)
        blocks = state.generation.layout.names
        queries = [resolve_query(query, blocks, self._catalogue.get, state.columns.currencies) for query in queries]
        for query in queries:
            state.query_encoder.check(query)
        prepared = self._prepare(state, queries, *words)
        share = (perf_counter() - started) / max(1, len(queries))
        return [SearchRun(state, query, self._catalogue, self._steps).page(share) for query in prepared]

    def _words_with(self, rules: Rules, tried: bool) -> tuple[Rules, _Words]:
        """Return the rules with their words, which are made again when the synonyms are others."""
        words = self._words
        if words.synonyms != rules.synonyms:
            words = _Words.of(self._catalogue, self._glossary, rules.synonyms)
            if not tried:
                self._words = words
        return rules, words

    def _prepare(
        self, state: ServingState, queries: Sequence[Query], rules: Rules, words: _Words
    ) -> list[PreparedQuery]:
        deadline = Deadline.within(queries[0].timeout_ms) if len(queries) == 1 else None  # no shopper waits for a batch
        until = None if deadline is None else deadline.fraction(LEXICAL_SHARE)
        read = [self._read_text(state, words.lexicon, query, until) for query in queries]
        encoding = self._begin_encoding(state, queries, words.glossary, read, deadline)
        try:
            matched = [self._match_text(state, words.lexicon, text, until) for text in read]
            encoding.can_fail = len(queries) == 1 and matched[0][0] is not None
            return [
                self._prepared(state, PendingQuery(encoding, place), rules, words.reader, text, missing)
                for place, (text, missing) in enumerate(matched)
            ]
        except BaseException:  # nobody waits for the vectors any more
            encoding.drop()
            raise

    def _prepared(
        self,
        state: ServingState,
        pending: PendingQuery,
        rules: Rules,
        reader: QuestionReader,
        text: TextMatch | None,
        missing: tuple[str, ...],
    ) -> PreparedQuery:
        ruled = apply_rules(rules_of(rules, pending.query), state.columns)
        pinned = ruled.pinned(state.columns) if ruled.pins else None
        wanted = relevance(state, self._catalogue, reader, pending, text, pinned)
        parts, share = ruled.score_part
        rated = self._ratings(state.columns) if text is not None else None
        if rated is not None:
            parts, share = {**parts, RATING_PART: rated}, share + RATING_SHARE
        if parts:
            wanted = wanted.with_parts(state.columns.keys, parts, share)
        encoded, deadline = pending.encoded(), pending.encoding.deadline
        products = self._query_products(state, encoded)
        encoded = _without_variants(encoded, state.columns)
        return PreparedQuery(encoded, products, text, wanted, (*missing, *pending.encoding.degraded), deadline, ruled)

    def _read_text(
        self, state: ServingState, lexicon: Lexicon, query: Query, until: Deadline | None
    ) -> _ReadQuery | None:
        """Read the text of a query; return None when that is late."""
        if not any(isinstance(term, TextTerm) for term in query.terms):
            return _ReadQuery(query, {}, None)

        def read() -> _ReadQuery:
            index = None if state.words is None else state.words.at(state.columns, self._catalogue)
            return _ReadQuery(query, read_text(lexicon, query, state.query_encoder.knows_word, index), index)

        return self._lexical_step(until, read)

    def _begin_encoding(
        self,
        state: ServingState,
        queries: Sequence[Query],
        glossary: Glossary,
        read: Sequence[_ReadQuery | None],
        deadline: Deadline | None,
    ) -> QueryEncoding:
        """Begin to encode queries; a single one on other threads, while its words are looked up."""
        analyses = {typed: analysis for own in read if own for typed, analysis in own.readings.items()}

        def encoder_text(typed: str) -> str:
            return (analyses.get(typed) or glossary.apply(typed)).encoder_words

        def stored_row(product_id: str) -> tuple[int, Floats]:
            key = self._catalogue.key_of(product_id)
            return key, state.stored_row(product_id, key)

        return QueryEncoding.begin(
            state.query_encoder, queries, encoder_text, stored_row, self._catalogue.key_of, (self._steps, deadline)
        )

    def _match_text(
        self, state: ServingState, lexicon: Lexicon, read: _ReadQuery | None, until: Deadline | None
    ) -> tuple[TextMatch | None, tuple[str, ...]]:
        """Match the text of a query with the products' texts; also return the name of the step when it is late."""
        if read is None:
            return None, (LEXICAL,)
        if not read.readings:
            return None, ()
        knows = state.query_encoder.knows_word
        found = self._lexical_step(until, lambda: match_text(lexicon, read.query, knows, read.index, read.readings))
        return found, () if found is not None else (LEXICAL,)

    def _lexical_step(self, until: Deadline | None, work: Callable[[], T]) -> T | None:
        """Do a part of the lexical step; return None when it is late, or fails under a deadline."""
        step = self._steps.begin(LEXICAL, until, work)
        try:
            return step.result()
        except WindowshopError:
            if until is None:
                raise
            return None

    def _query_products(self, state: ServingState, encoded: EncodedQuery) -> tuple[QueryProduct, ...]:
        """Return the products that the query names: neither they nor other listings of them may be hits."""
        if not encoded.query.collapse or not encoded.excluded:
            return ()
        with timed(METADATA):
            products = self._catalogue.get_many(encoded.excluded)
        known = ((product, state.snapshot.rows_of(key)) for key, product in products.items())
        return tuple(
            QueryProduct(product, rows.hashes[0], np.asarray(rows.vectors[0], np.float32))
            for product, rows in known
            if len(rows.vectors)
        )


def _without_variants(encoded: EncodedQuery, columns: ProductColumns) -> EncodedQuery:
    """Exclude the variants of the products that a query names, where variants are one hit."""
    groups = columns.item_groups(encoded.query.group_variants)
    if groups.first is None or not encoded.excluded:
        return encoded
    named = columns.mask_of(np.array(encoded.excluded, np.int64))
    variants = columns.keys[groups.with_variants(named)].tolist()
    return replace(encoded, excluded=tuple(dict.fromkeys((*encoded.excluded, *variants))))
