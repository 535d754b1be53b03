"""Coarse lists: to which inverted list a row belongs, and which lists a query reads first. Plain numpy.

A list is known by the mean of its rows. Rows are assigned in a projection of the emphasised means, because text queries
see only some blocks of a row: lists of rows that are alike in those blocks serve pictures and texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats, Ids, Mask

PROJECTED_DIM = 128  # axes that tell lists apart; 64 to 948 axes gave the same recall
RANKING_DIM = 64  # axes in which lists are compared first
RANKING_LISTS = 8  # lists then compared in full: so many, and a quarter of those wanted, more than wanted
FIRST_ROWS = 64  # of a list, by which it is first judged whether it holds allowed rows


def rows_by_list(list_of_row: NDArray[Any], lists: int) -> tuple[Ids, Ids]:
    """Return the rows (n,) in the order of their lists, then of their numbers, and the length (lists,) of each list."""
    return np.argsort(list_of_row, kind="stable"), np.bincount(list_of_row, minlength=lists)


class MainAxes:
    """Projects emphasised vectors to the main axes of a sample (n, dim); only emphasises where dim is small."""

    def __init__(self, sample: Floats, emphasis: Floats | None) -> None:
        self._scale = np.ones(sample.shape[1], np.float32) if emphasis is None else emphasis.astype(np.float32)
        self._axes: Floats | None = None
        if sample.shape[1] > PROJECTED_DIM:
            scaled = sample * self._scale
            scaled -= scaled.mean(axis=0)
            _, axes = np.linalg.eigh(scaled.T @ scaled)  # smallest first
            self._axes = np.ascontiguousarray((self._scale[:, None] * axes[:, -PROJECTED_DIM:]).astype(np.float32))

    def __call__(self, vectors: Floats) -> Floats:
        """Return the projected vectors, float32 (n, at most 128)."""
        return np.ascontiguousarray(vectors * self._scale if self._axes is None else vectors @ self._axes)


class Assigner:
    """Assigns rows to the list whose mean (lists, dim) is nearest in the projection of the means."""

    def __init__(self, means: Floats, emphasis: Floats | None) -> None:
        self._projection = MainAxes(means, emphasis)
        self._means = self._projection(means)
        self._half_squares = (self._means**2).sum(axis=1) / 2

    def __call__(self, rows: Floats) -> Ids:
        """Return the list of each row (n, dim)."""
        lists: Ids = np.argmax(self._projection(rows) @ self._means.T - self._half_squares, axis=1)
        return lists


class ListMembers:
    """Which rows the lists (lists,) hold, to know under a mask which of them are worth reading."""

    def __init__(self, members: Sequence[Ids], rows: int) -> None:
        lists = len(members)
        self._members = members
        self._list_of_row = np.zeros(rows, np.min_scalar_type(lists))
        self._first = np.full((lists, FIRST_ROWS), -1, np.int32)
        for number, own in enumerate(members):
            self._list_of_row[own] = number
            self._first[number, : min(len(own), FIRST_ROWS)] = own[:FIRST_ROWS]

    def seen(self, lists: Ids, allowed: Mask) -> Ids:
        """Return how many of the first 64 rows of each of the lists are allowed."""
        first = self._first.take(lists, axis=0)  # twice as fast as an index
        flags = allowed.take(first)
        flags &= first >= 0
        seen: Ids = flags.view(np.uint8).sum(axis=1, dtype=np.int64)
        return seen

    def count(self, lists: Ids, allowed: Mask) -> int:
        """Return how many allowed rows these lists hold together."""
        rows = np.concatenate([self._members[number] for number in lists.tolist()])
        return int(np.count_nonzero(allowed.take(rows)))

    def held(self, allowed: Mask) -> Ids:
        """Return how many allowed rows each list holds: takes some milliseconds where there are a million rows."""
        held: Ids = np.bincount(self._list_of_row[np.flatnonzero(allowed)], minlength=len(self._first))
        return held


class ListRanking:
    """Ranks lists for a query by the cosine with their mean, which tells more than the dot product.

    Many lists are first compared in the main axes of their means; only the nearest are compared in full.
    """

    def __init__(self, means: Floats) -> None:
        self._means = means
        lengths = np.linalg.norm(means, axis=1)
        self._weights = np.where(lengths > 0, 1 / np.maximum(lengths, 1e-9), 0).astype(np.float32)
        self._axes = self._projected = np.zeros((0, 0), np.float32)
        if min(means.shape) > 2 * RANKING_DIM:
            directions: Floats = means * self._weights[:, None]
            self._axes = _main_axes(directions, RANKING_DIM)
            self._projected = -(directions @ self._axes)

    def nearest(self, query: Floats, count: int, held: Ids | None = None) -> tuple[Ids, Floats]:
        """Return at most `count` lists for a query (dim,), best first, and the dot product of each mean with it.

        Of lists that hold rows only, where `held` (lists,) says how many each does.
        """
        lists = None if held is None else np.flatnonzero(held)
        compared = count + count // 4 + RANKING_LISTS
        if len(self._axes) and 2 * compared < len(self._means if lists is None else lists):
            distances = self._projected.dot(query.dot(self._axes))
            if lists is None:
                lists = distances.argpartition(compared)[:compared]
            else:
                lists = lists[distances[lists].argpartition(compared)[:compared]]
            products = self._means.take(lists, axis=0).dot(query)
        else:
            products = sum(
                (self._means[:, span] @ query[span] for span in filled_spans(query)), np.zeros(1, np.float32)
            )
            lists = np.arange(len(products)) if lists is None else lists
            products = products[lists]
        order = (products * -self._weights[lists]).argsort(kind="stable")[:count]
        return lists[order], products[order]

    def within(self, query: Floats, gap: float, least: int, most: int) -> tuple[Ids, Floats]:
        """Return the lists whose cosine with a query (dim,) is at most `gap` below that of the best list.

        At least `least` and at most `most` of them, best first, and the dot product of each mean with the query. Many
        lists are compared in the main axes of their means alone.
        """
        if len(self._axes):
            distances = self._projected.dot(query.dot(self._axes))
        else:
            distances = self._means.dot(query) * -self._weights
        limit = distances.min() + gap * math.sqrt(query.dot(query))
        lists = (distances <= limit).nonzero()[0]
        if not least <= len(lists) <= most:
            count = min(most if len(lists) > most else least, len(distances))
            lists = distances.argpartition(count - 1)[:count]
        lists = lists[distances[lists].argsort(kind="stable")]
        return lists, self._means.take(lists, axis=0).dot(query)


def _main_axes(vectors: Floats, count: int) -> Floats:
    """Return about the main axes (dim, count) of vectors (n, dim), by two rounds of a randomized projection."""
    axes = np.random.default_rng(0).standard_normal((vectors.shape[1], count), np.float32)
    for _ in range(2):
        axes = np.linalg.qr(vectors.T @ (vectors @ axes))[0]
    return np.ascontiguousarray(axes)


def filled_spans(query: NDArray[Any]) -> Iterator[slice]:
    """Yield the spans of a query without its empty blocks: half of a text query, which means are not read for."""
    filled = np.flatnonzero(query)
    if not len(filled):
        yield slice(0, 0)
        return
    gaps = np.flatnonzero(np.diff(filled) > 32)
    for first, last in zip(np.append(0, gaps + 1), np.append(gaps, len(filled) - 1), strict=True):
        yield slice(int(filled[first]), int(filled[last]) + 1)
