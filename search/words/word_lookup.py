"""Which products have which words: what reading a text and scoring products by it ask of a shop's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from catalog.storage.word_index import Words
from indexer.types import Ids
from indexer.words.word_tables import Ordinals
from search.words.scored import Scored, merge

FIELD_WEIGHTS = {"name": 1.0, "kind": 1.0, "text": 0.8}  # a match in a description counts less


class WordCounts(Protocol):
    """The words of a shop at one state, and how many products have each."""

    @property
    def is_lasting(self) -> bool:
        """Whether they can be read later, and by another thread."""

    def known(self, words: Sequence[str]) -> bool:
        """Return whether any product has one of the words."""

    def count(self, words: Sequence[str], limit: int) -> int:
        """Return how many products have one of the words, counted up to `limit`."""

    def vocabulary(self) -> list[tuple[str, int]]:
        """Return the words and the number of products that have each, in the order of the words."""

    def seq(self) -> int:
        """Return the number of the last change that these words show."""


class WordLookup(WordCounts, Protocol):
    """The products of a shop by their words. A product is a place; places rise with keys."""

    @property
    def size(self) -> int | None:
        """The number of places; None where places are keys."""

    @property
    def keys(self) -> Ids:
        """The keys of all places; of none where places are keys."""

    def products(self) -> int:
        """Return the number of products."""

    def holding(self, words: Sequence[str], field: str) -> Ordinals:
        """Return the sorted places of the products with one of the words in a field."""

    def scored(self, words: Sequence[str]) -> Scored:
        """Return the products with one of the words, with the weight of the best field that has one."""

    def keys_of(self, places: Ordinals) -> Ids:
        """Return the keys of places."""


class CatalogueWords:
    """The words that the catalogue's own index has now; places are keys."""

    size: int | None = None
    is_lasting = False  # SQLite's connection is of one thread
    keys: Ids = np.zeros(0, np.int64)

    def __init__(self, index: Words) -> None:
        self._index = index
        self.known, self.count = index.known, index.count
        self.vocabulary, self.seq, self.products = index.vocabulary, index.seq, index.products

    def holding(self, words: Sequence[str], field: str) -> Ordinals:
        """Return the sorted keys of the products with one of the words in a field."""
        return np.fromstring(self._index.postings(words, field), np.int64, sep=",")

    def scored(self, words: Sequence[str]) -> Scored:
        """Return the products with one of the words, with the weight of the best field that has one."""
        parts = [Scored.of(self.holding(words, name), weight) for name, weight in FIELD_WEIGHTS.items()]
        return merge(parts, np.maximum, None)

    def keys_of(self, places: Ordinals) -> Ids:
        """Return the keys, which places are."""
        return places.astype(np.int64, copy=False)
