"""Words in order, mapped or in memory: which is which, and which of them begin with a text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import overload

import numpy as np
from numpy.typing import NDArray

from indexer.columns.text_column import TextColumn
from indexer.types import Ids

Range = tuple[int, int]  # of word numbers, from and below

KNOWN_NUMBERS = 65_536  # words whose numbers stay in memory
FEW_WORDS = 64  # that are looked up one by one, which is faster than together
_HEAD = 8  # bytes of a word that are compared as one number
_EVERY = 2**64 - 1


class SortedWords(Sequence[str]):
    """Different words in the order of their characters, numbered. Never changes; threads share it.

    `heads` (n,) has the first eight bytes of each as a number, so that a look-up reads few words.
    """

    def __init__(self, texts: TextColumn, heads: NDArray[np.uint64]) -> None:
        self.texts = texts
        self.heads = heads
        self._heads = memoryview(heads.data)  # whose single numbers are read faster
        self.number: Callable[[str], int] = lru_cache(maxsize=KNOWN_NUMBERS)(self._number)

    @classmethod
    def of(cls, words: Sequence[str]) -> SortedWords:
        """Return these words, which must be different and in order."""
        return cls(TextColumn.of(words), _heads_of(map(_bytes, words)))

    def __len__(self) -> int:
        return len(self.heads)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> list[str]: ...

    def __getitem__(self, at: int | slice) -> str | list[str]:
        return self.texts[at]

    def range_of(self, prefix: str) -> Range:
        """Return the words that begin with a text."""
        wanted = _bytes(prefix)
        lowest, rest = int.from_bytes(wanted[:_HEAD].ljust(_HEAD, b"\0"), "big"), 8 * max(0, _HEAD - len(wanted))
        first = bisect_left(self._heads, lowest)
        end = bisect_right(self._heads, lowest | ((1 << rest) - 1), first)
        return self._narrowed(wanted, first, end) if len(wanted) > _HEAD else (first, end)

    def ranges(self, prefixes: Sequence[str]) -> tuple[Ids, Ids]:
        """Return, for each text, the first of the words that begin with it, and the one behind the last."""
        encoded = [*map(_bytes, prefixes)]
        lowest = _heads_of(encoded)
        rest = np.array([8 * max(0, _HEAD - len(word)) for word in encoded], np.uint64)
        highest = lowest | np.where(rest == 64, _EVERY, (np.uint64(1) << (rest % 64)) - np.uint64(1)).astype(np.uint64)
        first = np.searchsorted(self.heads, lowest)
        end = np.searchsorted(self.heads, highest, side="right")
        for at in np.flatnonzero((rest == 0) & (end > first)).tolist():
            first[at], end[at] = self._narrowed(encoded[at], int(first[at]), int(end[at]))
        return first, end

    def numbers(self, words: Sequence[str]) -> Ids:
        """Return the numbers of words; -1 for those that are none of these."""
        if len(words) <= FEW_WORDS:
            return np.array([self.number(word) for word in words], np.int64)
        first, end = self.ranges(words)
        found = np.full(len(words), -1, np.int64)
        for at in np.flatnonzero(end > first).tolist():
            if self.texts[int(first[at])] == words[at]:
                found[at] = first[at]
        return found

    def _number(self, word: str) -> int:
        """Return the number of a word; -1 when it is none of these."""
        first, end = self.range_of(word)
        return first if first < end and self.texts[first] == word else -1

    def _narrowed(self, wanted: bytes, first: int, end: int) -> Range:
        """Return which of some words, whose heads are those of a text, begin with all of it."""
        known = len(wanted)
        first = bisect_left(range(end), wanted, first, key=self._encoded)
        return first, bisect_right(range(end), wanted, first, key=lambda number: self._encoded(number)[:known])

    def _encoded(self, number: int) -> bytes:
        return _bytes(self.texts[number])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _heads_of(words: Iterable[bytes]) -> NDArray[np.uint64]:
    listed = [word[:_HEAD] for word in words]
    return np.array(listed, f"S{_HEAD}").view(">u8").astype(np.uint64)
