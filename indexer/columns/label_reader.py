"""Read the labels of products, field by field, as lists of spellings."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from catalog.product import Product, categories_down, levels_of
from indexer.columns.fields import (
    ATTRIBUTE,
    BRAND,
    CATEGORY,
    CURRENCY,
    HEAD,
    ITEM_GROUP,
    MAX_VALUE,
    VALUE_SEPARATOR,
    attribute_field,
)
from indexer.columns.label_columns import LabelColumn
from indexer.columns.label_dictionary import LabelDictionary, LabelLists
from indexer.columns.title_heads import title_heads

MAX_REMEMBERED = 200_000  # values of attributes whose labels are remembered while products are read


class LabelReader:
    """Reads the labels of products into existing and new dictionaries."""

    def __init__(self, dictionaries: Iterable[tuple[str, LabelDictionary]] = ()) -> None:
        self.words = dict(dictionaries)
        self._known: dict[tuple[str, str], tuple[str, _Labels]] = {}  # by name of attribute and value
        self._fields: dict[str, str] = {}  # by name of attribute

    def read(self, product: Product) -> dict[str, tuple[int, ...]]:
        """Return the spellings of a product's labels by field, each label once; only of fields that it has."""
        found: dict[str, _Labels] = {}
        for name, text in _values_of(product):
            known = self._known.get((name, text))
            if known is None:
                known = self._read_value(name, text)
            field, labels = known
            found[field] = _joined(found[field], labels) if field in found else labels
        return {field: labels.codes for field, labels in found.items() if labels.codes}

    def _read_value(self, name: str, text: str) -> tuple[str, _Labels]:
        field = self._fields.get(name)
        if field is None:
            field = self._fields[name] = name if name in _FIELDS else attribute_field(name.removeprefix(ATTRIBUTE))
        labels = _Labels((), ())
        for label in _labels_of(field, text):
            if field not in self.words:
                self.words[field] = LabelDictionary()
            code, number = self.words[field].add(label)
            labels = _joined(labels, _Labels((code,), (number,)))
        if len(self._known) >= MAX_REMEMBERED:
            self._known.clear()
        self._known[name, text] = field, labels
        return field, labels


class _Labels(NamedTuple):
    """Spellings, and the label of each."""

    codes: tuple[int, ...]
    labels: tuple[int, ...]


_FIELDS = frozenset((CATEGORY, HEAD, BRAND, CURRENCY, ITEM_GROUP))


def _values_of(product: Product) -> Iterator[tuple[str, str]]:
    """Yield every field and value of a product; of attributes the name, with a prefix, and the whole text."""
    if product.category:
        yield CATEGORY, product.category
    for head in title_heads(product):
        yield HEAD, head
    if product.brand:
        yield BRAND, product.brand
    if product.currency:
        yield CURRENCY, product.currency
    if product.item_group_id:
        yield ITEM_GROUP, product.item_group_id
    for name, text in product.attributes.items():
        yield ATTRIBUTE + name, text


def _labels_of(field: str, text: str) -> Iterable[str]:
    """Return the labels of a value; a category has one per level."""
    if field == CATEGORY:
        return categories_down(levels_of(text))
    if field in _FIELDS:
        return (text,)
    return [label.strip() for label in text.split(VALUE_SEPARATOR) if label.strip() and len(label) <= MAX_VALUE]


def _joined(labels: _Labels, more: _Labels) -> _Labels:
    """Return labels and those of some more that are not there yet, perhaps spelled in another way."""
    pairs = zip(more.codes, more.labels, strict=True)
    new = [(code, label) for code, label in pairs if label not in labels.labels]
    return _Labels((*labels.codes, *(code for code, _ in new)), (*labels.labels, *(label for _, label in new)))


class LabelColumnsBuilder:
    """Collects the labels of all products of a shop."""

    def __init__(self) -> None:
        self._reader = LabelReader()
        self._lists: dict[str, LabelLists] = {}
        self._numbers: dict[str, array[int]] = {}

    def add(self, ordinal: int, product: Product) -> None:
        """Add the labels of the next product."""
        for name, codes in self._reader.read(product).items():
            numbers = self._numbers.get(name)
            if numbers is None:
                numbers = self._numbers[name] = array("i")
                self._lists[name] = LabelLists()
            if len(numbers) < ordinal:
                numbers.extend([0] * (ordinal - len(numbers)))
            numbers.append(self._lists[name].add(codes))

    def columns(self) -> Mapping[str, LabelColumn]:
        """Return the fields of all products that were added."""
        words = self._reader.words
        return {
            name: LabelColumn.of(words[name], self._lists[name], np.array(numbers, np.int32))
            for name, numbers in self._numbers.items()
        }
