"""Label columns: the categories, brands and attributes of products as numbers, quick to compare and to count."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR, Product
from indexer.types import Ids, Mask
from search.query.filters import BRAND, CATEGORY, MAX_VALUE, Between, attribute_field, folded

CURRENCY = "price.currency"
VALUE_SEPARATOR = ", "  # between the values of an attribute that a feed gives more than once
_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\s*[^\d\s.,][^\d\s]*)?")  # with a unit or without

Codes = NDArray[np.int32]


class LabelDictionary:
    """The different labels of one field, numbered. It only grows; threads share it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._growing = threading.Lock()

    def __len__(self) -> int:
        return len(self.texts)

    def code(self, text: str) -> int:
        """Return the number of a label; -1 when it is unknown."""
        return self._codes.get(folded(text), -1)

    def add(self, text: str) -> int:
        """Return the number of a label, a new one for a new label; its first spelling stays."""
        key = folded(text)
        with self._growing:
            if key not in self._codes:
                self.texts.append(text)
                self._codes[key] = len(self.texts) - 1
            return self._codes[key]


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """One field of all products: the product with ordinal `rows[i]` has label `codes[i]`; some have several or none."""

    words: LabelDictionary
    rows: Codes
    codes: Codes

    @classmethod
    def empty(cls, words: LabelDictionary) -> LabelColumn:
        """Return a field that no product has."""
        return cls(words, np.zeros(0, np.int32), np.zeros(0, np.int32))

    def having(self, values: Iterable[str], count: int) -> Mask:
        """Return the mask of `count` products that have one of the values; of a value that lists several, all."""
        found = np.zeros(count, np.bool_)
        single = []
        for value in values:
            code = self.words.code(value)
            codes = [self.words.code(part) for part in value.split(VALUE_SEPARATOR) if part.strip()]
            if code >= 0:
                single.append(code)
            elif codes and min(codes) >= 0:
                found |= np.logical_and.reduce([self._with_codes([code], count) for code in codes])
        return found | self._with_codes(single, count)

    def between(self, bounds: Between, count: int) -> Mask:
        """Return the mask of `count` products with a number, of a unit or none ("12.5 cm"), within these bounds."""
        matches = map(_NUMBER.fullmatch, self.words.texts)
        numbers = np.array([float(match[1]) if match else np.nan for match in matches], np.float64)
        return self._with_codes(np.flatnonzero(bounds.includes(numbers)), count)

    def counts(self, mask: Mask) -> Ids:
        """Return the number of masked products with each label, by code."""
        return np.bincount(self.codes[mask[self.rows]], minlength=len(self.words)).astype(np.int64, copy=False)

    def changed(self, touched: Mask, rows: Sequence[int], codes: Sequence[int]) -> LabelColumn:
        """Return these labels without those of the touched products, and with the new ones."""
        unchanged = ~touched[self.rows]
        if not rows and unchanged.all():
            return self
        return LabelColumn(
            self.words,
            np.concatenate([self.rows[unchanged], np.array(rows, np.int32)]),
            np.concatenate([self.codes[unchanged], np.array(codes, np.int32)]),
        )

    def moved(self, ordinals: Ids) -> LabelColumn:
        """Return these labels with new ordinals, -1 for removed products."""
        rows = ordinals[self.rows]
        return LabelColumn(self.words, rows[rows >= 0].astype(np.int32), self.codes[rows >= 0])

    def _with_codes(self, codes: Sequence[int] | Ids, count: int) -> Mask:
        found = np.zeros(count, np.bool_)
        if len(codes):
            wanted = np.zeros(len(self.words), np.bool_)
            wanted[codes] = True
            found[self.rows[wanted[self.codes]]] = True
        return found


class LabelColumnBuilder:
    """Collects the labels of products, field by field, into existing and new dictionaries."""

    def __init__(self, dictionaries: Iterable[tuple[str, LabelDictionary]] = ()) -> None:
        self.words = dict(dictionaries)
        self.rows: defaultdict[str, list[int]] = defaultdict(list)
        self.codes: defaultdict[str, list[int]] = defaultdict(list)
        self._known: dict[tuple[str, str], int] = {}

    def add(self, ordinal: int, product: Product) -> None:
        """Add the labels of a product."""
        for name, text in set(_labels_of(product)):
            if (name, text) not in self._known:
                self._known[name, text] = self.words.setdefault(name, LabelDictionary()).add(text)
            self.rows[name].append(ordinal)
            self.codes[name].append(self._known[name, text])


def categories_down(path: Sequence[str]) -> Iterator[str]:
    """Return the full path of each level of a category, from the root down."""
    return accumulate(path, lambda parent, name: parent + CATEGORY_SEPARATOR + name)


def _labels_of(product: Product) -> Iterator[tuple[str, str]]:
    """Yield every field and label of a product; a category has a label per level."""
    for category in categories_down(product.category_path):
        yield CATEGORY, category
    if product.brand:
        yield BRAND, product.brand
    if product.currency:
        yield CURRENCY, product.currency
    for name, text in product.attributes.items():
        field = attribute_field(name)
        for label in text.split(VALUE_SEPARATOR):
            if label.strip() and len(label) <= MAX_VALUE:
                yield field, label.strip()
