"""Turn what was understood of a query into scores: the kind counts before attributes, and these before likeness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.types import Floats, Ids, Mask
from search.execution.deadlines import Deadline
from search.hits import ATTRIBUTE_PART, CATEGORY_PART
from search.merchandising.applied import NOT_RULED, AppliedRules
from search.query.filters import CATEGORY
from search.query.pending_query import PendingQuery
from search.query.query_encoder import EncodedQuery
from search.query.terms import LEXICAL, RELEVANCE, PictureTerm, ProductTerm, Query, Term, TextTerm, VectorTerm
from search.retrieval.collapse import QueryProduct
from search.retrieval.lexical_fusion import TextMatch, TextScores
from search.retrieval.serving_state import ServingState
from search.understanding.answer_set import (
    NAMED_CONFIDENCE,
    AnswerSet,
    TextEvidence,
    decide,
    decide_change,
    decide_excluded,
    with_other_prices,
)
from search.understanding.best_of_kinds import with_meant_kinds
from search.understanding.product_scores import ProductScores, in_kind, score_products
from search.understanding.question_reader import QuestionReader, ReadText
from search.understanding.removable import with_parts
from search.understanding.understood import ANSWERS, EXAMPLE, KindRef, Understood, UnderstoodKind

# Shares of a score. A product of the kind comes before any other, and one with all values before one without.
KIND_SHARE, VALUE_SHARE = 0.5, 0.3
MAX_VOTERS = 10  # products most like a picture, which vote
MIN_MAJORITY = 0.6  # share of the voters from which their category is the picture's
MOST = 2  # one in so many products of the shop, from which the scores of all are as quick to add up


@dataclass(frozen=True, eq=False)
class Relevance:
    """What was understood of a query, the products that answer it (None: those that are like it), and the scores.

    `find_near` adds up those of the near products, where `scores` lacks them.
    """

    understood: Understood
    answers: AnswerSet | None = None
    scores: TextScores | None = None
    find_near: Callable[[], TextScores] | None = None

    def with_parts(self, keys: Ids, parts: Mapping[str, Floats], share: float) -> Relevance:
        """Add parts that give at most `share` together, float32 (n,) for all `keys` of the shop."""

        def added(scores: TextScores | None) -> TextScores:
            scores = scores or TextScores.nothing()
            if self.answers is None:  # any product may be a hit
                scores = scores.aligned(keys, None)
            return scores.with_parts(keys, parts, share)

        find_near = self.find_near
        near = None if find_near is None else lambda: added(find_near())
        return replace(self, scores=added(self.scores), find_near=near)

    def of_near(self) -> Relevance:
        """Return the relevance with the scores of the near products."""
        return self if self.find_near is None else replace(self, scores=self.find_near(), find_near=None)


@dataclass(frozen=True, slots=True)
class PreparedQuery:
    """An encoded query with the products that it names, its text match, what is missing, and its deadline."""

    encoded: EncodedQuery
    products: tuple[QueryProduct, ...]
    text: TextMatch | None
    relevance: Relevance
    degraded: tuple[str, ...]  # the steps that were late
    deadline: Deadline | None
    rules: AppliedRules = NOT_RULED

    @property
    def is_uncounted(self) -> bool:
        """Whether nobody asks how many results there are."""
        return self.encoded.query.sort == RELEVANCE and not self.encoded.query.facets

    @property
    def is_plain(self) -> bool:
        """Whether the best rows of the shop are the best hits, in their order."""
        query = self.encoded.query
        narrowed = query.filter is not None and bool(query.filter.conditions)
        return not (narrowed or query.group_variants or self.rules.change_order)


def relevance(
    state: ServingState,
    catalogue: Catalogue,
    reader: QuestionReader,
    pending: PendingQuery,
    text: TextMatch | None,
    pinned: Mask | None = None,
) -> Relevance:
    """Return what a query asks for, and how much each product has of it beyond its likeness.

    Where products answer a text, only these and `pinned` ones have scores, and those near to it when they are wanted.
    The vector is taken late, and for few questions.
    """
    query = pending.query
    if (query.blocks or {}).get(LEXICAL) == 0 or (text is None and _has_text(query)):
        return Relevance(Understood(), None, text.scores if text else None)
    examples = [term for term in query.terms if not isinstance(term, TextTerm) and term.weight > 0]
    if text is None:
        return _of_example(state, catalogue, examples) if query.terms else Relevance(_of_no_terms(query))
    understood = reader.read(query, _read_texts(text), state.columns, text.knows)
    named = max((kind.confidence for kind in understood.kinds), default=0.0) >= NAMED_CONFIDENCE
    if examples and not named:
        understood = replace(understood, kinds=_example_kinds(state, catalogue, examples))
    scores = score_products(understood, state.columns)
    answers: AnswerSet | None = None
    if examples:
        answers = decide_change(understood, scores, state.columns) if understood.kinds else None
    elif all(term.weight < 0 for term in query.terms):
        answers = decide_excluded(scores, _evidence(text, state).held > 0, state.columns)
    else:
        understood, answers = decide(understood, scores, _evidence(text, state), state.columns, state.nearness)
        scores = replace(scores, kinds=with_meant_kinds(scores.kinds, understood, state.snapshot, pending.vector))
    is_text = all(isinstance(term, TextTerm) for term in query.terms)
    if query.typed:
        understood = with_parts(understood, query.typed, query.filter)
    if answers is not None and query.filter is not None and understood.limit is not None:
        answers = with_other_prices(answers, state.columns.matching(query.filter))
    if text.scores is None:
        return Relevance(understood, answers)
    scoring = _Scoring(text.scores, scores, understood, state.columns.keys, _share_of(examples, query))
    if answers is None or not is_text:  # an example ranks the whole shop
        return Relevance(understood, answers, scoring.at(None))
    return scoring.of_answers(answers, pinned)


def _places_of(mask: Mask) -> Ids | None:
    """Return the ordinals of the products of a mask; None where they are most of the shop."""
    return np.flatnonzero(mask) if np.count_nonzero(mask) * MOST < len(mask) else None


def _of_no_terms(query: Query) -> Understood:
    """Return what is understood of words that only narrow what is browsed: "under 20", "in stock"."""
    return with_parts(Understood(), query.typed, query.filter) if query.typed else Understood()


def _share_of(examples: Sequence[Term], query: Query) -> float:
    """Return how much of the kind's share counts: all for words alone, less where words weigh more than an example."""
    if not examples:
        return 1.0
    return min(1.0, 2 * sum(term.weight for term in examples) / sum(abs(term.weight) for term in query.terms))


