"""Diversity of a list: no near-duplicates, few products of a category, many categories, few repeats.

Each prefix of a list is the list for a smaller k, so pages of it never overlap.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from indexer.types import Floats, Ids, Mask
from search.recommend.content.session import Floats64, marginal
from search.recommend.feed.feed_page import RELEVANCE_SHARE

BLOCK = 20  # products within which categories are counted: a page of the feed
MAX_OF_CATEGORY = 3  # products of one category in a block
MIN_CATEGORIES = 12  # categories in a block, where the candidates have more:
CATEGORY_SHARE = 0.75  # share of the candidates' categories that a block need not exceed
DUPLICATE = 0.97  # similarity of two listings of one thing, of which one is enough


@dataclass(frozen=True, slots=True, eq=False)
class DiversityPool:
    """Candidates (n,) of a list, with their scores, rows (n, dim), category labels, and which the visitor bought."""

    scores: Floats64
    rows: Floats
    categories: Ids
    repeats: Mask

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class DiversityLimits:
    """Limits of a list: of its first n, at most the ceiling of n * repeat_share are repeats, even if it ends for that.

    With `spread`, a block has at most MAX_OF_CATEGORY of a category and at least MIN_CATEGORIES categories.
    """

    repeat_share: float = 1.0
    relevance_share: float = RELEVANCE_SHARE
    spread: bool = True


def diversified(pool: DiversityPool, k: int, limits: DiversityLimits) -> list[int]:
    """Return the positions of k candidates, best first, by maximal marginal relevance within limits.

    No duplicate is chosen, and the limits of categories hold, for as long as there are other candidates.
    """

    known = len(np.unique(pool.categories[pool.categories >= 0]))

    def eligible(picked: list[int], closest: Floats64) -> Mask:
        allowed = np.ones(len(pool), np.bool_)
        allowed[picked] = False
        repeats = int(np.count_nonzero(pool.repeats[picked]))
        if repeats + 1 > math.ceil(limits.repeat_share * (len(picked) + 1)):
            allowed &= ~pool.repeats
        distinct = allowed & (closest < DUPLICATE) if picked else allowed
        if not distinct.any():
            return allowed
        if not limits.spread:
            return distinct
        within = distinct & _within_limits(pool.categories, picked[len(picked) - len(picked) % BLOCK :], known)
        return within if within.any() else distinct

    return marginal(pool.scores, pool.rows, k, limits.relevance_share, eligible)


def _within_limits(categories: Ids, block: list[int], known: int) -> Mask:
    """Return the mask of the candidates that the categories of a block leave room for; unknown categories pass.

    `known` is the number of categories of all candidates: where they are few, a list may have more of one.
    """
    counts: Mapping[int, int] = Counter(categories[block].tolist())
    missing = min(MIN_CATEGORIES, math.ceil(CATEGORY_SHARE * known)) - len(counts)
    most = max(MAX_OF_CATEGORY, math.ceil(2 * BLOCK / max(known, 1)))
    limit = 1 if BLOCK - len(block) <= missing else most
    full = [category for category, count in counts.items() if count >= limit and category >= 0]
    return ~np.isin(categories, full)
