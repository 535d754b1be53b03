"""Decide which products answer a question in words: all of them, and no others, are its results.

The set does not depend on the query's filter, so that what a facet counts is what a click on it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from indexer.columns.fields import HEAD
from indexer.types import Floats, Mask
from search.query.filters import CATEGORY, PRICE, Filter
from search.state.column_store import ProductColumns
from search.understanding.kind_nearness import KindNearness
from search.understanding.product_scores import ProductScores, in_kinds, is_below
from search.understanding.understood import ANSWERS, MEANING, NEAR, NOTHING, KindRef, Understood, UnderstoodKind

NAMED_CONFIDENCE = 0.7  # of a kind's name from which the kind decides
MANY = 10  # products with all that is asked from which no other product is an answer; else the kind is, those first
HOLDS_TEXT = 0.75  # share of a text's information from which a product's own texts hold it
HOLDS_ALL = 0.9  # the same for a product of another kind than the one that the question names
MIN_ANSWERS, MIN_NEAR = 0.35, 0.02  # probabilities that the shop sells what is asked
WORDS_PROBABILITY = 0.9  # where a product holds all words, and they name no kind of another shop
UNREADABLE, OTHER_THING = 0.01, 0.15  # the most where nobody knows a word, and for a mug tree in a shop of mugs
OTHER_KIND = 0.3  # the most where the words are the name of a kind that this shop does not have by that name
OTHER_PRICES = "price"  # why products are near
MAX_MEANT_KINDS = 5
MIN_MEANT_SHARE = 0.05  # share of the nearest kind's share that another meant kind must have
MAX_NEAR_KINDS = 3


@dataclass(frozen=True, slots=True)
class TextEvidence:
    """What the word index found: each product's share of the text's information (n,), and exact matches.

    `readable` is false when nobody knows any word of the text.
    """

    held: Floats
    exact: Mask
    readable: bool = True


@dataclass(frozen=True, eq=False)
class AnswerSet:
    """The products that answer (n,), the next best ones for the row below, and the probability that it is sold.

    The next best ones are looked for when they are wanted: few pages end with the answers.
    """

    kind: str
    probability: float
    answers: Mask
    find_near: Callable[[], Mask]
    near_by: str = ""  # "values": others of the kind; "kinds": other kinds; "words": kinds whose texts hold the words

    @cached_property
    def near(self) -> Mask:
        """The next best products (n,)."""
        return self.find_near()

    def near_within(self, columns: ProductColumns, narrowed: Filter | None) -> Mask:
        """Return the mask of the near products that a filter allows (n,); its price is no matter to other prices."""
        narrowed = narrowed or Filter()
        return self.near & columns.matching(narrowed.without(PRICE) if self.near_by == OTHER_PRICES else narrowed)


def decide(
    understood: Understood,
    scores: ProductScores,
    evidence: TextEvidence,
    columns: ProductColumns,
    nearness: KindNearness | None,
) -> tuple[Understood, AnswerSet | None]:
    """Return what answers a question, and the question with the kinds that its meaning adds.

    None is returned where neither names nor meaning tell: the question is then answered by likeness.
    """
    if not evidence.readable and not understood.kinds and not understood.values:
        return understood, _nothing(columns, 0.01)
    confidence = max((kind.confidence for kind in understood.kinds), default=0.0)
    if confidence >= NAMED_CONFIDENCE:
        return _of_named_kinds(understood, scores, evidence, columns, nearness)
    understood = replace(understood, kinds=())
    if understood.wanted and not understood.rest:
        return _of_values(understood, scores, columns)
    if nearness is None or not columns.categories():
        return understood, None
    return _of_meaning(understood, scores, evidence, columns, nearness)


def decide_change(understood: Understood, scores: ProductScores, columns: ProductColumns) -> AnswerSet:
    """Return what answers "this, but red": the example's kind, or where they are many its products with all values."""
    _, answers = _of_named_kinds(replace(understood, rest=""), scores, _no_evidence(columns), columns, None)
    return answers


def decide_excluded(scores: ProductScores, held: Mask, columns: ProductColumns) -> AnswerSet:
    """Return what answers "not red" alone: all products that neither have such a value nor hold such a word (n,)."""
    answers = columns.present & ~scores.excluded & ~held
    return AnswerSet(ANSWERS, 1.0, answers, lambda: _none(columns))


def with_other_prices(answers: AnswerSet, matching: Mask) -> AnswerSet:
    """Return what answers with the answers at other prices as near, where none `matching` (n,) the filter is one."""
    if not answers.answers.any() or (answers.answers & matching).any():
        return answers
    return replace(answers, find_near=lambda: answers.answers, near_by=OTHER_PRICES)


def _none(columns: ProductColumns) -> Mask:
    return np.zeros(len(columns), np.bool_)


def _no_evidence(columns: ProductColumns) -> TextEvidence:
    return TextEvidence(np.zeros(len(columns), np.float32), _none(columns))


