"""The words of products that changed since a generation was built: few of them, in memory."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from catalog.product import Product
from catalog.storage.word_index import WORD_COLUMNS, words_of
from indexer.types import Ids
from indexer.words.word_tables import FIELD_BITS, Fields

_TOKEN = re.compile(r"[a-z0-9.,=\x80-\U0010ffff]+")  # as SQLite cuts the catalogue's words

WordsOfProduct = Mapping[str, int]  # the fields that have each word, as FIELD_BITS


def words_by_field(product: Product) -> WordsOfProduct:
    """Return the words of a product, each with the fields that have it, as FIELD_BITS."""
    found: defaultdict[str, int] = defaultdict(int)
    for name, text in zip(WORD_COLUMNS, words_of(product), strict=True):
        for word in _TOKEN.findall(text.lower() if text.isascii() else _ascii_lower(text)):
            found[word] |= FIELD_BITS[name]
    return dict(found)


def _ascii_lower(text: str) -> str:
    return re.sub("[A-Z]+", lambda match: match.group().lower(), text)


@dataclass(frozen=True, slots=True, eq=False)
class ChangedWords:
    """The words of some products by place, without those of the places `gone`. Never changes."""

    by_word: Mapping[str, tuple[Ids, Fields]] = field(default_factory=dict)  # sorted places, and their fields
    gone: Ids = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, products: Iterable[tuple[int, WordsOfProduct]]) -> ChangedWords:
        """Return the words of products, which must come with rising places."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        fields: defaultdict[str, list[int]] = defaultdict(list)
        for place, words in products:
            for word, bits in words.items():
                places[word].append(place)
                fields[word].append(bits)
        return cls({word: (np.array(own, np.int64), np.array(fields[word], np.uint8)) for word, own in places.items()})

    def entries(self, word: str) -> tuple[Ids, Fields] | None:
        """Return the places, sorted, of the products that have a word, and in which fields; None where none has it."""
        found = self.by_word.get(word)
        if found is None or not len(self.gone):
            return found
        present = ~np.isin(found[0], self.gone)
        return (found[0][present], found[1][present]) if present.any() else None
