"""From questions to pages of hits: encode, search, add what the words say, group, narrow, cut.

Every page comes from one state of the shop. A step that fails or is late is left out where there is an answer without
it, and the page says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from catalog.errors import BadInput, WindowshopError
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.types import Floats
from search.execution.deadlines import ENCODER, LEXICAL, VECTOR, Deadline, PendingStep, StepRunner
from search.execution.step_timing import METADATA, timed
from search.hits import Facet, SearchHit, SearchPage
from search.query.builder import resolve_query
from search.query.filters import Filter
from search.query.glossary import Glossary
from search.query.query_encoder import EncodedQuery
from search.query.terms import RELEVANCE, PictureTerm, ProductTerm, Query, TextTerm
from search.retrieval.candidates import (
    Ranked,
    SearchScope,
    TextScores,
    build_hits,
    candidates,
    count_with_ties,
    page_slice,
    retrieve,
)
from search.retrieval.category_boost import boost_category
from search.retrieval.collapse import Group, QueryProduct, groups_of
from search.retrieval.lexical import Lexicon
from search.retrieval.lexical_fusion import TextMatch, match_text
from search.retrieval.result_set import FilteredResults, browsing, depth_of
from search.retrieval.serving_state import ServingState
from search.state.label_columns import Ints

SPARE_ROWS = 16  # fetched beyond what should suffice, so that one fetch nearly always does
GROWTH = 4
MAX_TIE_ROWS = 4096  # rows beyond which a tie at the end of the page is no longer followed to its end
LEXICAL_SHARE = 0.4  # of the time that is left: the encoder wants the rest

JUDGED = 2  # hits that a verdict is made from


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of a page, the best of all whatever the page is sorted by, and what was counted."""

    hits: tuple[SearchHit, ...]
    best: tuple[SearchHit, ...]
    total: int | None = None
    facets: tuple[Facet, ...] = ()


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """One query on its way to a page: as encoded, the products it names, what its words found, what is missing, and
    until when."""

    asked: EncodedQuery
    named: tuple[QueryProduct, ...]
    words: TextMatch | None
    beside: TextScores | None
    degraded: tuple[str, ...]
    deadline: Deadline | None

    @property
    def grouping(self) -> tuple[QueryProduct, ...] | None:
        """The products whose other listings are no hits; None where every listing is a hit of its own."""
        return self.named if self.query.collapse else None

    @property
    def query(self) -> Query:
        """The query, its pictures as vectors."""
        return self.asked.query

    def without_vector(self) -> PreparedQuery:
        """The same, answered by its words alone."""
        return replace(self, asked=replace(self.asked, vector=None), degraded=(*self.degraded, VECTOR))


