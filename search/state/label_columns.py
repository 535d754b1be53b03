"""Label columns: the categories, brands and attributes of products as numbers, quick to compare and to count."""

from __future__ import annotations

import re
import threading
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.product import Product, categories_down
from indexer.types import Ids, Mask
from search.query.filters import BRAND, CATEGORY, MAX_VALUE, Between, attribute_field, folded
from search.state.title_heads import HEAD, title_heads

CURRENCY = "price.currency"
ITEM_GROUP = "item_group_id"
VALUE_SEPARATOR = ", "  # between the values of an attribute that a feed gives more than once
_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\s*[^\d\s.,][^\d\s]*)?")  # with a unit or without

Codes = NDArray[np.int32]


class LabelDictionary:
    """The different spellings of one field's labels, numbered. It only grows; threads share it.

    Spellings that differ in case, width or spaces are one label, whose number is that of its first spelling.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._labels = array("q")  # of each spelling
        self._by_folded: dict[str, int] = {}
        self._variants: dict[str, int] = {}  # spellings other than the first of their label
        self._growing = threading.Lock()

    def __len__(self) -> int:
        return len(self._labels)

    def label(self, text: str) -> int:
        """Return the number of a label; -1 when it is unknown."""
        return self._by_folded.get(folded(text), -1)

    def labels(self, count: int) -> Ids | None:
        """Return the label of each of the first `count` spellings; None while each label has one spelling only."""
        return np.frombuffer(self._labels[:count], np.int64) if self._variants else None

    def add(self, text: str) -> tuple[int, int]:
        """Return the numbers of a spelling and of its label, new ones where they are new."""
        with self._growing:
            label = self._by_folded.setdefault(folded(text), len(self._labels))
            number = label
            if label < len(self._labels) and self.texts[label] != text:
                number = self._variants.setdefault(text, len(self._labels))
            if number == len(self._labels):
                self.texts.append(text)
                self._labels.append(label)
            return number, label


@dataclass(frozen=True)
class LabelColumn:
    """One field of all products: the product with ordinal `rows[i]` has spelling `codes[i]`; some have several or none.

    Every answer is about the products that are here now. The dictionary may have more labels, of earlier products.
    """

    words: LabelDictionary
    rows: Codes
    codes: Codes

    @classmethod
    def empty(cls, words: LabelDictionary) -> LabelColumn:
        """Return a field that no product has."""
        return cls(words, np.zeros(0, np.int32), np.zeros(0, np.int32))

    @cached_property
    def totals(self) -> Ids:
        """The number of products with each label; 0 for the numbers of other spellings, and for labels of none."""
        return self._by_label(self._spellings)

    @property
    def label_codes(self) -> Ids:
        """The number of the label of each of `codes`, which are of spellings."""
        codes = self.codes.astype(np.int64)
        return codes if self._labels is None else self._labels[codes]

    @cached_property
    def size(self) -> int:
        """The number of different labels."""
        return int(np.count_nonzero(self.totals))

    def code(self, text: str) -> int:
        """Return the number of a label; -1 when no product has it."""
        label = self.words.label(text)
        return label if 0 <= label < len(self.totals) and self.totals[label] else -1

    def text(self, code: int) -> str:
        """Return a label as most of its products spell it; of equally many spellings, the first in order."""
        return self._respelled.get(code) or self.words.texts[code]

    def texts(self) -> list[str]:
        """Return all labels."""
        return [self.text(code) for code in np.flatnonzero(self.totals).tolist()]

    def having(self, values: Iterable[str], count: int) -> Mask:
        """Return the mask of `count` products that have one of the values; of a value that lists several, all."""
        found = np.zeros(count, np.bool_)
        single = []
        for value in values:
            code = self.code(value)
            codes = [self.code(part) for part in value.split(VALUE_SEPARATOR) if part.strip()]
            if code >= 0:
                single.append(code)
            elif codes and min(codes) >= 0:
                found |= np.logical_and.reduce([self._with_labels([code], count) for code in codes])
        return found | self._with_labels(single, count)

    def between(self, bounds: Between, count: int) -> Mask:
        """Return the mask of `count` products with a number, of a unit or none ("12.5 cm"), within these bounds."""
        matches = map(_NUMBER.fullmatch, self.words.texts)
        numbers = np.array([float(match[1]) if match else np.nan for match in matches], np.float64)
        return self._with_spellings(bounds.includes(numbers), count)

    def counts(self, mask: Mask) -> Ids:
        """Return the number of masked products with each label, by number."""
        return self._by_label(np.bincount(self.codes[mask[self.rows]], minlength=len(self.totals)))

    def deepest_counts(self, separator: str) -> dict[str, int]:
        """Return the number of products whose longest label this is, in levels, for each such label, in order."""
        depths = np.array([text.count(separator) for text in self.words.texts], np.int64)
        order = np.lexsort((depths[self.codes], self.rows))
        last = np.append(self.rows[order][1:] != self.rows[order][:-1], True) if len(order) else np.zeros(0, np.bool_)
        counts = self._by_label(np.bincount(self.codes[order][last], minlength=len(self.totals)))
        return dict(sorted((self.text(code), int(counts[code])) for code in np.flatnonzero(counts).tolist()))

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

    @cached_property
    def _spellings(self) -> Ids:
        """The number of products with each spelling."""
        return np.bincount(self.codes, minlength=len(self.words))

    @cached_property
    def _respelled(self) -> dict[int, str]:
        """The most frequent spelling of each label that is spelled in more than one way."""
        counts = self._spellings
        labels = self._labels
        if labels is None:
            return {}
        several = np.bincount(labels, minlength=len(counts))[labels] > 1
        respelled: dict[int, tuple[int, str]] = {}
        for number in np.flatnonzero(several & (counts > 0)).tolist():
            spelling = (-int(counts[number]), self.words.texts[number])
            label = int(labels[number])
            respelled[label] = min(respelled.get(label, spelling), spelling)
        return {label: text for label, (_, text) in respelled.items()}

    @cached_property
    def _labels(self) -> Ids | None:
        return self.words.labels(len(self._spellings))

    def _by_label(self, counts: Ids) -> Ids:
        """Return the sums of counts by spelling at the numbers of their labels."""
        if self._labels is not None:
            counts = np.bincount(self._labels, weights=counts, minlength=len(counts))
        return counts.astype(np.int64, copy=False)

    def _with_labels(self, codes: Sequence[int], count: int) -> Mask:
        if not len(codes):
            return np.zeros(count, np.bool_)
        wanted = np.zeros(len(self.totals), np.bool_)
        wanted[codes] = True
        return self._with_spellings(wanted if self._labels is None else wanted[self._labels], count)

    def _with_spellings(self, wanted: Mask, count: int) -> Mask:
        found = np.zeros(count, np.bool_)
        found[self.rows[wanted[self.codes]]] = True
        return found


class LabelColumnBuilder:
    """Collects the labels of products, field by field, into existing and new dictionaries."""

    def __init__(self, dictionaries: Iterable[tuple[str, LabelDictionary]] = ()) -> None:
        self.words = dict(dictionaries)
        self.rows: defaultdict[str, list[int]] = defaultdict(list)
        self.codes: defaultdict[str, list[int]] = defaultdict(list)
        self._known: dict[tuple[str, str], tuple[int, int]] = {}  # spelling and label

    def add(self, ordinal: int, product: Product) -> None:
        """Add the labels of a product."""
        listed: set[tuple[str, int]] = set()
        for name, text in _labels_of(product):
            if (name, text) not in self._known:
                self._known[name, text] = self.words.setdefault(name, LabelDictionary()).add(text)
            code, label = self._known[name, text]
            if (name, label) in listed:  # twice in one product, perhaps spelled in another way
                continue
            listed.add((name, label))
            self.rows[name].append(ordinal)
            self.codes[name].append(code)


def _labels_of(product: Product) -> Iterator[tuple[str, str]]:
    """Yield every field and label of a product; a category has a label per level."""
    for category in categories_down(product.category_path):
        yield CATEGORY, category
    for head in title_heads(product):
        yield HEAD, head
    if product.brand:
        yield BRAND, product.brand
    if product.currency:
        yield CURRENCY, product.currency
    if product.item_group_id:
        yield ITEM_GROUP, product.item_group_id
    for name, text in product.attributes.items():
        field = attribute_field(name)
        for label in text.split(VALUE_SEPARATOR):
            if label.strip() and len(label) <= MAX_VALUE:
                yield field, label.strip()
