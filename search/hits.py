"""The answer: one object a hit, with its evidence, and the one JSON shape that the command line and the API share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.product import Picture, Product
from search.verdict import Verdict


def product_facts(product: Product) -> dict[str, Any]:
    """What every JSON answer tells of a product: the price as exact text ("12.90"), never a path or a feed's line."""
    return {
        "id": product.id,
        "title": product.title,
        "category": product.category,
        "brand": product.brand,
        "price": None if product.price is None else str(product.price),
        "currency": product.currency,
        "in_stock": product.in_stock,
    }


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

    def to_dict(self, rank: int) -> dict[str, Any]:
        """The hit as JSON values: the picture as its content hash, never a path."""
        return {
            "rank": rank,
            **product_facts(self.product),
            "score": round(self.score, 6),
            "parts": {name: round(part, 6) for name, part in self.parts.items()},
            "picture": self.picture.sha256,
        }


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of hits, best first, ties by product id; `generation` is the index that answered.

    `offset` is how many better hits were skipped, so that the first hit here has rank `offset + 1`. `verdict` says
    whether the shop has what a photo shows; None where that was not asked or cannot be said.
    """

    hits: tuple[SearchHit, ...]
    generation: int
    took_ms: float
    degraded: tuple[str, ...] = ()
    offset: int = 0
    verdict: Verdict | None = None

    def to_dict(self) -> dict[str, Any]:
        """The page as JSON values: generation, took_ms, degraded, verdict, and the hits with their ranks from 1."""
        return {
            "generation": self.generation,
            "took_ms": round(self.took_ms, 2),
            "degraded": list(self.degraded),
            "verdict": self.verdict.to_dict() if self.verdict else None,
            "hits": [hit.to_dict(rank) for rank, hit in enumerate(self.hits, self.offset + 1)],
        }
