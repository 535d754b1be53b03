"""Answer queries with pages of hits: resolve, match the text, encode, and run.

Every page comes from one state of the shop. A step that fails or is late is left out where there is an answer without
it, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from catalog.errors import BadInput, WindowshopError
from catalog.storage.catalogue import Catalogue
from indexer.types import Floats
from search.execution.deadlines import ENCODER, LEXICAL, VECTOR, Deadline, StepRunner, as_step
from search.execution.step_timing import ENCODE, METADATA, timed
from search.hits import SearchPage
from search.merchandising.applied import apply_rules
from search.merchandising.rule_set import Rules, no_rules, rules_of
from search.query.builder import resolve_query
from search.query.glossary import Glossary, Synonym
from search.query.query_encoder import EncodedQuery
from search.query.terms import ProductTerm, Query, TextTerm
from search.retrieval.collapse import QueryProduct
from search.retrieval.lexical import Lexicon
from search.retrieval.lexical_fusion import TextMatch, TextScores, match_text
from search.retrieval.relevance import PreparedQuery, relevance
from search.retrieval.search_run import SearchRun
from search.retrieval.serving_state import ServingState
from search.reviews.ranking.rating_factor import RATING_PART, RATING_SHARE, no_ratings
from search.state.column_store import ProductColumns
from search.understanding.question_reader import QuestionReader

LEXICAL_SHARE = 0.4  # share of the time that is left: the encoder needs the rest


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
        single = queries[0] if len(queries) == 1 else None  # no shopper waits for a batch
        deadline = Deadline.within(single.timeout_ms) if single else None
        matched = [self._match_text(state, words.lexicon, query, deadline) for query in queries]
        analyses = {typed: analysis for text, _ in matched if text for typed, analysis in text.readings.items()}

        def encoder_text(typed: str) -> str:
            return (analyses.get(typed) or words.glossary.apply(typed)).encoder_words

        def stored_row(product_id: str) -> tuple[int, Floats]:
            key = self._catalogue.key_of(product_id)
            return key, state.stored_row(product_id, key)

        degraded: tuple[str, ...] = ()
        try:
            with timed(ENCODE), as_step(ENCODER, deadline):
                batches = (self._steps, deadline) if deadline else None
                encoded = state.query_encoder.encode(queries, stored_row, encoder_text, batches)
        except BadInput:
            raise
        except WindowshopError:
            if single is None or matched[0][0] is None:
                raise
            named = [term.product_id for term in single.terms if isinstance(term, ProductTerm)]
            encoded = [EncodedQuery(single, None, tuple(map(self._catalogue.key_of, named)))]
            degraded = (VECTOR,)
        prepared = []
        for query, (text, missing) in zip(encoded, matched, strict=True):
            ruled = apply_rules(rules_of(rules, query.query), state.columns)
            pinned = ruled.pinned(state.columns) if ruled.pins else None
            wanted = relevance(state, self._catalogue, words.reader, query, text, pinned)
            products = self._query_products(state, query)
            query = _without_variants(query, state.columns)
            parts, share = ruled.score_part
            rated = self._ratings(state.columns) if text is not None else None
            if rated is not None:
                parts, share = {**parts, RATING_PART: rated}, share + RATING_SHARE
            if parts:
                scores = (wanted.scores or TextScores.nothing()).with_parts(state.columns.keys, parts, share)
                wanted = replace(wanted, scores=scores)
            prepared.append(PreparedQuery(query, products, text, wanted, (*missing, *degraded), deadline, ruled))
        return prepared

    def _match_text(
        self, state: ServingState, lexicon: Lexicon, query: Query, deadline: Deadline | None
    ) -> tuple[TextMatch | None, tuple[str, ...]]:
        """Match the text of a query with the products' texts; also return the name of the step when it is late."""
        if not any(isinstance(term, TextTerm) for term in query.terms):
            return None, ()
        until = None if deadline is None else deadline.fraction(LEXICAL_SHARE)

        def match() -> TextMatch | None:
            index = None if state.words is None else state.words.at(state.columns, self._catalogue)
            return match_text(lexicon, query, state.query_encoder.knows_word, index)

        step = self._steps.begin(LEXICAL, until, match)
        try:
            return step.result(), ()
        except WindowshopError:
            if deadline is None:
                raise
            return None, (LEXICAL,)

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
