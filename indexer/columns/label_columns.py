"""Label columns: the categories, brands and attributes of products as numbers, quick to compare and to count.

A product has one number a field: that of its list of spellings. Products of the same list have the same number, so what
is asked of labels is answered for the few lists first, and then for all products in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.columns.fields import VALUE_SEPARATOR
from indexer.columns.label_dictionary import LabelDictionary, LabelLists
from indexer.types import Floats, Ids, Mask

FEW_LISTS = 12  # lists whose products are found by comparing, which is faster than by looking each number up


@dataclass(frozen=True, eq=False)
class LabelColumn:
    """One field of all products: the product with ordinal i has the list of spellings `numbers[i]`, 0 for none.

    `numbers` (n,) may be shorter than the columns: products beyond it have none. `list_counts` has the number of
    products of each list. Every answer is about the products that are here now; the dictionary may have more labels.
    """

    words: LabelDictionary
    lists: LabelLists
    numbers: NDArray[Any]
    list_counts: Ids

    @classmethod
    def of(cls, words: LabelDictionary, lists: LabelLists, numbers: NDArray[Any]) -> LabelColumn:
        """Return the field whose products have these lists."""
        count = len(lists)
        return cls(words, lists, numbers.astype(number_type(count)), np.bincount(numbers, minlength=count))

    @classmethod
    def empty(cls, words: LabelDictionary | None = None) -> LabelColumn:
        """Return a field that no product has."""
        return cls.of(LabelDictionary() if words is None else words, LabelLists(), np.zeros(0, np.int64))

    @cached_property
    def totals(self) -> Ids:
        """The number of products with each label; 0 for the numbers of other spellings, and for labels of none."""
        return self.label_counts(self.list_counts)

    @cached_property
    def size(self) -> int:
        """The number of different labels."""
        return int(np.count_nonzero(self.totals))

    @cached_property
    def entries(self) -> int:
        """The number of labels of all products together."""
        return int(self.spelling_counts.sum())

    @cached_property
    def rows(self) -> NDArray[np.int32]:
        """The ordinal of each entry: a product with several labels comes several times."""
        return np.repeat(np.arange(len(self.numbers), dtype=np.int32), self._spans[0][self.numbers])

    @cached_property
    def codes(self) -> NDArray[np.int32]:
        """The spelling of each entry of `rows`."""
        sizes, codes = self._spans
        starts = np.cumsum(sizes) - sizes
        held = sizes[self.numbers]
        skipped = np.cumsum(held) - held
        places = np.repeat(starts[self.numbers] - skipped, held) + np.arange(held.sum())
        return np.asarray(codes[places], np.int32)

    @property
    def label_codes(self) -> Ids:
        """The label of each entry of `rows`."""
        codes = self.codes.astype(np.int64)
        return codes if self._labels is None else self._labels[codes]

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
        return self.of_lists(self.lists_having(values), count)

    def lists_having(self, values: Iterable[str]) -> Mask:
        """Return the mask of the lists (lists,) of the products that `having` returns."""
        wanted = np.zeros(len(self.list_counts), np.bool_)
        single = []
        for value in values:
            code = self.code(value)
            codes = [self.code(part) for part in value.split(VALUE_SEPARATOR) if part.strip()]
            if code >= 0:
                single.append(code)
            elif codes and min(codes) >= 0:
                wanted |= np.logical_and.reduce([self._lists_with([code]) for code in codes])
        return wanted | self._lists_with(single)

    def passing(self, test: Callable[[NDArray[np.float64]], Mask], count: int) -> Mask:
        """Return the mask of `count` products with a number, of a unit or none ("12.5 cm"), that passes a test."""
        passed = test(self.words.amounts(len(self.spelling_counts)))
        return self.of_lists(self._lists_spelling(passed), count)

    def highest(self, values: Floats) -> Floats:
        """Return the largest of the values (spellings,) of each list's spellings (lists,); 0 of the empty list."""
        sizes, codes = self._spans
        of_lists = np.zeros(len(sizes), np.float32)
        filled = np.flatnonzero(sizes)
        if len(filled):
            starts = (np.cumsum(sizes) - sizes)[filled]
            of_lists[filled] = np.maximum.reduceat(values[codes], starts)
        return of_lists

    def spread(self, values: Floats, count: int, places: Ids | None = None) -> Floats:
        """Return the value (lists,) of the list of each of `count` products, or of those at some rising places."""
        if places is None:
            of_each = np.zeros(count, np.float32)
            of_each[: len(self.numbers)] = values[self.numbers[:count]]
            return of_each
        within = int(np.searchsorted(places, len(self.numbers)))
        known: Floats = values.take(self.numbers.take(places[:within]))  # in half the time of values[numbers[places]]
        return known if within == len(places) else np.append(known, np.zeros(len(places) - within, np.float32))

    def counts(self, mask: Mask) -> Ids:
        """Return the number of masked products with each label, by number."""
        return self.label_counts(self.list_counts_at(np.flatnonzero(mask)))

    def list_counts_at(self, ordinals: Ids) -> Ids:
        """Return the number of these products (rising ordinals) with each list, by number."""
        if len(ordinals) and ordinals[-1] >= len(self.numbers):
            ordinals = ordinals[: np.searchsorted(ordinals, len(self.numbers))]
        return np.bincount(self.numbers[ordinals], minlength=len(self.list_counts))

    def label_counts(self, list_counts: Ids) -> Ids:
        """Return the number of products with each label, by number, from the number of products of each list."""
        return self._by_label(self._by_spelling(list_counts))

    def deepest(self, separator: str) -> Ids:
        """Return the spelling with the most levels of each list; -1 of the empty one."""
        sizes, codes = self._spans
        depths = np.array([text.count(separator) for text in self.words.texts[: len(self.spelling_counts)]], np.int64)
        owners = np.repeat(np.arange(len(sizes)), sizes)
        order = np.lexsort((depths[codes[: len(owners)]], owners)) if len(owners) else np.zeros(0, np.int64)
        deepest = np.full(len(sizes), -1, np.int64)
        deepest[owners[order]] = codes[order]  # of one list, the last is the deepest
        return deepest

    def deepest_counts(self, separator: str) -> dict[str, int]:
        """Return the number of products whose longest label this is, in levels, for each such label, in order."""
        deepest = self.deepest(separator)
        filled = deepest >= 0
        weights = self.list_counts[filled]
        found = np.bincount(deepest[filled], weights, minlength=len(self.spelling_counts)).astype(np.int64)
        counts = self._by_label(found)
        return dict(sorted((self.text(code), int(counts[code])) for code in np.flatnonzero(counts).tolist()))

    def changed(self, places: Ids, lists: Sequence[Sequence[int]]) -> LabelColumn:
        """Return these labels with other lists of spellings for the products at some places, each once."""
        before = np.zeros(len(places), np.int64)
        within = places < len(self.numbers)
        before[within] = self.numbers[places[within]]
        after = before.copy()
        for at, (number, codes) in enumerate(zip(before.tolist(), lists, strict=True)):
            if self.lists[number] != tuple(codes):
                after[at] = self.lists.add(tuple(codes))
        moved = np.flatnonzero(before != after)
        if not len(moved):
            return self
        size = max(len(self.numbers), int(places[moved].max()) + 1)
        count = max(len(self.list_counts), int(after.max()) + 1)
        numbers = np.zeros(size, number_type(count))
        numbers[: len(self.numbers)] = self.numbers
        numbers[places[moved]] = after[moved]
        counts = np.zeros(count, np.int64)
        counts[: len(self.list_counts)] = self.list_counts
        np.subtract.at(counts, before[moved], 1)
        np.add.at(counts, after[moved], 1)
        counts[0] += size - len(self.numbers)
        later = LabelColumn(self.words, self.lists, numbers, counts)
        if "spelling_counts" in vars(self):  # in a large field, quicker than to count again
            vars(later)["spelling_counts"] = self._recounted(before[moved].tolist(), after[moved].tolist())
        return later

    def _recounted(self, before: Sequence[int], after: Sequence[int]) -> Ids:
        """Return the number of products with each spelling once some lists have come in place of others."""
        known = self.spelling_counts
        counts = np.zeros(max(len(known), len(self.words)), np.int64)
        counts[: len(known)] = known
        for numbers, step in ((before, -1), (after, 1)):
            for number in numbers:
                for code in self.lists[number]:
                    counts[code] += step
        return counts

    def moved(self, ordinals: Ids, count: int) -> LabelColumn:
        """Return these labels of `count` products with new ordinals, -1 for removed ones."""
        numbers = np.zeros(count, self.numbers.dtype)
        new = ordinals[: len(self.numbers)]
        numbers[new[new >= 0]] = self.numbers[new >= 0]
        return LabelColumn(self.words, self.lists, numbers, np.bincount(numbers, minlength=len(self.list_counts)))

    @cached_property
    def _spans(self) -> tuple[Ids, NDArray[np.int32]]:
        """The sizes of the lists, and the spellings of all of them one after another."""
        sizes, codes = self.lists.spans(len(self.list_counts))
        return sizes, codes[: int(sizes.sum())]

    @cached_property
    def _owners(self) -> Ids:
        """The list of each of the spellings of all lists."""
        sizes, _ = self._spans
        return np.repeat(np.arange(len(sizes)), sizes)

    @cached_property
    def spelling_counts(self) -> Ids:
        """The number of products with each spelling."""
        _, codes = self._spans
        return self._counted(self.list_counts, max(len(self.words), int(codes.max(initial=-1)) + 1))

    def _by_spelling(self, list_counts: Ids) -> Ids:
        return self._counted(list_counts, len(self.spelling_counts))

    def _counted(self, list_counts: Ids, count: int) -> Ids:
        _, codes = self._spans
        return np.bincount(codes, list_counts[self._owners], minlength=count).astype(np.int64)

    @cached_property
    def _respelled(self) -> dict[int, str]:
        """The most frequent spelling of each label that is spelled in more than one way."""
        counts = self.spelling_counts
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
        return self.words.labels(len(self.spelling_counts))

    def _by_label(self, counts: Ids) -> Ids:
        """Return the sums of counts by spelling at the numbers of their labels."""
        if self._labels is not None:
            counts = np.bincount(self._labels, weights=counts, minlength=len(counts))
        return counts.astype(np.int64, copy=False)

    def _lists_with(self, codes: Sequence[int]) -> Mask:
        """Return the mask of the lists that have one of these labels."""
        if not len(codes):
            return np.zeros(len(self.list_counts), np.bool_)
        wanted = np.zeros(len(self.totals), np.bool_)
        wanted[codes] = True
        return self._lists_spelling(wanted if self._labels is None else wanted[self._labels])

    def _lists_spelling(self, wanted: Mask) -> Mask:
        """Return the mask of the lists that have one of the masked spellings."""
        _, codes = self._spans
        found = np.zeros(len(self.list_counts), np.bool_)
        found[self._owners[wanted[codes]]] = True
        return found

    def of_lists(self, wanted: Mask, count: int) -> Mask:
        """Return the mask of `count` products that have one of the masked lists."""
        found = np.zeros(count, np.bool_)
        own = found[: len(self.numbers)]
        numbers = self.numbers[:count]
        chosen = np.flatnonzero(wanted).tolist()
        if len(chosen) > FEW_LISTS:
            np.take(wanted, numbers, out=own, mode="clip")
        elif chosen:
            np.equal(numbers, chosen[0], out=own)
            for number in chosen[1:]:
                own |= numbers == number
        return found


def number_type(count: int) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type for numbers below a count."""
    return np.uint8 if count <= 1 << 8 else np.uint16 if count <= 1 << 16 else np.uint32
