"""Which products occur together: in baskets, in sessions, or in the histories of visitors.

Pairs are counted in parts of some PAIRS_AT_ONCE, so no matrix of products by products is ever whole in memory. The
pairs of one product are never split: a part is larger where a single product has more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats, Mask
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.models.base import Arrays, ScoredProducts

MAX_NEIGHBOURS = 50
MAX_GROUP = 200  # products of a group that count, the newest ones: the pairs of a group grow with its square
PAIRS_AT_ONCE = 4_000_000  # of 8 bytes each, several arrays of them
ORDER_GAP_S = 300  # purchases of one order may arrive in several requests
SESSION_GAP_S = 1_800  # the pause after which a visitor's next event is a new session

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ProductNeighbours:
    """The products that occur with each product, best first.

    Those of product p are `codes` int32 and `weights` float32, above 0, from starts[p] to starts[p + 1].
    """

    starts: Positions
    codes: Codes
    weights: Floats

    def __len__(self) -> int:
        return len(self.starts) - 1

    def of_product(self, product: int) -> ScoredProducts:
        """Return the neighbours of a product with their weights."""
        rows = slice(int(self.starts[product]), int(self.starts[product + 1]))
        return ScoredProducts(self.codes[rows], self.weights[rows])

    def scores(self, products: Codes, weights: Floats) -> Floats:
        """Return float32 (products,): the weights of the neighbours of some products, times theirs (m,), added."""
        begins, counts = self.starts[products], np.diff(self.starts)[products]
        rows = expand(begins, counts)
        sums = np.bincount(self.codes[rows], self.weights[rows] * np.repeat(weights, counts), len(self))
        return sums.astype(np.float32)

    def weight(self, products: Codes, neighbour: int) -> Floats:
        """Return the weight that `neighbour` has among the neighbours of each product (m,), 0 where it is not there."""
        counts = np.diff(self.starts)[products]
        rows = expand(self.starts[products], counts)
        found = self.codes[rows] == neighbour
        sums = np.bincount(np.repeat(np.arange(len(products)), counts)[found], self.weights[rows][found], len(products))
        return sums.astype(np.float32)

    def or_else(self, others: ProductNeighbours) -> ProductNeighbours:
        """Return these neighbours, and those of `others` for each product that has none here."""
        counts, other_counts = np.diff(self.starts), np.diff(others.starts)
        missing = counts == 0
        chosen = np.where(missing, other_counts, counts)
        rows = expand(np.where(missing, others.starts[:-1] + len(self.codes), self.starts[:-1]), chosen)
        codes, weights = np.concatenate([self.codes, others.codes]), np.concatenate([self.weights, others.weights])
        return ProductNeighbours(_starts(chosen), codes[rows], weights[rows])

    def arrays(self) -> Arrays:
        """Return the columns by name."""
        return {"starts": self.starts, "codes": self.codes, "weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> ProductNeighbours:
        """Make neighbours of their columns."""
        return cls(arrays["starts"], arrays["codes"], arrays["weights"])


@dataclass(frozen=True, slots=True)
class Similarity:
    """How pairs are weighed: count / (sqrt(count of one * count of the other) + shrinkage).

    The cosine of two products over groups, shrunk where the evidence is thin (Bell and Koren, 2007). A pair of fewer
    than `min_visitors` visitors is left out, so no answer tells what one visitor bought.
    """

    shrinkage: float = 5.0
    min_visitors: int = 2
    neighbours: int = MAX_NEIGHBOURS


def baskets(events: Interactions, gap_seconds: int) -> Codes:
    """Return the group of each event, int32 (n,): events of one visitor with no longer pause than the gap."""
    return _groups((np.diff(events.visitors) != 0) | (np.diff(events.times) > gap_seconds), len(events))


def baskets_of(history: History, gap_seconds: int) -> Codes:
    """Return the group of each event of one visitor, oldest first, as `baskets` does."""
    return _groups(np.diff(history.times) > gap_seconds, len(history))


def distinct(events: Interactions, groups: Codes) -> Mask:
    """Return a mask (n,): the last event on each product of a group, at most the newest MAX_GROUP of a group.

    `groups` (n,) are in the order of the events.
    """
    newest_first = np.arange(len(events))[::-1]
    span = int(events.products.max(initial=0)) + 1
    _, first = np.unique(
        groups[newest_first].astype(np.int64) * span + events.products[newest_first], return_index=True
    )
    rows = np.sort(newest_first[first])
    sizes = np.bincount(groups[rows], minlength=int(groups.max(initial=-1)) + 1)
    from_end = (np.cumsum(sizes)[groups[rows]] - 1) - np.arange(len(rows))
    mask: Mask = np.zeros(len(events), bool)
    mask[rows[from_end < MAX_GROUP]] = True
    return mask


def newest_products(visitor: History, count: int) -> Codes:
    """Return at most `count` distinct products of a history, those of the newest events, newest first."""
    newest_first = visitor.products[::-1]
    _, first = np.unique(newest_first, return_index=True)
    return newest_first[np.sort(first)[:count]]


def co_occurring(events: Interactions, groups: Codes, products: int, similarity: Similarity) -> ProductNeighbours:
    """Return the products that occur in the same groups (n,) as each of `products` products, by their similarity.

    Ties are in the order of the table.
    """
    rows = distinct(events, groups)
    members, group, visitors = events.products[rows], groups[rows], events.visitors[rows]
    sizes = np.bincount(group, minlength=int(group.max(initial=-1)) + 1)
    begins = _starts(sizes)[group]
    roots = np.sqrt(np.bincount(members, minlength=products)).astype(np.float32)
    by_product = np.argsort(members, kind="stable")
    pairs = np.cumsum(sizes[group][by_product])
    parts = []
    for part in np.split(by_product, _cuts(members[by_product], pairs)):
        counts = sizes[group[part]]
        right = expand(begins[part], counts)
        pair = _Pairs.count(np.repeat(members[part], counts), members[right], visitors[right])
        weights = pair.counts / (roots[pair.left] * roots[pair.right] + similarity.shrinkage)
        enough = pair.visitors >= similarity.min_visitors
        parts.append(_best(pair.left[enough], pair.right[enough], weights[enough], similarity.neighbours))
    left, right_codes, best = (np.concatenate(column) for column in zip(*parts, strict=True))
    starts = _starts(np.bincount(left, minlength=products))
    return ProductNeighbours(starts, right_codes.astype(np.int32), best.astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Pairs of products (m,) in order, in how many groups they are, and of how many visitors."""

    left: Positions
    right: Positions
    counts: Positions
    visitors: Positions

    @classmethod
    def count(cls, left: Codes, right: Codes, visitors: Codes) -> _Pairs:
        """Count pairs, given once for each group (m,)."""
        other = left != right
        left, right, visitors = left[other], right[other], visitors[other]
        first, width = int(left.min(initial=0)), int(right.max(initial=0)) + 1
        people = int(visitors.max(initial=0)) + 1
        keys = ((left.astype(np.int64) - first) * width + right) * people + visitors
        keys.sort()
        pairs = keys // people
        begins = np.flatnonzero(np.diff(pairs, prepend=-1))
        new_visitor = np.diff(keys, prepend=-1) != 0
        ends = np.append(begins, len(keys))[1:]
        seen = np.concatenate([[0], np.cumsum(new_visitor)])
        found = pairs[begins]
        return cls(found // width + first, found % width, ends - begins, seen[ends] - seen[begins])


def _best(left: Positions, right: Positions, weights: Floats, k: int) -> tuple[Positions, Positions, Floats]:
    """Keep the k heaviest pairs of each left product; pairs of equal weight in the order of the table."""
    order = np.lexsort((right, -weights, left))
    left, right, weights = left[order], right[order], weights[order]
    begins = np.flatnonzero(np.diff(left, prepend=-1))
    rank = np.arange(len(left)) - np.repeat(begins, np.diff(np.append(begins, len(left))))
    best = rank < k
    return left[best], right[best], weights[best]


def _cuts(members: Codes, pairs: Positions) -> Positions:
    """Return where to split entries ordered by product: between products, at about every PAIRS_AT_ONCE pairs."""
    ends = np.flatnonzero(np.diff(members, append=-1)) + 1
    parts = pairs[ends - 1] // PAIRS_AT_ONCE
    cuts: Positions = ends[np.flatnonzero(np.diff(parts))]
    return cuts


def expand(begins: Positions, counts: Positions) -> Positions:
    """Return the positions of ranges, one range after another: begins[0], begins[0] + 1, ..., begins[1], ..."""
    total = int(counts.sum())
    offsets = np.cumsum(counts) - counts
    positions: Positions = np.arange(total) + np.repeat(begins - offsets, counts)
    return positions


def _groups(new: Mask, size: int) -> Codes:
    """Return the groups of events (size,), given for each but the first whether it begins one."""
    return np.concatenate([[0], np.cumsum(new)])[:size].astype(np.int32)


def _starts(counts: Positions) -> Positions:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
