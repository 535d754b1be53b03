"""Run one encoded query on one state of the shop: retrieve, collapse, count, sort, and cut into a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from catalog.errors import BadInput, WindowshopError
from catalog.product import Picture, Product
from catalog.storage.catalogue import Catalogue
from indexer.types import Ids
from search.execution.deadlines import VECTOR, Deadline, StepRunner
from search.execution.step_timing import METADATA, timed
from search.hits import Facet, SearchHit, SearchPage
from search.query.filters import Filter
from search.query.query_encoder import EncodedQuery
from search.query.terms import RELEVANCE, PictureTerm, Query
from search.retrieval.candidates import Ranked, SearchScope, build_hits, count_with_ties, page_slice, retrieve
from search.retrieval.collapse import Group, QueryProduct, collapse_listings
from search.retrieval.lexical_fusion import TextMatch, TextScores
from search.retrieval.result_set import MAX_MATCHES, FilteredResults, browse
from search.retrieval.serving_state import ServingState

SPARE_ROWS = 16  # retrieved beyond the expected number, so that one retrieval nearly always suffices
FETCH_GROWTH = 4
MAX_TIE_ROWS = 4096  # rows beyond which a tie at the end of the page is not followed to its end
VERDICT_HITS = 2  # hits from which a verdict is made


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """An encoded query with the products that it names, its text match, what is missing, and its deadline."""

    encoded: EncodedQuery
    products: tuple[QueryProduct, ...]
    text: TextMatch | None
    text_scores: TextScores | None
    degraded: tuple[str, ...]  # the steps that were late
    deadline: Deadline | None


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of a page, the best hits whatever the page is sorted by, and what was counted."""

    hits: tuple[SearchHit, ...]
    best: tuple[SearchHit, ...]
    total: int | None = None
    facets: tuple[Facet, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchRun:
    """One query on one state of the shop."""

    state: ServingState
    prepared: PreparedQuery
    catalogue: Catalogue
    steps: StepRunner

    @property
    def query(self) -> Query:
        """The query, its pictures as vectors."""
        return self.prepared.encoded.query

    def page(self, encode_seconds: float) -> SearchPage:
        """Return the page, whose time includes `encode_seconds`; where the vector search fails, the text answers."""
        started = perf_counter()
        run = self
        try:
            found = self._answer()
        except BadInput:
            raise
        except WindowshopError:
            if self.prepared.text_scores is None or self.prepared.encoded.vector is None:
                raise
            text_only = replace(self.prepared.encoded, vector=None)
            degraded = (*self.prepared.degraded, VECTOR)
            run = replace(self, prepared=replace(self.prepared, encoded=text_only, degraded=degraded))
            found = run._find()
        query, prepared = run.query, run.prepared
        verdict = None if prepared.encoded.vector is None else self.state.verdict(query, found.best)
        unread = any(isinstance(term, PictureTerm) for term in query.terms)  # a picture that was not encoded in time
        return SearchPage(
            query,
            found.hits,
            self.state.number,
            (perf_counter() - started + encode_seconds) * 1000,
            degraded=prepared.degraded,
            offset=query.offset,
            verdict=verdict,
            total=found.total,
            facets=found.facets,
            notes=prepared.text.notes if prepared.text else (),
            refine="" if unread else self.state.tokens.make(query),
        )

    def _answer(self) -> Found:
        if not self.query.terms:
            return self._browse()
        if self.prepared.text is not None and not self.prepared.text.understood:
            return Found((), (), 0)  # the encoder places any text somewhere, so that nonsense would look like a find
        return self._find()

    def _browse(self) -> Found:
        query = self.query
        keys, facets = browse(self.state.columns, query)
        page = keys[query.offset : query.offset + query.k].tolist()
        products = self._products(page)
        listed = [products[key] for key in page if key in products]
        pictures = [next(iter(product.pictures), Picture("")) for product in listed]
        hits = tuple(SearchHit(product, picture, 0.0, {}) for product, picture in zip(listed, pictures, strict=True))
        return Found(hits, hits[:VERDICT_HITS], len(keys), facets)

    def _find(self) -> Found:
        query = self.query
        if query.sort == RELEVANCE and not query.facets:
            return self._find_best()
        depth = MAX_MATCHES * max(1, self.state.snapshot.rows_per_product)
        results = FilteredResults(self.state.columns, query, lambda narrowed: self._retrieve(narrowed, depth)[0])
        matches = results.matches(query.filter)
        facets = results.facets() if query.facets else ()
        if query.sort == RELEVANCE:
            return replace(self._find_best(), total=len(matches.places), facets=facets)
        groups = self._collapse_sorted(matches.ranked, results.places(), query.offset + query.k)
        best = self._collapse_sorted(matches.ranked, matches.places, VERDICT_HITS)
        hits = self._hits(matches.ranked, groups[query.offset :])
        return Found(hits, self._hits(matches.ranked, best), len(matches.places), facets)

    def _find_best(self) -> Found:
        """Retrieve rows until the page is certain: enough products, and nothing unseen can tie with the last one."""
        query = self.query
        wanted = max(query.offset + query.k, VERDICT_HITS)
        fetch = wanted * self.state.snapshot.rows_per_product + SPARE_ROWS
        while True:
            ranked, exhausted = self._retrieve(query.filter, fetch)
            groups, seen = self._collapse(ranked, wanted)
            certain = len(groups) >= wanted and (seen <= ranked.certain or fetch > MAX_TIE_ROWS)
            if certain or exhausted:
                page = groups[query.offset : query.offset + query.k]
                return Found(self._hits(ranked, page), self._hits(ranked, groups[:VERDICT_HITS]))
            fetch *= FETCH_GROWTH

    def _retrieve(self, narrowed: Filter | None, fetch: int) -> tuple[Ranked, bool]:
        columns, encoded = self.state.columns, self.prepared.encoded
        allowed = columns.matching(narrowed) if narrowed is not None and narrowed.conditions else None
        scope = SearchScope(allowed, encoded.excluded)
        return self.steps.run(
            VECTOR,
            self.prepared.deadline if encoded.vector is not None else None,  # nothing hangs without rows to search
            lambda: retrieve(self.state.snapshot, encoded.vector, self.prepared.text_scores, scope, fetch),
        )

    def _collapse(self, ranked: Ranked, count: int) -> tuple[list[Group], int]:
        """Return at least `count` groups of one thing each, best first, and how many leading rows that took."""
        wanted = count
        while True:
            products, seen = self._present(ranked, wanted)
            listed = [(i, products[key]) for i, key in enumerate(ranked.products.tolist()) if key in products]
            candidates = [(min(float(ranked.scores[i]), 1.0), product.id, i) for i, product in listed]
            order = page_slice(candidates, 0, len(products))
            groups = self._groups(ranked, [(i, products[int(ranked.products[i])]) for i in order])
            if len(groups) >= count or seen == len(ranked.rows):
                return groups, seen
            wanted = 2 * len(products) + count - len(groups)

    def _collapse_sorted(self, ranked: Ranked, places: Ids, count: int) -> list[Group]:
        """Return `count` groups of one thing each, of places that are in order already."""
        wanted = count
        while True:
            leading = places[:wanted].tolist()
            products = self._products(ranked.products[leading].tolist())
            listed = [(i, products[key]) for i in leading if (key := int(ranked.products[i])) in products]
            groups = self._groups(ranked, listed)
            if len(groups) >= count or wanted >= len(places):
                return groups[:count]
            wanted *= 2

    def _groups(self, ranked: Ranked, listed: Sequence[tuple[int, Product]]) -> list[Group]:
        if not self.query.collapse:
            return [[item] for item in listed]
        return collapse_listings(self.state, self.prepared.products, ranked, listed)

    def _hits(self, ranked: Ranked, groups: Sequence[Group]) -> tuple[SearchHit, ...]:
        return build_hits(self.state, self.prepared.encoded.vector, ranked, groups)

    def _present(self, ranked: Ranked, count: int) -> tuple[Mapping[int, Product], int]:
        """Return `count` products by key, and how many leading rows hold them; skip products that were removed."""
        wanted = count
        while True:
            seen = count_with_ties(ranked.scores, wanted)
            products = self._products(ranked.products[:seen].tolist())
            if len(products) >= count or seen == len(ranked.rows):
                return products, seen
            wanted = seen + count - len(products)

    def _products(self, keys: Sequence[int]) -> dict[int, Product]:
        with timed(METADATA):
            return self.catalogue.get_many(keys)