class SearchPipeline:
    """Answers queries from states of the shop; keeps nothing of them."""

    def __init__(self, catalogue: Catalogue, glossary: Glossary, steps: StepRunner) -> None:
        self._catalogue = catalogue
        self._glossary = glossary
        self._lexicon = Lexicon(catalogue, glossary)
        self._steps = steps

    def pages(self, served: ServingState, queries: Sequence[Query]) -> list[SearchPage]:
        """A page for each query; pictures and words are encoded in one batch each."""
        started = perf_counter()
        blocks = served.generation.layout.names
        queries = [resolve_query(query, blocks, self._catalogue.get) for query in queries]
        for query in queries:
            served.questions.check(query)
        questions = self._questions(served, queries)
        share = (perf_counter() - started) / max(1, len(queries))
        return [self._page(served, question, share) for question in questions]

    def _questions(self, served: ServingState, queries: Sequence[Query]) -> list[PreparedQuery]:
        alone = queries[0] if len(queries) == 1 else None  # a batch has no shopper who waits
        deadline = Deadline.within(alone.timeout_ms) if alone else None
        read = [self._read(query, deadline) for query in queries]
        words = [each for each, _ in read]
        readings = {said: reading for each in words if each for said, reading in each.readings.items()}

        def reading(said: str) -> str:
            return readings[said].encoder_words if said in readings else self._glossary.apply(said).encoder_words

        degraded: tuple[str, ...] = ()
        try:
            asked = self._steps.run(
                ENCODER,
                deadline,
                lambda: served.questions.encode(queries, lambda sku: self._stored(served, sku), reading),
            )
        except BadInput:
            raise
        except WindowshopError:
            if alone is None or words[0] is None:
                raise
            asked, degraded = [self._worded_only(alone)], (VECTOR,)
        return [
            PreparedQuery(
                each,
                self._named(served, each),
                found,
                self._beside(served, each, found),
                (*missing, *degraded),
                deadline,
            )
            for each, (found, missing) in zip(asked, read, strict=True)
        ]

    def _read(self, query: Query, deadline: Deadline | None) -> tuple[TextMatch | None, tuple[str, ...]]:
        """What the words of a query say; and what is missing when that cannot be had in time."""
        if not any(isinstance(term, TextTerm) for term in query.terms):
            return None, ()
        until = None if deadline is None else deadline.part(LEXICAL_SHARE)
        looking: PendingStep[TextMatch | None] = self._steps.begin(
            LEXICAL, until, lambda: match_text(self._lexicon, query)
        )
        try:
            return looking.result(), ()
        except WindowshopError:
            if deadline is None:
                raise
            return None, (LEXICAL,)

    def _named(self, served: ServingState, asked: EncodedQuery) -> tuple[QueryProduct, ...]:
        """The products that may not be hits, so that other listings of the same things are none either."""
        if not asked.query.collapse or not asked.excluded:
            return ()
        products = self._products(asked.excluded)
        known = ((product, served.snapshot.rows_of(key)) for key, product in products.items())
        return tuple(
            QueryProduct(product, rows.hashes[0], np.asarray(rows.vectors[0], np.float32))
            for product, rows in known
            if len(rows.vectors)
        )

    def _beside(self, served: ServingState, asked: EncodedQuery, words: TextMatch | None) -> TextScores | None:
        """What counts beside the vectors: the words, and for "this, but red" that the kind stays the same."""
        if words is None or words.found is None or asked.vector is None:
            return None if words is None else words.found
        return boost_category(served, self._catalogue, asked.query, words)

    def _worded_only(self, query: Query) -> EncodedQuery:
        """A query whose terms could not be encoded."""
        keys = [self._catalogue.key_of(term.product_id) for term in query.terms if isinstance(term, ProductTerm)]
        return EncodedQuery(query, None, tuple(keys))

    def _page(self, served: ServingState, question: PreparedQuery, encode_seconds: float) -> SearchPage:
        started = perf_counter()
        query = question.query
        if not query.terms:
            found = self._browsed(served, query)
        else:
            try:
                found = self._found(served, question)
            except BadInput:
                raise
            except WindowshopError:
                if question.beside is None or question.asked.vector is None:
                    raise
                question = question.without_vector()
                found = self._found(served, question)
        verdict = served.verdict(query, found.best) if question.asked.vector is not None else None
        took = (perf_counter() - started + encode_seconds) * 1000
        return SearchPage(
            query,
            found.hits,
            served.number,
            took,
            degraded=question.degraded,
            offset=query.offset,
            verdict=verdict,
            total=found.total,
            facets=found.facets,
            notes=question.words.notes if question.words else (),
            refine=_token(served, query),
        )

    def _found(self, served: ServingState, question: PreparedQuery) -> Found:
        query = question.query
        if query.sort == RELEVANCE and not query.facets:
            return self._best(served, question)
        narrowing = FilteredResults(
            served.columns,
            query,
            lambda narrowed, rows: self._fetched(served, question, narrowed, rows)[0],
            depth_of(served.snapshot.spread),
        )
        matches = narrowing.matches(query.filter)
        facets = narrowing.facets() if query.facets else ()
        if query.sort == RELEVANCE:
            return replace(self._best(served, question), total=len(matches.places), facets=facets)
        groups = self._groups_of(served, question, matches.ranked, narrowing.places(), query.offset + query.k)
        best = self._groups_of(served, question, matches.ranked, matches.places, JUDGED)
        hits = self._hits(served, question, matches.ranked, groups[query.offset :])
        return Found(hits, self._hits(served, question, matches.ranked, best), len(matches.places), facets)

    def _best(self, served: ServingState, question: PreparedQuery) -> Found:
        """Fetch rows until the page is certain: enough products, and nothing unseen can tie with the last of them."""
        query = question.query
        reach = max(query.offset + query.k, JUDGED)
        fetch = reach * served.snapshot.spread + SPARE_ROWS
        while True:
            ranked, exhausted = self._fetched(served, question, query.filter, fetch)
            groups, seen = self._grouped(served, question, ranked, reach)
            enough = len(groups) >= reach and (seen <= ranked.certain or fetch > MAX_TIE_ROWS)
            if enough or exhausted:
                best = self._hits(served, question, ranked, groups[:JUDGED])
                page = groups[query.offset : query.offset + query.k]
                return Found(self._hits(served, question, ranked, page), best)
            fetch *= GROWTH

    def _grouped(
        self, served: ServingState, question: PreparedQuery, ranked: Ranked, reach: int
    ) -> tuple[list[Group], int]:
        """So many groups of listings of one thing, the best first, from as many leading rows as that needs."""
        wanted = reach
        while True:
            products, seen = self._present(ranked, wanted)
            order = page_slice(candidates(ranked, products), 0, len(products))
            groups = groups_of(
                served, question.grouping, ranked, [(i, products[int(ranked.products[i])]) for i in order]
            )
            if len(groups) >= reach or seen == len(ranked):
                return groups, seen
            wanted = 2 * len(products) + reach - len(groups)

    def _groups_of(
        self, served: ServingState, question: PreparedQuery, ranked: Ranked, places: Ints, reach: int
    ) -> list[Group]:
        """So many groups of listings of one thing, of places that are in order already."""
        wanted = reach
        while True:
            leading = places[:wanted].tolist()
            products = self._products(ranked.products[leading].tolist())
            listed = [(i, products[key]) for i in leading if (key := int(ranked.products[i])) in products]
            groups = groups_of(served, question.grouping, ranked, listed)
            if len(groups) >= reach or wanted >= len(places):
                return groups[:reach]
            wanted *= 2

    def _fetched(
        self, served: ServingState, question: PreparedQuery, narrowed: Filter | None, fetch: int
    ) -> tuple[Ranked, bool]:
        columns, asked = served.columns, question.asked
        allowed = columns.matching(narrowed) if narrowed is not None and narrowed.conditions else None
        reach = SearchScope(columns, allowed, asked.excluded)
        return self._steps.run(
            VECTOR,
            question.deadline if asked.vector is not None else None,  # without rows to search there is nothing to hang
            lambda: retrieve(served.snapshot, asked.vector, question.beside, reach, fetch),
        )

    def _hits(
        self, served: ServingState, question: PreparedQuery, ranked: Ranked, groups: Sequence[Group]
    ) -> tuple[SearchHit, ...]:
        first = [group[0] for group in groups]
        hits = build_hits(served.snapshot, served.generation.layout, question.asked.vector, ranked, first)
        folded = [tuple(product.id for _, product in group[1:]) for group in groups]
        return tuple(replace(hit, duplicates=ids) if ids else hit for hit, ids in zip(hits, folded, strict=True))

    def _present(self, ranked: Ranked, reach: int) -> tuple[Mapping[int, Product], int]:
        """The products, by key, of as many leading rows as `reach` needs: those that left the catalogue are skipped."""
        wanted = reach
        while True:
            seen = count_with_ties(ranked.scores, wanted)
            products = self._products(ranked.products[:seen].tolist())
            if len(products) >= reach or seen == len(ranked):
                return products, seen
            wanted = seen + reach - len(products)

    def _browsed(self, served: ServingState, query: Query) -> Found:
        keys, facets = browsing(served.columns, query)
        page = keys[query.offset : query.offset + query.k].tolist()
        products = self._products(page)
        shown = [products[key] for key in page if key in products]
        hits = tuple(SearchHit(each, each.pictures[0] if each.pictures else Picture(""), 0.0, {}) for each in shown)
        return Found(hits, hits[:JUDGED], len(keys), facets)

    def _products(self, keys: Sequence[int]) -> dict[int, Product]:
        with timed(METADATA):
            return self._catalogue.get_many(keys)

    def _stored(self, served: ServingState, product_id: str) -> tuple[int, Floats]:
        """A product's key and the row of its first picture that was indexed."""
        key = self._catalogue.key_of(product_id)
        return key, served.stored(product_id, key)


def _token(served: ServingState, query: Query) -> str:
    """What carries the query on; nothing when a picture of it could not be read in time."""
    unread = any(isinstance(term, PictureTerm) for term in query.terms)
    return "" if unread else served.tokens.make(query)
