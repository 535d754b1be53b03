"""The kind of a thing in "this, but red": who changes one thing about a product wants the same kind of thing."""

from __future__ import annotations

from collections import Counter

import numpy as np

from catalog.product import CATEGORY_SEPARATOR
from catalog.storage.catalogue import Catalogue
from catalog.text.tokenizer import normalise, singularise
from search.hits import KIND
from search.query.filters import CATEGORY, Filter, OneOf
from search.query.terms import PictureTerm, ProductTerm, Query, TextTerm, VectorTerm
from search.retrieval.candidates import TextScores
from search.retrieval.lexical_fusion import TextMatch
from search.retrieval.serving_state import ServingState
from search.state.column_store import ProductColumns
from search.state.label_columns import Ints

SHARE = 0.15  # at 0.1 the kind is kept for 0.99 of the first ten on fashion, without it for 0.75
VOTERS = 10
MAJORITY = 0.6  # of the products most like a picture, for their kind to be the picture's


def boost_category(served: ServingState, catalogue: Catalogue, query: Query, words: TextMatch) -> TextScores | None:
    """What counts beside the vectors, and that a product is of the kind of the product or picture that words change.

    Nothing is added when the words name another kind, or when nobody knows the kind.
    """
    beside = words.found
    shown = [term for term in query.terms if not isinstance(term, TextTerm) and term.weight > 0]
    if beside is None or not shown:
        return beside
    heaviest = max(shown, key=lambda term: term.weight)
    category = _kind_of(served, catalogue, heaviest)
    if not category:
        return beside
    columns = served.columns
    keys = columns.keys[columns.matching(Filter((OneOf(CATEGORY, (category,)),)))]
    wanted = [term.words for term in query.terms if isinstance(term, TextTerm) and term.weight > 0]
    said = {word for each in wanted for word in _words(words.readings[each].encoder_words)}
    if said & _kinds(served.columns) and not said & set(_words(category.rpartition(CATEGORY_SEPARATOR)[2])):
        return beside
    return beside.and_part(KIND, keys, SHARE)


def _kinds(columns: ProductColumns) -> set[str]:
    """The words that name kinds of things in this shop: the last parts of its categories."""
    labels = columns.labels_of(CATEGORY).words.texts
    return {word for label in labels for word in _words(label.rpartition(CATEGORY_SEPARATOR)[2])}


def _words(text: str) -> list[str]:
    return [singularise(word) for word in normalise(text).split() if len(word) > 1]


def _kind_of(served: ServingState, catalogue: Catalogue, term: PictureTerm | VectorTerm | ProductTerm) -> str:
    if isinstance(term, ProductTerm):
        return catalogue.get(term.product_id).category
    if isinstance(term, PictureTerm):
        return ""
    _, rows = served.snapshot.search(served.questions.pictured(term), VOTERS)
    keys = _firsts(served.snapshot.keys_of(rows))
    votes = Counter(product.category for product in catalogue.get_many(keys.tolist()).values())
    category, count = votes.most_common(1)[0] if votes else ("", 0)
    return category if count >= MAJORITY * len(keys) else ""


def _firsts(keys: Ints) -> Ints:
    return np.array(list(dict.fromkeys(keys.tolist())), np.int64)
