"""Count in arrays that lie side by side: owners of words, and the largest of some counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.suggestions.sorted_words import Range
from indexer.types import Ids, Mask


def held_between(held: Mask, bounds: Ids) -> Ids:
    """Return how many are set between each of some bounds and the next one."""
    return np.diff(np.searchsorted(np.flatnonzero(held), bounds))


def within(texts: NDArray[np.int32], words: Range) -> Ids:
    """Return where words of a range stand in some texts."""
    return np.flatnonzero((texts >= words[0]) & (texts < words[1]))


def owners_of(at: Ids, ends: Ids) -> Ids:
    """Return which of some products has each place of their texts, by where the texts of each end."""
    return np.searchsorted(ends, at, side="right")


def different_owners(words: NDArray[np.integer[Any]], owners: Ids, size: int, count: int) -> Ids:
    """Return how many owners, numbers below `size`, each of `count` words has, of pairs that may come twice."""
    pairs = np.sort(words.astype(np.int64) * max(1, size) + owners)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # `np.unique` hashes them, which takes longer
    return np.bincount(pairs // max(1, size), minlength=count)


def largest(counts: Ids, limit: int) -> list[int]:
    """Return the places of the largest counts above 0, largest first, equal ones in order."""
    places: Ids = np.flatnonzero(counts)
    if len(places) > limit:
        least = np.partition(counts[places], len(places) - limit)[len(places) - limit]
        above = places[counts[places] > least]
        places = np.sort(np.concatenate([above, places[counts[places] == least][: limit - len(above)]]))
    best: list[int] = places[np.argsort(-counts[places], kind="stable")].tolist()
    return best
