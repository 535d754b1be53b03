"""Questions in shoppers' own words: no content word of theirs stands in a title, category or attribute of the shop.

They were written before any was searched for. No product file may hold words taken from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from catalog.product import Product
from catalog.text.labelled_csv import read_labelled_csv
from catalog.text.tokenizer import bigrams, singularise, unspaced
from search.evaluation.catalogue_grader import KindQuestion
from tests.quality.question_sets.colour_kind import DATA

_FUNCTION_WORDS = (
    "a an the and or of for with without in on at to by from up off out over above under next before after as is are "
    "it its be i me my we you your he she his her they their this that these those some any all one no not yet again "
    "something somewhere thing where can what so when there want need like use used take keep put make bring get go "
    "let see"
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+")


def own_words(shop: str, language: str, part: str) -> list[KindQuestion]:
    """The questions to one shop, "sample" or "fashion"; any of their kinds is right."""
    rows = read_labelled_csv(DATA / f"own_words_{shop}.csv", ("question", "lang", "kinds", "part"))
    return [
        KindQuestion(row.values["question"], tuple(row.values["kinds"].split("|")), language=language)
        for row in rows
        if (row.values["lang"], row.values["part"]) == (language, part)
    ]


def shop_words(products: Iterable[Product]) -> frozenset[str]:
    """The words, and the pairs of Chinese characters, in titles, categories, brands and attributes of products."""
    words: set[str] = set()
    for product in products:
        attributes = (value for name, value in product.attributes.items() if not name.startswith("description"))
        for text in (product.title, product.category, product.brand, *attributes):
            words.update(_units(text))
    return frozenset(words)


def content_words(question: str) -> list[str]:
    """The words of a question that say what is wanted; of Chinese every pair of characters."""
    return [word for word in _units(question) if word not in FUNCTION_WORDS]


def _units(text: str) -> Iterator[str]:
    for word in _WORD.findall(text.casefold()):
        if unspaced(word):
            yield from bigrams(word)
        else:
            yield singularise(word)
