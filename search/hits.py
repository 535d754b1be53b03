"""The answer: one object a hit, with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.product import Picture, Product


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One product found: the picture of it that matched best, its score, and the score's parts by block.

    `score` is the weighted mean of block cosines, at most 1; `parts` maps block name to that block's share
    of it, and the shares add up to `score`.
    """

    product: Product
    picture: Picture
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of hits, best first, ties by product id; `generation` is the index that answered."""

    hits: tuple[SearchHit, ...]
    generation: int
    took_ms: float
    degraded: tuple[str, ...] = ()
