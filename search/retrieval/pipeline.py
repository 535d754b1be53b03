"""Answer queries with pages of hits: resolve, match the text, encode, and run.

Every page comes from one state of the shop. A step that fails or is late is left out where there is an answer without
it, and the page says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from catalog.errors import BadInput, WindowshopError
from catalog.storage.catalogue import Catalogue
from indexer.types import Floats
from search.execution.deadlines import ENCODER, LEXICAL, VECTOR, Deadline, StepRunner
from search.execution.step_timing import METADATA, timed
from search.hits import SearchPage
from search.query.builder import resolve_query
from search.query.glossary import Glossary
from search.query.query_encoder import EncodedQuery
from search.query.terms import ProductTerm, Query, TextTerm
from search.retrieval.collapse import QueryProduct
from search.retrieval.lexical import Lexicon
from search.retrieval.lexical_fusion import TextMatch, match_text
from search.retrieval.relevance import relevance
from search.retrieval.search_run import PreparedQuery, SearchRun
from search.retrieval.serving_state import ServingState
from search.understanding.question_reader import QuestionReader

LEXICAL_SHARE = 0.4  # share of the time that is left: the encoder needs the rest


class SearchPipeline:
    """Answers queries; keeps no state of the shop."""

    def __init__(self, catalogue: Catalogue, glossary: Glossary, steps: StepRunner) -> None:
        self._catalogue = catalogue
        self._glossary = glossary
        self._lexicon = Lexicon(catalogue, glossary)
        self._reader = QuestionReader(glossary)
        self._steps = steps

    def pages(self, state: ServingState, queries: Sequence[Query]) -> list[SearchPage]:
        """Return a page for each query; their pictures and texts are encoded in one batch each."""
        started = perf_counter()
        blocks = state.generation.layout.names
        queries = [resolve_query(query, blocks, self._catalogue.get, state.columns.currencies) for query in queries]
        for query in queries:
            state.query_encoder.check(query)
        prepared = self._prepare(state, queries)
        share = (perf_counter() - started) / max(1, len(queries))
        return [SearchRun(state, query, self._catalogue, self._steps).page(share) for query in prepared]

    def _prepare(self, state: ServingState, queries: Sequence[Query]) -> list[PreparedQuery]:
        single = queries[0] if len(queries) == 1 else None  # no shopper waits for a batch
        deadline = Deadline.within(single.timeout_ms) if single else None
        matched = [self._match_text(state, query, deadline) for query in queries]
        analyses = {words: analysis for text, _ in matched if text for words, analysis in text.readings.items()}

        def encoder_text(words: str) -> str:
            return (analyses.get(words) or self._glossary.apply(words)).encoder_words

        def stored_row(product_id: str) -> tuple[int, Floats]:
            key = self._catalogue.key_of(product_id)
            return key, state.stored_row(product_id, key)

        degraded: tuple[str, ...] = ()
        try:
            encoded = self._steps.run(
                ENCODER, deadline, lambda: state.query_encoder.encode(queries, stored_row, encoder_text)
            )
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
            wanted = relevance(state, self._catalogue, self._reader, query, text)
            products = self._query_products(state, query)
            prepared.append(PreparedQuery(query, products, text, wanted, (*missing, *degraded), deadline))
        return prepared

    def _match_text(
        self, state: ServingState, query: Query, deadline: Deadline | None
    ) -> tuple[TextMatch | None, tuple[str, ...]]:
        """Match the text of a query with the products' texts; also return the name of the step when it is late."""
        if not any(isinstance(term, TextTerm) for term in query.terms):
            return None, ()
        until = None if deadline is None else deadline.fraction(LEXICAL_SHARE)
        step = self._steps.begin(
            LEXICAL, until, lambda: match_text(self._lexicon, query, state.query_encoder.knows_word)
        )
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
