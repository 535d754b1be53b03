"""Rank what may be suggested: words by their products, products by stock and title."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.text.tokenizer import unspaced
from indexer.suggestions.sorted_words import Range
from indexer.suggestions.word_segment import WordSegment
from indexer.types import Ids
from search.state.column_store import ProductColumns

LEAST_WEIGHT = 0.2  # of a word that no title has, when words are ranked by their products
MAX_READ = 100  # products whose titles are read, the best ones by what is known of all


def weights_of(products: Ids, title_shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the numbers of products, less where titles hardly have the word: "summer" as the season of a shirt."""
    return np.asarray(products * np.maximum(LEAST_WEIGHT, title_shares))


def says_nothing_alone(word: str) -> bool:
    """Return whether nobody would search for a word by itself: a number, a letter."""
    return word.isdecimal() or (len(word) == 1 and not unspaced(word))


def best_products(segment: WordSegment, columns: ProductColumns, places: Ids, words: Range, limit: int) -> list[int]:
    """Return the keys of the best of some products: in stock, the title begins with a word of a range, or has one."""
    if not len(places):
        return []
    ordinals = segment.ordinals(columns, places)
    stock = np.append(columns.stock, False)[ordinals]
    firsts = segment.texts[segment.text_starts[places]]
    begins = (firsts >= words[0]) & (firsts < words[1])
    worse = (2 * ~stock + ~begins).astype(np.uint8)
    places = places[np.argsort(worse, kind="stable")][:MAX_READ]
    ranked = places[np.argsort(~segment.in_titles(places, words), kind="stable")][:limit]
    keys: list[int] = segment.table.keys[ranked].tolist()
    return keys
