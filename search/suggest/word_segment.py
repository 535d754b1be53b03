"""The words of some products, as arrays: which products hold a word, and which word follows it in their texts.

A segment never changes; products that have gone or changed since are counted out by `without`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.text.tokenizer import forms
from indexer.columns.product_table import spans
from indexer.types import Floats, Ids, Mask
from search.state.column_store import ProductColumns
from search.suggest.text_units import BREAK, compound_words

MAX_FOLLOWED = 2_000  # products in whose texts the words that follow are looked for
LAST = "\U0010ffff"

Numbers = NDArray[np.int32]
Range = tuple[int, int]  # of word numbers, from and below


@dataclass(frozen=True, slots=True, eq=False)
class WordSegment:
    """Words are numbered in their order; a product is a place in `keys`. Arrays are never written to."""

    words: Sequence[str]
    spellings: Mapping[str, str]  # words that the shop writes in another way
    visible: Mask  # (words,), false for those that are parts of compounds only
    title_shares: Floats  # (words,), of the products of each word, those that have it in their titles
    keys: Ids  # (products,)
    ids: NDArray[np.object_]
    by_id: Ids  # places in the order of ids
    holders: Numbers  # the products that hold word 0, in order, then those of word 1 ...
    starts: Ids  # (words + 1,), where each word's holders start
    texts: Numbers  # the words of product 0 in the order of its texts, with BREAKs, then of product 1; a BREAK ends it
    text_starts: Ids  # (products + 1,)
    present: Mask  # (products,)
    counts: Ids  # (words,), of present products
    kinds: Numbers  # (products,), the numbers of their deepest categories in `kind_names`, beyond them for none
    kind_names: Sequence[str]
    lineage: object  # of the columns whose ordinals are the places

    def range_of(self, prefix: str) -> Range:
        """Return the words that begin with a text."""
        return bisect_left(self.words, prefix), bisect_left(self.words, prefix + LAST)

    def number(self, word: str) -> int:
        """Return the number of a word; -1 when no text has it."""
        at = bisect_left(self.words, word)
        return at if at < len(self.words) and self.words[at] == word else -1

    def count_of(self, word: str) -> int:
        """Return how many products hold a word."""
        number = self.number(word)
        return int(self.counts[number]) if number >= 0 else 0

    def holding(self, word: str) -> Mask:
        """Return the mask of the present products that hold a word in one of its forms.

        A compound that no product holds is looked for by its parts: "t-shirt".
        """
        found = self._holding_form(word)
        if not found.any() and (parts := compound_words(word)):
            apart = np.logical_and.reduce([self._holding_form(part) for part in parts[:-1]])
            found = self._holding_form(parts[-1]) | apart
        return found & self.present

    def completions(self, mask: Mask | None, words: Range, limit: int) -> list[int]:
        """Return at most `limit` visible words of a range that most masked products hold, most frequent first."""
        first, end = words
        if first >= end:
            return []
        counts = self.counts[first:end] if mask is None else self._counts_within(mask, words)
        counts = np.where(self.visible[first:end], counts, 0)
        return [first + place for place in _top(counts, limit)]

    def count(self, mask: Mask, word: str) -> int:
        """Return how many masked products hold a word."""
        number = self.number(word)
        return int(np.count_nonzero(mask[self._holders(number)])) if number >= 0 else 0

    def following(self, mask: Mask, word: str, limit: int) -> list[int]:
        """Return at most `limit` words that follow a word in the texts of masked products, most frequent first."""
        numbers = [number for form in forms(word) if (number := self.number(form)) >= 0]
        places = np.flatnonzero(mask)
        if not numbers or not len(places):
            return []
        places = places[:: -(-len(places) // MAX_FOLLOWED)]
        first = self.text_starts[places]
        texts = self.texts[spans(first, self.text_starts[places + 1] - first)]
        after = texts[1:][np.isin(texts[:-1], numbers)]
        counts = np.bincount(after[after != BREAK], minlength=0)
        return _top(counts, limit)

    def having_prefix(self, mask: Mask, words: Range) -> Mask:
        """Return the mask of the masked products that hold a word of a range."""
        found = np.zeros(len(self.keys), np.bool_)
        found[self.holders[self.starts[words[0]] : self.starts[words[1]]]] = True
        return found & mask

    def text_of(self, place: int) -> list[int]:
        """Return the words of a product's first text, its title."""
        texts: list[int] = self.texts[self.text_starts[place] : self.text_starts[place + 1]].tolist()
        return texts[: texts.index(BREAK)] if BREAK in texts else texts

    def kind_counts(self, mask: Mask, limit: int) -> dict[str, int]:
        """Return the categories of most masked products, the deepest ones, with the numbers of these products."""
        counts = np.bincount(self.kinds[mask])[: len(self.kind_names)]
        return {self.kind_names[number]: int(counts[number]) for number in _top(counts, limit)}

    def ordinals(self, columns: ProductColumns, places: Ids) -> Ids:
        """Return the ordinals of products in the columns, -1 for those that these do not have."""
        if columns.lineage is self.lineage:
            return places
        return columns.ordinals(self.keys[places])

    def places_of(self, ids: Collection[str]) -> Ids:
        """Return the places of all products that have or had one of these ids."""
        values = np.empty(len(ids), object)
        values[:] = list(ids)
        first = np.searchsorted(self.ids, values, sorter=self.by_id)
        return self.by_id[spans(first, np.searchsorted(self.ids, values, "right", sorter=self.by_id) - first)]

    def ids_from(self, prefix: str, limit: int) -> list[int]:
        """Return the places of at most `limit` present products whose ids begin with a text."""
        bounds = np.empty(2, object)
        bounds[:] = prefix, prefix + LAST
        first, end = np.searchsorted(self.ids, bounds, sorter=self.by_id).tolist()
        places = self.by_id[first : min(end, first + 10 * limit)]
        found: list[int] = places[self.present[places]][:limit].tolist()
        return found

    def without(self, places: Ids) -> WordSegment:
        """Return the segment without some of its products."""
        gone = np.zeros(len(self.keys), np.bool_)
        gone[places] = True
        gone &= self.present
        if not gone.any():
            return self
        held = np.flatnonzero(gone)
        first = self.text_starts[held]
        owners = np.repeat(held, self.text_starts[held + 1] - first)
        words = self.texts[spans(first, self.text_starts[held + 1] - first)]
        pairs = np.unique(np.stack([owners, words], axis=1)[words != BREAK], axis=0)
        counts = self.counts - np.bincount(pairs[:, 1], minlength=len(self.words))
        return replace(self, present=self.present & ~gone, counts=counts)

    def _holders(self, number: int) -> Numbers:
        return self.holders[self.starts[number] : self.starts[number + 1]]

    def _holding_form(self, word: str) -> Mask:
        found = np.zeros(len(self.keys), np.bool_)
        for form in forms(word):
            if (number := self.number(form)) >= 0:
                found[self._holders(number)] = True
        return found

    def _counts_within(self, mask: Mask, words: Range) -> Ids:
        starts = self.starts[words[0] : words[1] + 1]
        held = mask[self.holders[starts[0] : starts[-1]]].astype(np.int64)
        counts: Ids = np.add.reduceat(held, starts[:-1] - starts[0])
        return counts


def _top(counts: Ids, limit: int) -> list[int]:
    """Return the places of the largest counts above 0, largest first, equal ones in order."""
    places: Ids = np.flatnonzero(counts)
    if len(places) > limit:
        least = np.partition(counts[places], len(places) - limit)[len(places) - limit]
        above = places[counts[places] > least]
        places = np.sort(np.concatenate([above, places[counts[places] == least][: limit - len(above)]]))
    best: list[int] = places[np.argsort(-counts[places], kind="stable")].tolist()
    return best
