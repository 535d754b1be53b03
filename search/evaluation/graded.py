"""Grade a ranking: is a hit of the kind that was requested, and has it the requested attributes?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

KIND_GAIN, ATTRIBUTE_GAIN = 2.0, 1.0
DEPTH = 10  # hits that count


@dataclass(frozen=True, slots=True)
class Grade:
    """Whether a product is of the requested kind, and the share of the requested attributes that it has, 0 to 1."""

    kind: bool
    attributes: float = 0.0

    @property
    def pair(self) -> bool:
        """Return whether the product is of the kind and has all attributes."""
        return self.kind and self.attributes == 1.0

    @property
    def gain(self) -> float:
        """Return what the product is worth in a ranking, 0 to 3."""
        return KIND_GAIN * self.kind + ATTRIBUTE_GAIN * self.attributes


@dataclass(frozen=True, slots=True)
class GradedRanking:
    """The grades of one question's hits, best hit first, and what the shop has.

    `kinds` products of the shop are of the kind, `pairs` of them have all attributes (0 where none is requested), and
    `ideal` are the gains of the best ranking of the shop's products, at least `DEPTH` where it has so many.
    """

    hits: tuple[Grade, ...]
    kinds: int
    pairs: int
    ideal: tuple[float, ...]

    @property
    def kind_first(self) -> bool:
        """Return whether the first hit is of the kind."""
        return bool(self.hits) and self.hits[0].kind

    @property
    def pair_first(self) -> bool | None:
        """Return whether the first hit is of the kind and has all attributes; None where the shop has no such thing."""
        return bool(self.hits) and self.hits[0].pair if self.pairs else None

    def kind_among(self, k: int) -> bool:
        """Return whether one of the first k hits is of the kind."""
        return any(hit.kind for hit in self.hits[:k])

    def kind_recall(self, k: int = DEPTH) -> float | None:
        """Return the share of the kind's products, at most k, that are among the first k hits; None without any."""
        return sum(hit.kind for hit in self.hits[:k]) / min(k, self.kinds) if self.kinds else None

    def pair_share(self, k: int = DEPTH) -> float | None:
        """Return the share of the first k places that hold pairs; None where the shop has fewer than k pairs."""
        return sum(hit.pair for hit in self.hits[:k]) / k if self.pairs >= k else None

    def ndcg(self, k: int = DEPTH) -> float | None:
        """Return the normalised discounted cumulative gain; None where no product of the shop has any gain."""
        best = discounted_gain(self.ideal[:k])
        return discounted_gain([hit.gain for hit in self.hits[:k]]) / best if best else None


def discounted_gain(gains: Sequence[float]) -> float:
    """Return the sum of gains, each divided by log2(rank + 1)."""
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