def _has_text(query: Query) -> bool:
    return any(isinstance(term, TextTerm) and term.weight for term in query.terms)


def _read_texts(text: TextMatch) -> Mapping[str, ReadText]:
    return {
        words: ReadText(
            analysis.corrected,
            analysis.encoder_words,
            analysis.typed_words,
            analysis.other_words,
            analysis.rewritten.alignment,
            analysis.rewritten.language,
        )
        for words, analysis in text.readings.items()
    }


def _evidence(text: TextMatch, state: ServingState) -> TextEvidence:
    keys = state.columns.keys
    first, *others = [hits.scores_of(keys) for hits in text.wanted or text.unwanted]
    held: Floats = sum(others, start=first) / np.float32(max(1, len(text.wanted))) if others else first
    exact = np.zeros(0, np.int64) if text.scores is None else text.scores.exact
    return TextEvidence(held, state.columns.mask_of(exact), text.understood)


def _of_example(state: ServingState, catalogue: Catalogue, examples: Sequence[Term]) -> Relevance:
    """Prefer the kind of a product in "similar products"; a photo alone is answered by likeness."""
    products = [term for term in examples if isinstance(term, ProductTerm)]
    if not products or len(products) < len(examples):
        return Relevance(Understood())
    kinds = _example_kinds(state, catalogue, products)
    if not kinds:
        return Relevance(Understood())
    places = np.flatnonzero(in_kind(kinds[0].refs[0], state.columns))
    scores = TextScores.of_part(CATEGORY_PART, state.columns.keys, places, KIND_SHARE)
    return Relevance(Understood(kinds), None, scores)


def _example_kinds(state: ServingState, catalogue: Catalogue, examples: Sequence[Term]) -> tuple[UnderstoodKind, ...]:
    known = [term for term in examples if isinstance(term, PictureTerm | VectorTerm | ProductTerm)]
    if not known:
        return ()
    label, confidence = _category_of(state, catalogue, max(known, key=lambda term: term.weight))
    return (UnderstoodKind((KindRef(CATEGORY, label),), "", confidence, EXAMPLE),) if label else ()


def _category_of(
    state: ServingState, catalogue: Catalogue, term: PictureTerm | VectorTerm | ProductTerm
) -> tuple[str, float]:
    """Return the category of an example, "" when it is unclear, and the share of its neighbours that have it."""
    if isinstance(term, ProductTerm):
        return catalogue.get(term.product_id).category, 1.0
    if isinstance(term, PictureTerm):
        return "", 0.0
    _, rows = state.snapshot.search(state.query_encoder.picture_query(term), MAX_VOTERS)
    keys = list(dict.fromkeys(state.snapshot.keys_of(rows).tolist()))
    return majority_category(catalogue.get_many(keys).values())


def majority_category(products: Collection[Product]) -> tuple[str, float]:
    """Return the category that most of these products have, and their share; "" when no category has a majority."""
    votes = Counter(product.category for product in products)
    category, count = votes.most_common(1)[0] if votes else ("", 0)
    return (category, count / len(products)) if category and count >= MIN_MAJORITY * len(products) else ("", 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Scoring:
    """Adds the parts of kind and values to a text's scores, each as far as it was understood.

    `of_kind` is how much of the kind's share counts.
    """

    text: TextScores
    products: ProductScores
    understood: Understood
    keys: Ids
    of_kind: float

    def of_answers(self, answers: AnswerSet, pinned: Mask | None) -> Relevance:
        """Return the relevance with the scores of the products that answer and of pinned ones."""
        mask = answers.answers if pinned is None else answers.answers | pinned
        if answers.kind != ANSWERS:
            return Relevance(self.understood, answers, self.at(_places_of(mask | answers.near)))
        places = _places_of(mask)
        near = None if places is None else lambda: self.at(_places_of(mask | answers.near))
        return Relevance(self.understood, answers, self.at(places), near)

    def at(self, places: Ids | None) -> TextScores:
        """Return the scores at these places; of all products without."""
        parts: dict[str, Floats] = {}
        share = 0.0
        confidence = max((kind.confidence for kind in self.understood.kinds), default=0.0)
        kinds = self.products.kinds
        if self.understood.kinds and kinds.largest > 0:
            share = KIND_SHARE * self.of_kind * max(confidence, 0.5)
            parts[CATEGORY_PART] = kinds.at(places) * np.float32(share / kinds.largest)
        if self.products.values:
            means = self.products.mean_value(places)
            parts[ATTRIBUTE_PART] = means * np.float32(VALUE_SHARE)
            share += VALUE_SHARE * self.products.largest_mean(float(means.max(initial=0.0)), places)
        if not parts and places is None:
            return self.text
        return self.text.aligned(self.keys, places).plus(parts, share)
