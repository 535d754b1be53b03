"""The answer: one object a hit, with its evidence, and the one JSON shape that the command line and the API share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.product import Picture, Product

if TYPE_CHECKING:
    from search.facets import Facet
    from search.verdict import Verdict

LEXICAL = "lexical"  # the part of a score that the words of the product's own texts gave


KIND = "kind"  # the part that being of the same category gave, see search/kinds.py


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
    of it, "lexical" to what the product's own texts gave, and the shares add up to `score`. `found_by` says which of
    "vector" and "lexical" found it, `duplicates` which listings of the same thing stand behind it.
    """

    product: Product
    picture: Picture
    score: float
    parts: Mapping[str, float]
    found_by: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()

    def to_dict(self, rank: int) -> dict[str, Any]:
        """The hit as JSON values: the picture as its content hash, never a path."""
        return {
            "rank": rank,
            **product_facts(self.product),
            "score": round(self.score, 6),
            "parts": {name: round(part, 6) for name, part in self.parts.items()},
            "found_by": list(self.found_by),
            "duplicates": list(self.duplicates),
            "picture": self.picture.sha256,
        }


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of hits, best first, ties by product id; `generation` is the index that answered.

    `offset` is how many better hits were skipped, so that the first hit here has rank `offset + 1`. `total` is how many
    products match, where that was counted. `verdict` says whether the shop has what a photo shows; None where that was
    not asked or cannot be said. `notes` tell how the words were understood; `refine` carries the question on.
    """

    hits: tuple[SearchHit, ...]
    generation: int
    took_ms: float
    degraded: tuple[str, ...] = ()
    offset: int = 0
    verdict: Verdict | None = None
    total: int | None = None
    facets: tuple[Facet, ...] = ()
    notes: tuple[str, ...] = ()
    refine: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The page as JSON values: what was measured and counted, and the hits with their ranks from 1."""
        return {
            "generation": self.generation,
            "took_ms": round(self.took_ms, 2),
            "degraded": list(self.degraded),
            "verdict": self.verdict.to_dict() if self.verdict else None,
            "total": self.total,
            "notes": list(self.notes),
            "hits": [hit.to_dict(rank) for rank, hit in enumerate(self.hits, self.offset + 1)],
            "facets": [facet.to_dict() for facet in self.facets],
            "refine": self.refine,
        }
