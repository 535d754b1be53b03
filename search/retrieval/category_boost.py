"""Boost one category in "this, but red": a shopper who changes one thing about a product wants the same category."""

from __future__ import annotations

from collections import Counter

from catalog.product import CATEGORY_SEPARATOR
from catalog.storage.catalogue import Catalogue
from catalog.text.tokenizer import normalise, singularise
from search.hits import CATEGORY_PART
from search.query.filters import CATEGORY, Filter, OneOf
from search.query.query_encoder import EncodedQuery
from search.query.terms import PictureTerm, ProductTerm, TextTerm, VectorTerm
from search.retrieval.lexical_fusion import TextMatch, TextScores
from search.retrieval.serving_state import ServingState

CATEGORY_SHARE = 0.15  # a share of 0.1 keeps the category in 0.99 of the first ten on fashion; without the boost 0.75
MAX_VOTERS = 10  # products most like a picture, which vote
MIN_MAJORITY = 0.6  # share of the voters from which their category is the picture's


def boost_category(
    state: ServingState, catalogue: Catalogue, encoded: EncodedQuery, text: TextMatch | None
) -> TextScores | None:
    """Return the text scores, with a bonus for the category of an example that text modifies: "this, but red"."""
    scores = text.scores if text else None
    terms = encoded.query.terms
    examples = [term for term in terms if not isinstance(term, TextTerm) and term.weight > 0]
    if text is None or scores is None or encoded.vector is None or not examples:
        return scores
    category = _category_of(state, catalogue, max(examples, key=lambda term: term.weight))
    if not category:
        return scores
    columns = state.columns
    keys = columns.keys[columns.matching(Filter((OneOf(CATEGORY, (category,)),)))]
    wanted = [term.words for term in terms if isinstance(term, TextTerm) and term.weight > 0]
    words = {word for phrase in wanted for word in _words(text.readings[phrase].encoder_words)}
    category_words = {word for label in columns.labels_of(CATEGORY).texts() for word in _words(_last_level(label))}
    if words & category_words and words.isdisjoint(_words(_last_level(category))):
        return scores
    return scores.and_part(CATEGORY_PART, keys, CATEGORY_SHARE)


def _last_level(category: str) -> str:
    return category.rpartition(CATEGORY_SEPARATOR)[2]


def _words(text: str) -> list[str]:
    return [singularise(word) for word in normalise(text).split() if len(word) > 1]


def _category_of(state: ServingState, catalogue: Catalogue, term: PictureTerm | VectorTerm | ProductTerm) -> str:
    if isinstance(term, ProductTerm):
        return catalogue.get(term.product_id).category
    if isinstance(term, PictureTerm):
        return ""
    _, rows = state.snapshot.search(state.query_encoder.picture_query(term), MAX_VOTERS)
    keys = list(dict.fromkeys(state.snapshot.keys_of(rows).tolist()))
    votes = Counter(product.category for product in catalogue.get_many(keys).values())
    category, count = votes.most_common(1)[0] if votes else ("", 0)
    return category if count >= MIN_MAJORITY * len(keys) else ""
