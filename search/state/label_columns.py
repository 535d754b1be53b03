"""What products say in words (category, brand, attributes) as numbers: quick to compare, and to count."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.product import CATEGORY_SEPARATOR, Product
from search.query.filters import BRAND, CATEGORY, MAX_VALUE, attribute_field, folded

CURRENCY = "price.currency"
SEVERAL = ", "  # between the values of an attribute that a feed gives more than once
_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\s*[^\d\s.,][^\d\s]*)?")  # with a unit or without

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]


class LabelDictionary:
    """The different labels of one field, numbered; it only ever grows, and is shared by threads."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._growing = threading.Lock()

    def __len__(self) -> int:
        return len(self.texts)

    def code(self, text: str) -> int:
        """The number of a label; -1 when there is none like it."""
        return self._codes.get(folded(text), -1)

    def learn(self, text: str) -> int:
        """The number of a label, a new one when there was none like it; the first spelling is kept."""
        key = folded(text)
        with self._growing:
            if key not in self._codes:
                self.texts.append(text)
                self._codes[key] = len(self.texts) - 1
            return self._codes[key]

    def numbers(self) -> NDArray[np.float64]:
        """The labels that are numbers, with a unit or without ("12.5 cm"), as numbers; nan for the others."""
        found = (_NUMBER.fullmatch(text) for text in self.texts)
        return np.array([float(match[1]) if match else np.nan for match in found], np.float64)


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """One field of all products: the product with ordinal `rows[i]` has label `codes[i]`; some have several or none."""

    words: LabelDictionary
    rows: Codes
    codes: Codes

    @classmethod
    def none(cls) -> LabelColumn:
        """A field that no product has."""
        return cls(LabelDictionary(), np.zeros(0, np.int32), np.zeros(0, np.int32))

    def having(self, values: Iterable[str], count: int) -> Mask:
        """Which of `count` products have one of these values; of a value that lists several, all of them."""
        found = np.zeros(count, np.bool_)
        single = []
        for value in values:
            code = self.words.code(value)
            if code >= 0:
                single.append(code)
            elif SEVERAL in value:
                codes = [self.words.code(part) for part in value.split(SEVERAL) if part.strip()]
                if codes and min(codes) >= 0:
                    found |= np.logical_and.reduce([self._coded([each], count) for each in codes])
        return found | self._coded(single, count)

    def between(self, least: float, most: float, count: int) -> Mask:
        """Which of `count` products have a value that is a number within these bounds."""
        numbers = self.words.numbers()
        return self._coded(np.flatnonzero((numbers >= least) & (numbers <= most)), count)

    def counts(self, mask: Mask) -> Ints:
        """How many of the masked products have each label, by code."""
        return np.bincount(self.codes[mask[self.rows]], minlength=len(self.words)).astype(np.int64, copy=False)

    def changed(self, touched: Mask, rows: Sequence[int], codes: Sequence[int]) -> LabelColumn:
        """These labels without those of the touched products, and with the new ones."""
        kept = ~touched[self.rows]
        if not rows and kept.all():
            return self
        return LabelColumn(
            self.words,
            np.concatenate([self.rows[kept], np.array(rows, np.int32)]),
            np.concatenate([self.codes[kept], np.array(codes, np.int32)]),
        )

    def moved(self, places: Ints) -> LabelColumn:
        """These labels when products move to other places, -1 for those that are no more."""
        rows = places[self.rows]
        return LabelColumn(self.words, rows[rows >= 0].astype(np.int32), self.codes[rows >= 0])

    def _coded(self, codes: Sequence[int] | Ints, count: int) -> Mask:
        found = np.zeros(count, np.bool_)
        if len(codes):
            wanted = np.zeros(len(self.words), np.bool_)
            wanted[codes] = True
            found[self.rows[wanted[self.codes]]] = True
        return found


class LabelColumnBuilder:
    """Gathers the labels of products, field by field, into the vocabularies that there are and new ones."""

    def __init__(self, vocabularies: Iterable[tuple[str, LabelDictionary]] = ()) -> None:
        self.words = dict(vocabularies)
        self.rows: dict[str, list[int]] = {}
        self.codes: dict[str, list[int]] = {}
        self._known: dict[tuple[str, str], int] = {}

    def add(self, ordinal: int, product: Product) -> None:
        """Note what a product says."""
        for name, text in set(_labels_of(product)):
            code = self._known.get((name, text))
            if code is None:
                code = self._known[name, text] = self.words.setdefault(name, LabelDictionary()).learn(text)
            rows, codes = self.rows.setdefault(name, []), self.codes.setdefault(name, [])
            rows.append(ordinal)
            codes.append(code)


def _labels_of(product: Product) -> Iterator[tuple[str, str]]:
    """Every field and label of a product; a category is one of each of its levels."""
    path = product.category_path
    for depth in range(1, len(path) + 1):
        yield CATEGORY, CATEGORY_SEPARATOR.join(path[:depth])
    if product.brand:
        yield BRAND, product.brand
    if product.currency:
        yield CURRENCY, product.currency
    for name, text in product.attributes.items():
        field = attribute_field(name)
        for label in text.split(SEVERAL):
            if label.strip() and len(label) <= MAX_VALUE:
                yield field, label.strip()
