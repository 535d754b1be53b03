"""Run one encoded query on one state of the shop: retrieve, collapse, count, sort, and cut into a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from catalog.errors import BadInput, WindowshopError
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.types import Ids, Mask
from search.execution.deadlines import VECTOR, StepRunner
from search.execution.step_timing import METADATA, timed
from search.hits import SearchHit, SearchPage, TextVerdict, Verdict
from search.merchandising.applied import page_with_pins
from search.query.terms import RELEVANCE, PictureTerm, Query, TextTerm
from search.retrieval.candidates import Ranked, SearchScope, count_with_ties, one_per_group, page_slice, retrieve
from search.retrieval.collapse import Group, collapse_listings, copies_of, represented
from search.retrieval.relevance import MAX_VOTERS, PreparedQuery, majority_category
from search.retrieval.result_set import (
    MAX_MATCHES,
    Found,
    ResultSet,
    browse,
    browse_order,
    browsed_hits,
    build_hits,
    similar_results,
)
from search.retrieval.serving_state import ServingState
from search.state.item_groups import ItemGroups
from search.understanding.answer_set import AnswerSet
from search.understanding.product_scores import in_kinds
from search.understanding.understood import ANSWERS, NEAR

SPARE_ROWS = 16  # retrieved beyond the expected number, so that one retrieval nearly always suffices
FETCH_GROWTH = 4
MAX_TIE_ROWS = 4096  # rows beyond which a tie at the end of the page is not followed to its end
VERDICT_HITS = 2  # hits from which a verdict is made
COPY_ROWS = 64  # best rows among which other listings of a product that the query names are looked for
NEAR_HITS = 6  # products of the row below the answers
NEAREST_HITS = 10  # where nothing answers and some are near


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

    @property
    def answers(self) -> AnswerSet | None:
        """What answers the query's words; None where it is answered by likeness."""
        return self.prepared.relevance.answers

    @property
    def _item_groups(self) -> ItemGroups:
        return self.state.columns.item_groups(self.query.group_variants)

    @property
    def _of_example(self) -> bool:
        return not all(isinstance(term, TextTerm) for term in self.query.terms)

    def page(self, encode_seconds: float) -> SearchPage:
        """Return the page, whose time includes `encode_seconds`; where the vector search fails, the text answers."""
        started = perf_counter()
        run = self
        try:
            found = self._answer()
        except BadInput:
            raise
        except WindowshopError:
            if self.prepared.relevance.scores is None or self.prepared.encoded.vector is None:
                raise
            text_only = replace(self.prepared.encoded, vector=None)
            degraded = (*self.prepared.degraded, VECTOR)
            run = replace(self, prepared=replace(self.prepared, encoded=text_only, degraded=degraded))
            found = run._answer()
        query, prepared = run.query, run.prepared
        unread = any(isinstance(term, PictureTerm) for term in query.terms)  # a picture that was not encoded in time
        return SearchPage(
            query,
            found.hits,
            self.state.number,
            (perf_counter() - started + encode_seconds) * 1000,
            degraded=prepared.degraded,
            offset=query.offset,
            verdict=run._verdict(found),
            total=found.total,
            total_variants=found.variants,
            facets=found.facets,
            notes=prepared.text.notes if prepared.text else (),
            corrections=prepared.text.corrections if prepared.text else {},
            refine="" if unread else self.state.tokens.make(query),
            understood=prepared.relevance.understood,
            near=found.near,
            near_by=self.answers.near_by if self.answers and found.near else "",
            redirect=prepared.rules.redirect,
        )

    def _verdict(self, found: Found) -> Verdict | TextVerdict | None:
        answers = self.answers
        if answers is not None and not self._of_example:
            pinned = found.total and answers.kind != ANSWERS  # the owner knows what answers it
            return TextVerdict(ANSWERS, 1.0) if pinned else TextVerdict(answers.kind, answers.probability)
        return None if self.prepared.encoded.vector is None else self.state.verdict(self.query, found.best)

    def _answer(self) -> Found:
        if not self.query.terms:
            return self._browse()
        if self.answers is not None and not (self._of_example and self.prepared.is_uncounted):
            return self._find_answers(self.answers)
        if self.prepared.text is not None and not self.prepared.text.understood:
            if self.prepared.rules.pins:
                return self._find_among(ResultSet(self.state.columns, np.zeros(len(self.state.columns), np.bool_)))
            return Found((), (), 0, 0)  # the encoder places any text somewhere, so that nonsense would look like a find
        return self._find_similar()

    def _browse(self) -> Found:
        keys, counted = browse(self.state.columns, self.query)
        products = self._products(page := keys.tolist())
        hits = browsed_hits([products[key] for key in page if key in products], self.state.columns)
        return replace(counted, hits=hits, best=hits[:VERDICT_HITS])

    def _find_answers(self, answers: AnswerSet) -> Found:
        """Return the products that answer the words, and on the page where they end the next best ones."""
        query, columns = self.query, self.state.columns
        results = ResultSet(columns, answers.answers)
        found = self._find_among(results)
        instead = answers.kind == NEAR and not found.total  # the near products are the hits
        shown_near = not query.offset if instead else query.sort == RELEVANCE and query.offset <= (found.total or 0)
        if not shown_near or len(found.hits) == query.k or not answers.near.any():
            return found
        nearest = replace(self, prepared=replace(self.prepared, relevance=self.prepared.relevance.of_near()))
        shown = self.prepared.rules.pinned(columns)
        if query.group_variants:
            shown = self._item_groups.with_variants(shown | results.within(query.filter))
        within = answers.near_within(columns, query.filter) & ~shown
        if instead:
            hits = nearest._best(within, 0, min(query.k, NEAREST_HITS)).hits
            return replace(found, hits=hits, best=hits[:VERDICT_HITS])
        return replace(found, near=nearest._best(within, 0, NEAR_HITS).hits)

    def _find_similar(self) -> Found:
        query = self.query
        if self.prepared.is_uncounted and not self.prepared.rules.pins:  # nobody asks where likeness ends
            narrowed = query.filter
            allowed = self.state.columns.matching(narrowed) if narrowed is not None and narrowed.conditions else None
            return self._best(allowed, query.offset, query.k)
        ranked, _ = self._retrieve(None, MAX_MATCHES * max(1, self.state.snapshot.rows_per_product))
        return self._find_among(similar_results(self.state.columns, query, ranked, self._kind_of_best(ranked)))

    def _find_among(self, results: ResultSet) -> Found:
        query, pinned = self.query, self.prepared.rules.pinned(self.state.columns)
        results = replace(results, results=(results.results | pinned) & self._searchable(), groups=self._item_groups)
        within = results.within(query.filter)
        total = results.groups.count(within)
        facets = results.facets(query.filter) if query.facets else ()
        if not total:
            found = Found((), ())
        elif query.sort != RELEVANCE:
            found = self._sorted(within, query.offset, query.k)
        elif query.offset + query.k <= results.leading and self.prepared.is_plain:
            found = self._best(None, query.offset, query.k)  # the best of the shop, which no mask slows down
        else:
            found = self._with_pins(within, query.offset, query.k)
        return replace(found, total=total, variants=int(np.count_nonzero(within)), facets=facets)

    def _kind_of_best(self, ranked: Ranked) -> Mask | None:
        """Return the mask of the example's category, or of that of most of the best hits; None where they differ."""
        kinds = self.prepared.relevance.understood.kinds
        label = kinds[0].refs[0].label if kinds else ""
        if not label and self.query.is_single_picture:
            products = self._products(ranked.products[:MAX_VOTERS].tolist())
            label, _ = majority_category(products.values())
        return in_kinds([label], self.state.columns) if label else None

    def _searchable(self) -> Mask:
        """Return the mask of the products that may be hits: those with a row, and none that the query names."""
        columns = self.state.columns
        mask = self.state.snapshot.searchable()
        excluded = columns.ordinals(np.array(self.prepared.encoded.excluded, np.int64))
        if len(excluded):
            mask = mask.copy()
            mask[excluded[excluded >= 0]] = False
        if self.prepared.products:  # other listings of what the query names are no hits either
            ranked, _ = self._retrieve(None, COPY_ROWS)
            products = self._products(ranked.products.tolist())
            listed = [(place, products[key]) for place, key in enumerate(ranked.products.tolist()) if key in products]
            mask[columns.ordinals(copies_of(self.state, self.prepared.products, ranked, listed))] = False
        return self.prepared.rules.less_hidden(mask)

    def _with_pins(self, within: Mask, offset: int, count: int) -> Found:
        """Return a page of the best products, with the pinned ones at their positions and no other listings of them."""
        pinned = self.prepared.rules.pinned(self.state.columns) & within
        if not pinned.any():
            return self._best(within, offset, count)
        ranked, _ = self._retrieve(pinned, int(np.count_nonzero(self.state.snapshot.rows_allowed(pinned))) + 1)
        positions, places = self.prepared.rules.placed(ranked.products)
        places = places[self._item_groups.leading(self.state.columns.ordinals(ranked.products[places]))]
        groups = self._collapse_places(ranked, places)
        pins = [(positions[group[0][0]], hit) for group, hit in zip(groups, self._hits(ranked, groups), strict=True)]
        named = (*self.prepared.products, *represented(self.state, ranked, groups))
        others = replace(self, prepared=replace(self.prepared, products=named))
        within = within & ~self._item_groups.with_variants(pinned)
        page = page_with_pins(pins, offset, count, lambda *span: others._best(within, *span).hits)
        return Found(tuple(page), ())

    def _best(self, allowed: Mask | None, offset: int, count: int) -> Found:
        """Retrieve rows until the page is certain: enough products, and nothing unseen can tie with the last one."""
        wanted = max(offset + count, VERDICT_HITS)
        fetch = wanted * self.state.snapshot.rows_per_product + SPARE_ROWS
        while True:
            ranked, exhausted = self._retrieve(allowed, fetch, wanted + SPARE_ROWS)
            ranked = one_per_group(ranked, self.state.columns, self._item_groups)
            groups, seen = self._collapse(ranked, wanted)
            certain = len(groups) >= wanted and (seen <= ranked.certain or fetch > MAX_TIE_ROWS)
            if certain or exhausted:
                hits = self._hits(ranked, groups[offset : offset + count])
                are_best = not offset and count >= VERDICT_HITS
                return Found(hits, hits[:VERDICT_HITS] if are_best else self._hits(ranked, groups[:VERDICT_HITS]))
            fetch *= FETCH_GROWTH

    def _sorted(self, allowed: Mask, offset: int, count: int) -> Found:
        """Return a page of products by price or age, with the scores that they have for the query."""
        columns = self.state.columns
        wanted = offset + count
        while True:
            leading = browse_order(columns, allowed, self.query.sort, self._item_groups, wanted)
            mask = columns.mask_of(leading)
            ranked, _ = self._retrieve(mask, int(np.count_nonzero(self.state.snapshot.rows_allowed(mask))) + 1)
            groups = self._collapse_places(ranked, ranked.places_of(leading))
            if len(groups) >= offset + count or len(leading) < wanted:
                break
            wanted *= 2
        best = self._best(allowed, 0, VERDICT_HITS).best if self.query.is_single_picture else ()
        return Found(self._hits(ranked, groups[offset : offset + count]), best)

    def _retrieve(self, allowed: Mask | None, fetch: int, wanted: int = 0) -> tuple[Ranked, bool]:
        encoded, text = self.prepared.encoded, self.prepared.relevance.scores
        scope = SearchScope(self.prepared.rules.without_hidden(allowed), encoded.excluded, self.query.filter)
        return self.steps.run(
            VECTOR,
            self.prepared.deadline if encoded.vector is not None else None,  # nothing hangs without rows to search
            lambda: retrieve(self.state.snapshot, encoded.vector, text, scope, fetch, wanted),
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

    def _collapse_places(self, ranked: Ranked, places: Ids) -> list[Group]:
        """Return groups of one thing each, of places that are in order already."""
        products = self._products(ranked.products[places].tolist())
        listed = [(i, products[key]) for i in places.tolist() if (key := int(ranked.products[i])) in products]
        return self._groups(ranked, listed)

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
