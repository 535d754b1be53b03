"""Texts as one block of UTF-8 and offsets, so that a million of them are mapped and none is a Python object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from indexer.types import Ids

MAX_DECODED = 2_000  # texts of a column that are all decoded once one is read
_ERRORS = "surrogatepass"  # a lone surrogate is no error here

Texts = NDArray[np.object_]


class TextColumn(Sequence[str]):
    """Numbered texts. `tail` has those that were added since; who shares it may append to it."""

    def __init__(self, blob: NDArray[np.uint8], offsets: Ids, tail: list[str] | None = None) -> None:
        self.blob = blob
        self.offsets = offsets
        self.tail = [] if tail is None else tail
        self._bytes = np.ascontiguousarray(blob).data
        self._size = len(offsets) - 1
        self._few: list[str] | None = None

    @classmethod
    def of(cls, texts: Iterable[str]) -> TextColumn:
        """Return the column of these texts."""
        blob, ends = bytearray(), [0]
        for text in texts:
            blob += text.encode("utf-8", _ERRORS)
            ends.append(len(blob))
        return cls(np.frombuffer(bytes(blob), np.uint8), np.array(ends, np.int64))

    def __len__(self) -> int:
        return self._size + len(self.tail)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> list[str]: ...

    @overload
    def __getitem__(self, at: NDArray[Any]) -> Texts: ...

    def __getitem__(self, at: int | slice | NDArray[Any]) -> str | list[str] | Texts:
        if isinstance(at, slice):
            first, end, step = at.indices(len(self))
            if step == 1:
                return [*self._decoded(first, min(end, self._size)), *self.tail[max(0, first - self._size) :]][
                    : max(0, end - first)
                ]
            return [self._text(place) for place in range(first, end, step)]
        if isinstance(at, np.ndarray):
            places = np.flatnonzero(at) if at.dtype == np.bool_ else at
            texts = np.empty(len(places), object)
            texts[:] = [self._text(place) for place in places.tolist()]
            return texts
        place = int(at) + (len(self) if at < 0 else 0)
        if not 0 <= place < len(self):
            raise IndexError(at)
        return self._text(place)

    def __iter__(self) -> Iterator[str]:
        return iter(self[:])

    def tolist(self) -> list[str]:
        """Return all texts."""
        return self[:]

    def added(self, texts: Sequence[str]) -> TextColumn:
        """Return the column with more texts at its end; this one stays as it is."""
        return TextColumn(self.blob, self.offsets, [*self.tail, *texts])

    def packed(self) -> TextColumn:
        """Return the same texts, all of them in the block."""
        return TextColumn.of(self) if self.tail else self

    def _decoded(self, first: int, end: int) -> list[str]:
        ends = self.offsets[first : end + 1].tolist() if end > first else []
        return [str(self._bytes[start:stop], "utf-8", _ERRORS) for start, stop in pairwise(ends)]

    def _text(self, place: int) -> str:
        if place >= self._size:
            return self.tail[place - self._size]
        if self._size <= MAX_DECODED:
            if self._few is None:
                self._few = self._decoded(0, self._size)
            return self._few[place]
        start, stop = self.offsets[place : place + 2].tolist()
        return str(self._bytes[start:stop], "utf-8", _ERRORS)


class HashIndex:
    """The places of texts by a 64-bit hash. Texts of one hash may differ: the caller compares them."""

    def __init__(self, hashes: NDArray[np.uint64], places: NDArray[np.int32]) -> None:
        self.hashes = hashes  # rising
        self.places = places

    @classmethod
    def of(cls, texts: Iterable[str]) -> HashIndex:
        """Return the index of these texts."""
        return cls._sorted(hashes_of(texts))

    @classmethod
    def _sorted(cls, hashes: NDArray[np.uint64]) -> HashIndex:
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return cls(hashes[order], order)

    def candidates(self, text: str) -> list[int]:
        """Return the places of the texts that may be this one."""
        wanted = hashes_of([text])
        first = int(np.searchsorted(self.hashes, wanted)[0])
        end = first
        while end < len(self.hashes) and self.hashes[end] == wanted[0]:
            end += 1
        found: list[int] = self.places[first:end].tolist()
        return found

    def spans_of(self, texts: Sequence[str]) -> tuple[Ids, Ids]:
        """Return where each text's candidates begin in `places`, and how many they are."""
        wanted = hashes_of(texts)
        first = np.searchsorted(self.hashes, wanted)
        return first, np.searchsorted(self.hashes, wanted, side="right") - first

    def added(self, texts: Sequence[str], places: NDArray[Any]) -> HashIndex:
        """Return the index with more texts."""
        hashes = hashes_of(texts)
        order = np.argsort(hashes, kind="stable")
        at = np.searchsorted(self.hashes, hashes[order], side="right")
        found = np.insert(self.places, at, places[order].astype(np.int32))
        return HashIndex(np.insert(self.hashes, at, hashes[order]), found)


def hashes_of(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each text, the same in every process."""
    digests = [blake2b(text.encode("utf-8", _ERRORS), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)
