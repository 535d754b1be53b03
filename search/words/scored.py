"""Scores of some products: a few of them with their places, or all of them in one array, whichever is quicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from indexer.types import Floats
from indexer.words.word_tables import Ordinals

DENSE_SHARE = 16  # of all places, one in so many, from which all are kept in one array


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores above 0 by place. With `places` None, `scores` has one for each place, 0 where there is none."""

    places: Ordinals | None  # sorted
    scores: Floats  # float32

    @classmethod
    def none(cls) -> Scored:
        """Return no scores."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.float32))

    @classmethod
    def of(cls, places: Ordinals, score: float) -> Scored:
        """Return the same score for these sorted places."""
        return cls(places, np.full(len(places), score, np.float32))

    def __len__(self) -> int:
        return len(self.scores) if self.places is not None else self._count

    @property
    def nbytes(self) -> int:
        """The memory of scores and places."""
        return self.scores.nbytes + (0 if self.places is None else self.places.nbytes)

    @cached_property
    def _count(self) -> int:
        return int(np.count_nonzero(self.scores > 0))

    def times(self, factor: np.float32) -> Scored:
        """Return the scores multiplied by a factor."""
        return self if factor == 1 else Scored(self.places, self.scores * factor)

    def share_of(self, whole: np.float32, is_own: bool = False) -> Scored:
        """Return the scores as shares of a whole, at most 1; in their own memory where nobody else has it."""
        shares = np.divide(self.scores, whole, out=self.scores if is_own else None)
        return Scored(self.places, np.minimum(shares, np.float32(1.0), out=shares))

    def sparse(self) -> tuple[Ordinals, Floats]:
        """Return the places and their scores."""
        if self.places is not None:
            return self.places, self.scores
        places = np.flatnonzero(self.scores)
        return places, self.scores[places]

    def dense(self, size: int) -> Floats:
        """Return one score for each of `size` places, 0 where there is none; not to be written to."""
        if self.places is None:
            return self.scores
        scores = np.zeros(size, np.float32)
        scores[self.places] = self.scores
        return scores

    def among(self, places: Ordinals) -> Scored:
        """Return the scores of these sorted places, all of which have one."""
        if self.places is None:
            return Scored(places, self.scores[places])
        return Scored(places, self.scores[np.searchsorted(self.places, places.astype(self.places.dtype, copy=False))])


def common_places(first: Ordinals, second: Ordinals) -> Ordinals:
    """Return the places that both sorted arrays have."""
    few, many = (first, second) if len(first) < len(second) else (second, first)
    if not len(few):
        return few
    at = np.searchsorted(many, few.astype(many.dtype, copy=False))  # of other types, all would be copied
    common: Ordinals = few[many[np.minimum(at, len(many) - 1)] == few]
    return common


def merge(
    parts: Sequence[Scored], combine: np.ufunc, size: int | None, factors: Sequence[np.float32] | None = None
) -> Scored:
    """Combine scores, multiplied by `factors`, by a ufunc, place by place, in the order of the parts, from 0.

    The result may have the memory of a part where the others are empty.
    `size` is the number of places; without one all parts have places, and the result has.
    """
    factors = [np.float32(1)] * len(parts) if factors is None else factors
    pairs = [(part, factor) for part, factor in zip(parts, factors, strict=True) if len(part.scores)]
    if len(pairs) == 1:
        part, factor = pairs[0]
        return part.times(factor)
    total = sum(len(part.scores) for part, _ in pairs)
    if size is not None and (total * DENSE_SHARE > size or any(part.places is None for part, _ in pairs)):
        return Scored(None, _merged(pairs, combine, size))
    return _merged_places(pairs, combine) if pairs else Scored.none()


def _merged_places(pairs: Sequence[tuple[Scored, np.float32]], combine: np.ufunc) -> Scored:
    """Combine scores that have places."""
    every = np.concatenate([part.sparse()[0] for part, _ in pairs])
    order = every.argsort(kind="stable")  # which joins sorted runs
    in_order = every[order]
    is_new = np.ones(len(every), np.bool_)
    np.not_equal(in_order[1:], in_order[:-1], out=is_new[1:])
    # The number of each among the distinct ones: to bisect takes several times as long.
    at = np.empty(len(every), np.intp)
    at[order] = is_new.cumsum() - 1
    merged, start = np.zeros(int(np.count_nonzero(is_new)), np.float32), 0
    for part, factor in pairs:
        own = at[start : start + len(part.scores)]
        merged[own] = combine(merged[own], part.times(factor).scores)
        start += len(own)
    return Scored(in_order[is_new], merged)


def _merged(pairs: Sequence[tuple[Scored, np.float32]], combine: np.ufunc, size: int) -> Floats:
    # The sum of two numbers is the same whichever comes first; one of three is not.
    (first, factor), *others = (
        sorted(pairs, key=lambda pair: pair[0].places is not None) if len(pairs) == 2 else [*pairs]
    )
    multiplied = first.times(factor)
    merged = multiplied.scores.copy() if multiplied is first and first.places is None else multiplied.dense(size)
    product: Floats | None = None  # memory for one part's scores at a time
    for part, factor in others:
        if part.places is None:
            product = np.multiply(part.scores, factor, out=product)
            combine(merged, product, out=merged)
        else:
            at = part.places.astype(np.intp, copy=False)  # once for both uses
            merged[at] = combine(merged[at], part.times(factor).scores)
    return merged
