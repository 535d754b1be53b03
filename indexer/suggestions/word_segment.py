"""The words of some products, as arrays: which products hold a word, and which word follows it in their texts.

A segment never changes; products that have gone or changed since are counted out by `without`. Its arrays are mapped
from a generation's folder, or in memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_

import numpy as np
from numpy.typing import NDArray

from catalog.text.tokenizer import forms
from indexer.columns.product_table import ShopTable, spans
from indexer.columns.text_column import TextColumn
from indexer.suggestions.counting import different_owners, held_between, largest, owners_of, within
from indexer.suggestions.product_mask import WIDTH, Bits, ProductMask, count_of
from indexer.suggestions.sorted_words import Range, SortedWords
from indexer.suggestions.text_units import BREAK, compound_words
from indexer.types import Floats, Ids, Mask

MAX_FOLLOWED = 2_000  # products in whose texts the words that follow are looked for
LAST = "\U0010ffff"
FIRST_COUNTED = 4  # words of a large range that are counted for each that is wanted, before others can be left out
SPREAD = 4  # words that lie between those to be counted, from which each is looked up by itself
BLOCK = 1_024  # products whose texts are read at once
TEXT_COST = 8  # what a word of a product's texts takes, where a product in a word's list takes 1

Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class WordSegment:
    """Words are numbered in their order; a product is its place in `table`. Arrays are never written to.

    The words of a large part of the products, `dense`, have a bit for each product instead of a list of holders.
    """

    words: SortedWords
    spelled: Numbers  # words that the shop writes in another way, in order
    spellings: TextColumn  # how it writes these
    visible: Mask  # (words,), false for those that are parts of compounds only
    title_shares: Floats  # (words,), of the products of each word, those that have it in their titles
    table: ShopTable
    holders: Numbers  # the products that hold word 0, in order, then those of word 1 ...; none of dense words
    starts: Ids  # (words + 1,), where each word's holders start
    dense: Numbers  # in order
    bits: Bits  # (dense * numbers for all products,)
    texts: Numbers  # the words of product 0 in the order of its texts, with BREAKs, then of product 1; a BREAK ends it
    text_starts: Ids  # (products + 1,)
    present: ProductMask
    counts: Ids  # (words,), of present products
    kinds: Numbers  # (products,), the numbers of their deepest categories in `kind_names`, beyond them for none
    kind_names: Sequence[str]
    lineage: object  # of the columns whose ordinals are the places

    def __len__(self) -> int:
        return len(self.table)

    def range_of(self, prefix: str) -> Range:
        """Return the words that begin with a text."""
        return self.words.range_of(prefix)

    def number(self, word: str) -> int:
        """Return the number of a word; -1 when no text has it."""
        return self.words.number(word)

    def known(self, words: Sequence[str]) -> dict[str, int]:
        """Return how many products hold each of the words that are the shop's."""
        numbers = self.words.numbers(words)
        return {words[at]: int(self.counts[numbers[at]]) for at in np.flatnonzero(numbers >= 0).tolist()}

    def spelling(self, word: str) -> str:
        """Return how the shop writes a word in another way; "" where it does not."""
        number = self.number(word) if len(self.spelled) else -1
        at = bisect_left(self.spelled, number)
        return self.spellings[at] if number >= 0 and at < len(self.spelled) and self.spelled[at] == number else ""

    def holding(self, word: str) -> ProductMask:
        """Return the present products that hold a word in one of its forms.

        A compound that no product holds is looked for by its parts: "t-shirt".
        """
        found = self._holding_form(word)
        if not found.count and (parts := compound_words(word)):
            apart = reduce(and_, map(self._holding_form, parts[:-1]))
            found = self._holding_form(parts[-1]) | apart
        return found & self.present

    def completions(self, among: ProductMask | None, words: Range, limit: int) -> dict[int, int]:
        """Return at most `limit` visible words of a range that most of some products hold, most frequent first.

        Each has the number of these products; without products to look among, of all.
        """
        first, end = words
        if first >= end:
            return {}
        totals = np.where(self.visible[first:end], self.counts[first:end], 0)
        counts = totals if among is None else self._counts_within(among, first, totals, limit)
        return {first + place: int(counts[place]) for place in largest(counts, limit)}

    def counts_among(self, among: ProductMask, numbers: Ids) -> Ids:
        """Return how many of some products hold each of these words."""
        counts = np.zeros(len(numbers), np.int64)
        slots = np.searchsorted(self.dense, numbers)
        is_dense = np.append(self.dense, -1)[slots] == numbers
        for number in np.flatnonzero(is_dense).tolist():
            counts[number] = count_of(self._dense(int(slots[number])).bits & among.bits)
        sparse = np.flatnonzero(~is_dense)
        first = self.starts[numbers[sparse]]
        sizes = self.starts[numbers[sparse] + 1] - first
        if self._reading_takes(among.count) < sizes.sum():
            order = np.argsort(numbers)
            texts, ends = self._texts_of(among.places)
            at = order[np.minimum(np.searchsorted(numbers, texts, sorter=order), len(order) - 1)]
            wanted = np.flatnonzero((numbers[at] == texts) & ~is_dense[at])
            return counts + different_owners(at[wanted], owners_of(wanted, ends), len(ends), len(counts))
        counts[sparse] = held_between(among.mask[self.holders[spans(first, sizes)]], np.append(0, np.cumsum(sizes)))
        return counts

    def following(self, among: ProductMask, word: str, limit: int) -> list[int]:
        """Return at most `limit` words that follow a word in the texts of some products, most frequent first."""
        numbers = [number for form in forms(word) if (number := self.number(form)) >= 0]
        places = among.places
        if not numbers or not len(places):
            return []
        places = places[:: -(-len(places) // MAX_FOLLOWED)]
        texts, _ = self._texts_of(places)
        after = texts[1:][reduce(or_, [texts[:-1] == number for number in numbers])]
        words, counts = np.unique(after[after != BREAK], return_counts=True)
        return [int(words[at]) for at in largest(counts, limit)]

    def with_prefix(self, among: ProductMask, words: Range, limit: int) -> Ids:
        """Return the places of the first `limit` of some products that hold a word of a range."""
        slots = range(*np.searchsorted(self.dense, words).tolist())
        start, stop = self.starts[words[0]], self.starts[words[1]]
        total = int(stop - start) + int(self.counts[self.dense[slots.start : slots.stop]].sum())
        looked_at = min(among.count, limit * -(-len(self) // max(1, total)))  # if they were spread evenly
        if self._reading_takes(looked_at) > total:
            found = np.zeros(len(self), np.bool_)
            found[self.holders[start:stop]] = True
            held = reduce(or_, map(self._dense, slots), ProductMask.of(found))
            return (held & among).places[:limit]
        some: list[Ids] = []
        for at in range(0, among.count, BLOCK):
            places = among.places[at : at + BLOCK]
            texts, ends = self._texts_of(places)
            holding = np.zeros(len(places), np.bool_)
            holding[owners_of(within(texts, words), ends)] = True
            some.append(places[holding])
            if sum(map(len, some)) >= limit:
                break
        return np.concatenate([np.zeros(0, np.int64), *some])[:limit]

    def in_titles(self, places: Ids, words: Range) -> Mask:
        """Return whether the first text of each of some products, its title, has a word of a range."""
        texts, ends = self._texts_of(places)
        breaks = np.cumsum(texts == BREAK)  # the title ends with the first one
        wanted = within(texts, words)
        owners = owners_of(wanted, ends)
        before = np.append(0, breaks)[np.append(0, ends)[owners]]
        found = np.zeros(len(places), np.bool_)
        found[owners[breaks[wanted] == before]] = True
        return found

    def kind_counts(self, among: ProductMask, limit: int) -> dict[str, int]:
        """Return the categories of most of some products, the deepest ones, with the numbers of these products."""
        counts = np.bincount(self.kinds[among.mask])[: len(self.kind_names)]
        return {self.kind_names[number]: int(counts[number]) for number in largest(counts, limit)}

    def placed_as(self, columns: ShopTable) -> WordSegment:
        """Return the segment with the columns' lineage where its places are their ordinals."""
        keys = self.table.keys
        is_same = len(keys) <= len(columns) and np.array_equal(keys, columns.keys[: len(keys)])
        return replace(self, lineage=columns.lineage) if is_same else self

    def ordinals(self, columns: ShopTable, places: Ids) -> Ids:
        """Return the ordinals of products in the columns, -1 for those that these do not have."""
        if columns.lineage is self.lineage:
            return places
        return columns.ordinals(self.table.keys[places])

    def places_of(self, ids: Collection[str]) -> Ids:
        """Return the places of all products that have or had one of these ids."""
        return self.table.places_of(list(ids))[0]

    def ids_from(self, prefix: str, limit: int) -> list[int]:
        """Return the places of at most `limit` present products whose ids begin with a text."""
        by_id, ids = self.table.by_id, self.table.ids
        first, end = (bisect_left(by_id, bound, key=lambda at: ids[int(at)]) for bound in (prefix, prefix + LAST))
        places = by_id[first : min(end, first + 10 * limit)]
        found: list[int] = places[self.present.mask[places]][:limit].tolist()
        return found

    def without(self, places: Ids) -> WordSegment:
        """Return the segment without some of its products."""
        held = np.unique(places)
        held = held[self.present.mask[held]]
        if not len(held):
            return self
        present = self.present.mask.copy()
        present[held] = False
        texts, ends = self._texts_of(held)
        words = np.flatnonzero(texts != BREAK)
        gone = different_owners(texts[words], owners_of(words, ends), len(held), len(self.words))
        return replace(self, present=ProductMask.of(present), counts=self.counts - gone)

    def _reading_takes(self, products: int) -> int:
        """Return what it takes to read the texts of so many products in places of a word's list."""
        return TEXT_COST * products * (1 + len(self.texts) // max(1, len(self)))

    def _texts_of(self, places: Ids) -> tuple[Numbers, Ids]:
        """Return the texts of some products one after another, and where those of each end."""
        first = self.text_starts[places]
        sizes = self.text_starts[places + 1] - first
        return self.texts[spans(first, sizes)], np.cumsum(sizes)

    def _dense(self, slot: int) -> ProductMask:
        size = -(-len(self) // WIDTH)
        return ProductMask(self.bits[slot * size : (slot + 1) * size], len(self))

    def _holding_form(self, word: str) -> ProductMask:
        found = ProductMask(np.zeros(-(-len(self) // WIDTH), np.uint64), len(self))
        for form in forms(word):
            if (number := self.number(form)) >= 0:
                slot = bisect_left(self.dense, number)
                is_dense = slot < len(self.dense) and self.dense[slot] == number
                found |= self._dense(slot) if is_dense else self._listed(number)
        return found

    def _listed(self, number: int) -> ProductMask:
        held = np.zeros(len(self), np.bool_)
        held[self.holders[self.starts[number] : self.starts[number + 1]]] = True
        return ProductMask.of(held)

    def _counts_within(self, among: ProductMask, first: int, totals: Ids, limit: int) -> Ids:
        """Return how many of some products hold the words from `first` on, at least for the `limit` most frequent.

        `totals` (words,) are the numbers of all products that hold them, 0 for words that do not count. A word of fewer
        products than the least of `limit` words has among these is not counted.
        """
        counts = np.zeros(len(totals), np.int64)
        wanted = np.flatnonzero(totals)
        if self._reading_takes(among.count) < totals.sum():
            texts, ends = self._texts_of(among.places)
            inside = within(texts, (first, first + len(totals)))
            held = different_owners(texts[inside] - first, owners_of(inside, ends), len(ends), len(totals))
            return np.where(totals, held, 0)
        if len(wanted) > FIRST_COUNTED * limit:
            at = np.argpartition(totals[wanted], len(wanted) - FIRST_COUNTED * limit)
            frequent = wanted[at[-FIRST_COUNTED * limit :]]
            counts[frequent] = self.counts_among(among, first + frequent)
            least = np.partition(counts[frequent], len(frequent) - limit)[len(frequent) - limit]
            others = wanted[at[: -FIRST_COUNTED * limit]]
            wanted = others[totals[others] >= max(1, least)]
        starts = self.starts[first : first + len(totals) + 1]
        if SPREAD * len(wanted) < len(totals):
            counts[wanted] = self.counts_among(among, first + wanted)
        else:  # all of them lie side by side
            found = held_between(among.mask[self.holders[starts[0] : starts[-1]]], starts - starts[0])
            slots = slice(*np.searchsorted(self.dense, (first, first + len(totals))).tolist())
            dense = self.dense[slots].astype(np.int64)
            found[dense - first] = self.counts_among(among, dense)
            counts = np.where(totals, found, 0)
        return counts
