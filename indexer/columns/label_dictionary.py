"""Dictionaries of labels: the different spellings of a field, and the different lists of them that products have.

Both have a part that is mapped when a generation is opened, and one that grows with the changes since. Nothing is read
of the first part before it is asked for.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.columns.array_files import Arrays
from indexer.columns.fields import folded
from indexer.columns.text_column import HashIndex, TextColumn
from indexer.types import Ids

_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\s*[^\d\s.,][^\d\s]*)?")  # with a unit or without


class LabelDictionary:
    """The different spellings of one field's labels, numbered. It only grows; threads share it.

    Spellings that differ in case, width or spaces are one label, whose number is that of its first spelling.
    """

    def __init__(self, arrays: Arrays | None = None) -> None:
        """Make an empty dictionary, or one with what `arrays` returned."""
        if arrays is None:
            arrays = LabelDictionary._no_arrays()
        self.texts = TextColumn(arrays["blob"], arrays["offsets"])
        self._mapped = len(self.texts)
        self._mapped_labels = arrays["labels"] if len(arrays["labels"]) else None
        self._index = HashIndex(arrays["hashes"], arrays["places"])
        self._labels = array("q")  # of each spelling after the mapped ones
        self._by_folded: dict[str, int] = {}
        self._variants: dict[str, int] = {}  # spellings other than the first of their label
        self._growing = threading.Lock()
        self._amounts = np.zeros(0)

    @staticmethod
    def _no_arrays() -> Arrays:
        empty = np.zeros(0, np.int32)
        return {
            "blob": np.zeros(0, np.uint8),
            "offsets": np.zeros(1, np.int64),
            "labels": empty,
            "hashes": np.zeros(0, np.uint64),
            "places": empty,
        }

    def __len__(self) -> int:
        return self._mapped + len(self._labels)

    def arrays(self) -> Arrays:
        """Return the dictionary as arrays, to be mapped later."""
        texts = self.texts.packed()
        labels = self.labels(len(self))
        index = HashIndex.of(map(folded, texts))
        return {
            "blob": texts.blob,
            "offsets": texts.offsets,
            "labels": np.zeros(0, np.int32) if labels is None else labels.astype(np.int32),
            "hashes": index.hashes,
            "places": index.places,
        }

    def label(self, text: str) -> int:
        """Return the number of a label; -1 when it is unknown."""
        key = folded(text)
        found = self._by_folded.get(key)
        return self._mapped_label(key) if found is None else found

    def labels(self, count: int) -> Ids | None:
        """Return the label of each of the first `count` spellings; None while each label has one spelling only."""
        if self._mapped_labels is None and not self._variants:
            return None
        mapped = np.arange(self._mapped) if self._mapped_labels is None else self._mapped_labels.astype(np.int64)
        grown = np.frombuffer(self._labels[: max(0, count - self._mapped)], np.int64)
        return np.concatenate([mapped[:count], grown])

    def add(self, text: str) -> tuple[int, int]:
        """Return the numbers of a spelling and of its label, new ones where they are new."""
        with self._growing:
            key = folded(text)
            label = self._by_folded.get(key, -1)
            if label < 0 and self._mapped:
                label, number = self._mapped_spelling(key, text)
                if number >= 0:
                    return number, label
            if label < 0:
                label = self._by_folded[key] = len(self)
            number = label
            if label < len(self) and self.texts[label] != text:
                number = self._variants.setdefault(text, len(self))
            if number == len(self):
                self.texts.tail.append(text)
                self._labels.append(label)
            return number, label

    def amounts(self, count: int) -> NDArray[np.float64]:
        """Return the number that each of the first `count` spellings is, with a unit or none; nan for others."""
        known = self._amounts
        if len(known) < count:
            matches = map(_NUMBER.fullmatch, self.texts[len(known) : count])
            more = [float(match[1]) if match else np.nan for match in matches]
            known = self._amounts = np.concatenate([known, np.array(more, np.float64)])
        return known[:count]

    def _mapped_label(self, key: str) -> int:
        if self._mapped:
            for place in self._index.candidates(key):
                if folded(self.texts[place]) == key:
                    return place if self._mapped_labels is None else int(self._mapped_labels[place])
        return -1

    def _mapped_spelling(self, key: str, text: str) -> tuple[int, int]:
        """Return the numbers of a mapped label and of this spelling of it; -1 for what is not mapped."""
        label = -1
        for place in self._index.candidates(key):
            spelling = self.texts[place]
            if spelling == text or folded(spelling) == key:
                label = place if self._mapped_labels is None else int(self._mapped_labels[place])
                if spelling == text:
                    return label, place
        return label, -1


class LabelLists:
    """The different lists of spellings that products have in one field, numbered; number 0 is the empty list.

    It only grows; threads share it. A list that was mapped may be there once more among the new ones.
    """

    def __init__(self, ends: NDArray[Any] | None = None, codes: NDArray[np.int32] | None = None) -> None:
        self._ends = np.zeros(1, np.int64) if ends is None else ends  # of each list in `codes`
        self._codes = np.zeros(0, np.int32) if codes is None else codes
        self._new: list[tuple[int, ...]] = []
        self._known: dict[tuple[int, ...], int] = {(): 0}
        self._growing = threading.Lock()

    def __len__(self) -> int:
        return len(self._ends) + len(self._new)

    def __getitem__(self, number: int) -> tuple[int, ...]:
        if number >= len(self._ends):
            return self._new[number - len(self._ends)]
        first = self._ends[number - 1] if number else 0
        return tuple(self._codes[first : self._ends[number]].tolist())

    def add(self, codes: tuple[int, ...]) -> int:
        """Return the number of a list, a new one where it is new since the mapped ones."""
        number = self._known.get(codes)
        if number is None:
            with self._growing:
                number = self._known.get(codes, len(self))
                if number == len(self):
                    self._new.append(codes)
                    self._known[codes] = number
        return number

    def spans(self, count: int) -> tuple[Ids, NDArray[np.int32]]:
        """Return the sizes of the first `count` lists, and the spellings of all of them one after another."""
        sizes = np.diff(self._ends, prepend=0).astype(np.int64)
        if not self._new:
            return sizes[:count], self._codes
        new: Sequence[tuple[int, ...]] = self._new[: max(0, count - len(self._ends))]
        more = np.fromiter(map(len, new), np.int64, len(new))
        codes = np.array([code for codes in new for code in codes], np.int32)
        return np.concatenate([sizes, more])[:count], np.concatenate([self._codes, codes])
