"""The words of a shop at one state: those of its generation, without products that changed since, and theirs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from indexer.types import Floats, Ids, Mask
from indexer.words.word_tables import FIELD_BITS, ID_BEGINS, Fields, Ordinals, WordTables
from search.state.column_store import ProductColumns
from search.words.changed_words import ChangedWords
from search.words.frequent_words import FrequentWords
from search.words.scored import Scored, merge
from search.words.word_lookup import FIELD_WEIGHTS

MANY_PRODUCTS = 4  # one in so many has a word, from which its scores are quicker to add up as an array of all
MANY_WORDS = 50_000  # from which ids and other codes of one product are left out of the vocabulary
_DIGIT = re.compile("[0-9]")


def _weights() -> Floats:
    """Return the weight of each set of fields: that of the best one."""
    sets = range(1 << len(FIELD_BITS))
    best = [
        max([weight for name, weight in FIELD_WEIGHTS.items() if FIELD_BITS[name] & bits] or [0.0]) for bits in sets
    ]
    return np.array(best, np.float32)


_WEIGHTS = _weights()
_NO_PLACES: Ordinals = np.zeros(0, np.int32)
_NO_FIELDS: Fields = np.zeros(0, np.uint8)


class ServedWords:
    """The products of the columns by their words; a product's place is its ordinal. Never changes; threads share it.

    `stale` (n + 1,) masks the products whose words the tables do not have as they are now: removed and changed ones,
    and the place -1; None where there is none. `moved` has the ordinal of each product of the tables, -1 for those that
    the columns lack; None where the ordinals are the same.
    """

    is_lasting = True

    def __init__(
        self,
        tables: WordTables,
        columns: ProductColumns,
        stale: Mask | None,
        moved: Ids | None,
        changed: Sequence[ChangedWords],
    ) -> None:
        self._tables = tables
        self._columns = columns
        self._stale = stale
        self._moved = moved
        self._changed = changed
        gone = self._gone
        self._stale_products = 0 if gone is None else int(np.count_nonzero(gone))
        self.size: int | None = len(columns)
        self._frequent = FrequentWords(len(columns))
        self.keys = columns.keys
        self._products = int(np.count_nonzero(columns.present))

    def products(self) -> int:
        """Return the number of products."""
        return self._products

    def seq(self) -> int:
        """Return the number of the last change that these words show."""
        return self._columns.seq

    def keys_of(self, places: Ordinals) -> Ids:
        """Return the keys of ordinals."""
        return self._columns.keys[places]

    def known(self, words: Sequence[str]) -> bool:
        """Return whether any product has one of the words."""
        return any(self._at_least(word, 1) for word in words)

    def count(self, words: Sequence[str], limit: int) -> int:
        """Return how many products have one of the words, counted up to `limit`."""
        words = list(dict.fromkeys(words))
        if any(self._at_least(word, limit) for word in words):
            return limit
        places = [self._entries(word)[0] for word in words]
        return min(limit, len(places[0]) if len(places) == 1 else len(np.unique(np.concatenate(places))))

    def vocabulary(self) -> list[tuple[str, int]]:
        """Return the words and the number of products that have each, in the order of the words.

        Of many words, ids and other codes of one product are left out: each product has some, and no mistake is mended
        to one.
        """
        everything = len(self._tables) < MANY_WORDS
        found = self._tables.vocabulary(everything, self._gone)
        if self._stale is None and not self._changed:
            return found
        counts, added = dict(found), Counter[str]()
        for changed in self._changed:
            for word in changed.by_word:
                if (own := changed.entries(word)) is not None and (everything or not word.startswith(ID_BEGINS)):
                    added[word] += len(own[0])
        for word, count in added.items():
            if not everything and word not in counts and _DIGIT.search(word):
                counts[word] = len(self._entries(word)[0])  # the tables may have left the word out
            else:
                counts[word] = counts.get(word, 0) + count
        return sorted(
            (word, count)
            for word, count in counts.items()
            if count > 1 or (count and (everything or not _DIGIT.search(word)))
        )

    def holding(self, words: Sequence[str], field: str) -> Ordinals:
        """Return the ordinals, sorted, of the products with one of the words in a field."""
        bits = FIELD_BITS[field]
        found = [places[fields & bits != 0] for places, fields in map(self._entries, dict.fromkeys(words))]
        return found[0] if len(found) == 1 else np.unique(np.concatenate([np.zeros(0, np.int64), *found]))

    def scored(self, words: Sequence[str]) -> Scored:
        """Return the products with one of the words, with the weight of the best field that has one."""
        distinct = tuple(dict.fromkeys(words))
        found = self._frequent.get(distinct)
        if found is None:
            parts = [part for word in distinct if len((part := self._scored(word)).scores)]
            found = merge(parts, np.maximum, self.size) if parts else Scored.none()
            if len(found) * MANY_PRODUCTS > len(self.keys):
                found = Scored(None, found.dense(len(self.keys)))
            self._frequent.put(distinct, found)
        return found

    @property
    def _gone(self) -> Mask | None:
        """The mask of the products of the tables whose words do not count."""
        if self._stale is None:
            return None
        return self._stale[: len(self._tables.keys)] if self._moved is None else self._stale[self._moved]

    def _at_least(self, word: str, count: int) -> bool:
        number = self._tables.number(word)
        if number >= 0 and self._tables.count(number) - self._stale_products >= count:
            return True
        known = number >= 0 or any(word in changed.by_word for changed in self._changed)
        return known and len(self._entries(word)[0]) >= count

    def _entries(self, word: str) -> tuple[Ordinals, Fields]:
        """Return the ordinals, sorted, of the products that have a word, and in which fields."""
        number = self._tables.number(word)
        places, fields = self._tables.entries(number) if number >= 0 else (_NO_PLACES, _NO_FIELDS)
        if self._moved is not None:
            places = self._moved[places]
        if self._stale is not None:
            current = np.flatnonzero(~self._stale[places])
            places, fields = places[current], fields[current]
        for changed in self._changed:
            if (own := changed.entries(word)) is not None:
                at = np.searchsorted(places, own[0])
                places, fields = np.insert(places, at, own[0]), np.insert(fields, at, own[1])
        return places, fields

    def _scored(self, word: str) -> Scored:
        places, fields = self._entries(word)
        scores = _WEIGHTS[fields]
        if scores.all():
            return Scored(places, scores)
        held = np.flatnonzero(scores)
        return Scored(places[held], scores[held])