def _of_named_kinds(
    understood: Understood,
    scores: ProductScores,
    evidence: TextEvidence,
    columns: ProductColumns,
    nearness: KindNearness | None,
) -> tuple[Understood, AnswerSet]:
    kinds = scores.kinds.is_named & ~scores.excluded
    understood = _with_leaning(_with_found(understood, scores, kinds), columns, nearness)
    full = kinds & scores.has_all
    understood = replace(understood, complete=bool(full.any()))
    whole = bool(understood.rest) or np.count_nonzero(full) < MANY
    answers = kinds if whole else full
    others = None if whole else kinds & ~full
    if not any(ref.field != HEAD for kind in understood.kinds for ref in kind.refs):
        answers = answers | (evidence.held >= HOLDS_ALL)  # of the words that end some titles others are called too
    answers = answers | evidence.exact
    by_values = others is not None and bool(others.any())

    def near() -> Mask:
        found = others if others is not None and by_values else _next_kinds(understood, columns, nearness)
        return found & ~answers

    probability = 0.98 * max(kind.confidence for kind in understood.kinds)
    near_by = "values" if by_values else "kinds"
    return understood, AnswerSet(ANSWERS, probability, answers & columns.present, near, near_by)


def _with_leaning(understood: Understood, columns: ProductColumns, nearness: KindNearness | None) -> Understood:
    """Add which of several kinds that one name covers is meant: a bedside lamp is rather a table lamp."""
    named = {ref.label for kind in understood.kinds for ref in kind.refs if ref.field == CATEGORY}
    if nearness is None or not named or not understood.rest:
        return understood
    everything = columns.categories()
    below = [label for label in everything if any(is_below(label, parent) for parent in named)]
    if len(below) < 2:
        return understood
    found = nearness.nearest(understood.unnamed, everything)
    shares = [(label, share) for label, share in zip(found.labels, found.shares, strict=True) if label in below]
    return replace(understood, leaning=tuple(shares[:MAX_MEANT_KINDS]))


def _of_values(understood: Understood, scores: ProductScores, columns: ProductColumns) -> tuple[Understood, AnswerSet]:
    """Answer a question of values alone, such as a colour or a brand: what has all of them, else most of them."""
    allowed = columns.present & ~scores.excluded
    understood = _with_found(understood, scores, allowed)
    counts = np.sum([value.has for value in scores.values], axis=0) * allowed
    answers = (counts == counts.max()) & (counts > 0)
    understood = replace(understood, complete=bool(counts.max(initial=0) == len(scores.values)))
    return understood, AnswerSet(ANSWERS, 0.95, answers, lambda: _none(columns))


def _of_meaning(
    understood: Understood,
    scores: ProductScores,
    evidence: TextEvidence,
    columns: ProductColumns,
    nearness: KindNearness,
) -> tuple[Understood, AnswerSet]:
    """Answer a question that names no kind, by products that hold its words, and by the kinds that it is near to."""
    kinds = columns.categories()
    found = nearness.nearest(understood.unnamed, kinds)
    held = ((evidence.held >= HOLDS_TEXT) | evidence.exact) & columns.present & ~scores.excluded
    is_other = nearness.names_other_kind(understood.unnamed, kinds)
    whole = held & (evidence.exact if evidence.exact.any() else evidence.held >= HOLDS_ALL)
    if held.any() and is_other and not evidence.exact.any() and found.probability < MIN_NEAR:
        return understood, AnswerSet(
            NEAR, found.probability, _none(columns), lambda: held, "words"
        )  # a guitar on a T-shirt is none
    if evidence.exact.any() or (whole.any() and not is_other and found.probability < MIN_ANSWERS):
        return understood, AnswerSet(ANSWERS, WORDS_PROBABILITY, whole, lambda: _none(columns))
    most_probable = UNREADABLE if not evidence.readable else OTHER_THING if understood.other_thing else 1.0
    probability = min(found.probability, most_probable, OTHER_KIND if is_other else 1.0)
    if probability < MIN_NEAR or not found.labels:
        return understood, _nothing(columns, probability)
    most = MAX_MEANT_KINDS if probability >= MIN_ANSWERS else MAX_NEAR_KINDS
    meant = [
        (label, share)
        for label, share in zip(found.labels[:most], found.shares, strict=False)
        if share >= MIN_MEANT_SHARE * found.shares[0]
    ]
    by_meaning = tuple(_meant(label, share, meant[0][1], probability) for label, share in meant)
    understood = replace(understood, kinds=by_meaning)
    products = in_kinds([label for label, _ in meant], columns) & ~scores.excluded
    if probability < MIN_ANSWERS:
        return understood, AnswerSet(NEAR, probability, _none(columns), lambda: products | held, "kinds")
    understood = _with_found(understood, scores, products)
    full = products & scores.has_all
    answers = (full if np.count_nonzero(full) >= MANY else products) | held
    return understood, AnswerSet(ANSWERS, probability, answers, lambda: products & ~answers, "values")


def _meant(label: str, share: float, best: float, probability: float) -> UnderstoodKind:
    return UnderstoodKind((KindRef(CATEGORY, label, share / best),), "", probability * share, MEANING)


def _with_found(understood: Understood, scores: ProductScores, among: Mask) -> Understood:
    """Mark the wanted values that none of these products has."""
    has = iter([bool((value.has & among).any()) for value in scores.values])
    values = tuple(value if value.excluded else replace(value, found=next(has)) for value in understood.values)
    return replace(understood, values=values)


def _next_kinds(understood: Understood, columns: ProductColumns, nearness: KindNearness | None) -> Mask:
    labels = {ref.label for kind in understood.kinds for ref in kind.refs if ref.field == CATEGORY}
    known = columns.categories()
    if nearness is None or len(labels) != 1 or not labels <= known.keys():
        return _none(columns)
    return in_kinds(nearness.near_kinds(next(iter(labels)), known)[:MAX_NEAR_KINDS], columns)


def _nothing(columns: ProductColumns, probability: float) -> AnswerSet:
    return AnswerSet(NOTHING, probability, _none(columns), lambda: _none(columns))
