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
from search.understanding.product_scores import (
    MEANT,
    KindProducts,
    KindScores,
    ProductScores,
    in_kind,
    score_products,
)
from search.understanding.question_reader import QuestionReader, ReadText
from search.understanding.removable import with_parts
from search.understanding.understood import EXAMPLE, MEANING, KindRef, Understood, UnderstoodKind

# Shares of a score. A product of the kind comes before any other, and one with all values before one without.
KIND_SHARE, VALUE_SHARE = 0.5, 0.3
MAX_VOTERS = 10  # products most like a picture, which vote
MIN_MAJORITY = 0.6  # share of the voters from which their category is the picture's
MAX_REPRESENTED = 3  # kinds that a question may mean, of which the best product stands at the top
REPRESENTED = (1.0, 0.97, 0.94)  # kind scores of these products; of the others at most MEANT
MOST = 2  # one in so many products of the shop, from which the scores of all are as quick to add up
FOUND_TOGETHER = 48  # best rows of several kinds, of which nearly always one is of each


@dataclass(frozen=True, slots=True)
class Relevance:
    """What was understood of a query, the products that answer it (None: those that are like it), and the scores."""

    understood: Understood
    answers: AnswerSet | None = None
    scores: TextScores | None = None


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

    Where products answer a text, only these, those near to it and `pinned` ones have scores. The vector is
    taken late, and for few questions.
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
        scores = replace(scores, kinds=_kind_scores(state, pending.vector, understood, scores.kinds))
    is_text = all(isinstance(term, TextTerm) for term in query.terms)
    shown = _shown(answers, pinned) if answers is not None and is_text else None  # an example ranks the whole shop
    if query.typed:
        understood = with_parts(understood, query.typed, query.filter)
    if answers is not None and query.filter is not None and understood.limit is not None:
        answers = with_other_prices(answers, state.columns.matching(query.filter))
    if text.scores is None:
        return Relevance(understood, answers)
    scored = _with_kinds_and_values(
        text.scores, scores, understood, state.columns.keys, shown, _share_of(examples, query)
    )
    return Relevance(understood, answers, scored)


def _shown(answers: AnswerSet, pinned: Mask | None) -> Ids | None:
    """Return the ordinals of the products that a page of answers may show; None where they are most of the shop."""
    mask = answers.answers | answers.near
    if pinned is not None:
        mask |= pinned
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


def _kind_scores(
    state: ServingState, vector: Callable[[], Floats | None], understood: Understood, named: KindScores
) -> KindScores:
    """Return the kind scores of all products; where the kind is only meant, the best of each likely kind comes first.

    A shopper who says "something for flowers" should see a vase and a plant pot, not ten vases.
    """
    meant = [(kind.refs[0].label, kind.refs[0].confidence) for kind in understood.kinds if kind.source == MEANING]
    if understood.leaning:
        best_share = understood.leaning[0][1]
        meant = [(label, share / best_share) for label, share in understood.leaning]
    if not meant:
        return named
    kinds = [KindProducts.of(KindRef(CATEGORY, label), state.columns) for label, _ in meant]
    scores = [MEANT * max(0.5, share**0.5) for _, share in meant]
    found = _best_of_each(state, vector(), kinds[:MAX_REPRESENTED])
    best = tuple((ordinal, score) for ordinal, score in zip(found, REPRESENTED, strict=False) if ordinal is not None)
    return replace(named, meant=tuple(zip(kinds, scores, strict=True))[::-1], best=best)


def _best_of_each(state: ServingState, vector: Floats | None, kinds: Sequence[KindProducts]) -> list[int | None]:
    """Return the ordinal of the product of each kind that is most like the query."""
    if vector is None or not kinds:
        return [None] * len(kinds)
    found = _most_like(state, vector, kinds, FOUND_TOGETHER)
    best = []
    for kind in kinds:
        own = found[kind.has(found)]
        best.append(next(iter((own if len(own) else _most_like(state, vector, [kind], 1)).tolist()), None))
    return best


def _most_like(state: ServingState, vector: Floats, kinds: Sequence[KindProducts], rows: int) -> Ids:
    """Return the ordinals of the products of the best rows among these kinds, the most similar first."""
    lists = np.logical_or.reduce([kind.lists for kind in kinds])
    products = kinds[0].labels.of_lists(lists, len(state.columns)) & state.columns.present
    _, found = state.snapshot.search(vector, rows, state.snapshot.rows_allowed(products))
    return state.columns.ordinals(state.snapshot.keys_of(found))


def _with_kinds_and_values(
    text: TextScores, scores: ProductScores, understood: Understood, keys: Ids, places: Ids | None, of_kind: float
) -> TextScores:
    """Add the parts of kind and values to the text's scores at these places, each as far as it was understood."""
    parts: dict[str, Floats] = {}
    share = 0.0
    confidence = max((kind.confidence for kind in understood.kinds), default=0.0)
    best = scores.kinds.largest
    if understood.kinds and best > 0:
        share = KIND_SHARE * of_kind * max(confidence, 0.5)
        parts[CATEGORY_PART] = scores.kinds.at(places) * np.float32(share / best)
    if scores.values:
        means = scores.mean_value(places)
        parts[ATTRIBUTE_PART] = means * np.float32(VALUE_SHARE)
        share += VALUE_SHARE * scores.largest_mean(float(means.max(initial=0.0)), places)
    if not parts and places is None:
        return text
    return text.aligned(keys, places).plus(parts, share)
