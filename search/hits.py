"""The result of a search: hits with their evidence, and the JSON shape that the command line and the API share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from catalog.product import Picture, Product, reduced_from
from catalog.web_links import is_link
from search.understanding.understood import Understood

if TYPE_CHECKING:
    from search.query.terms import Query

EXACT, SIMILAR, NO_MATCH = "exact", "similar", "no_match"
# "Not sold here" turns shoppers away, so the threshold is low: at most 5 % of photos of kinds that are sold lie below.
NO_MATCH_THRESHOLD = 0.2
EXACT_THRESHOLD = 0.6

# The parts of a score that kind and attributes gave, see search/retrieval/relevance.py.
CATEGORY_PART, ATTRIBUTE_PART = "kind", "attributes"


def product_facts(product: Product) -> dict[str, Any]:
    """Return a product as JSON values: the price as exact text ("12.90"), never a path or a line of the feed."""
    before = reduced_from(product.price, product.list_price)
    return {
        "id": product.id,
        "title": product.title,
        "category": product.category,
        "brand": product.brand,
        "currency": product.currency,
        "in_stock": product.in_stock,
        "on_sale": before is not None,
        "discount": product.discount,
        "item_group_id": product.item_group_id,
        "price": None if product.price is None else str(product.price),
        "list_price": None if before is None else str(before),
        "attributes": dict(product.attributes),
        "link": product.link if is_link(product.link) else None,
    }


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One product found: the picture of it that matched best, its score, and the score's parts, which add up to it."""

    product: Product
    picture: Picture
    score: float  # at most 1
    parts: Mapping[str, float]  # share of each block; of "lexical", matches in the product's own texts
    found_by: tuple[str, ...] = ()  # of "vector" and "lexical"
    duplicates: tuple[str, ...] = ()  # ids of other listings of the same thing
    variants: tuple[str, ...] = ()  # ids of the products of its item group, its own too; none without others

    def to_dict(self, rank: int) -> dict[str, Any]:
        """Return the hit as JSON values: the picture as its content hash, never a path."""
        return {
            "rank": rank,
            **product_facts(self.product),
            "score": round(self.score, 6),
            "parts": {name: round(part, 6) for name, part in self.parts.items()},
            "found_by": list(self.found_by),
            "duplicates": list(self.duplicates),
            "variants": list(self.variants),
            "picture": self.picture.sha256,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """Probability that the shop sells the kind of thing in a photo, and that the first hit is the very thing.

    `exact` is None when it is not known.
    """

    probability: float
    exact: float | None = None

    @property
    def kind(self) -> str:
        """The verdict in one word: "exact", "similar" or "no_match"."""
        if self.probability < NO_MATCH_THRESHOLD:
            return NO_MATCH
        return EXACT if self.exact is not None and self.exact >= EXACT_THRESHOLD else SIMILAR

    def to_dict(self) -> dict[str, object]:
        """Return the verdict as JSON values."""
        return {
            "kind": self.kind,
            "probability": round(self.probability, 4),
            "exact_probability": None if self.exact is None else round(self.exact, 4),
        }


@dataclass(frozen=True, slots=True)
class TextVerdict:
    """Whether the shop has what words ask for: `kind` is "answers", "near" or "nothing"."""

    kind: str
    probability: float  # that the shop sells it
    exact: float | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the verdict as JSON values, as those of a photo's verdict."""
        return {"kind": self.kind, "probability": round(self.probability, 4), "exact_probability": None}


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of hits, best first, ties by product id."""

    query: Query = field(compare=False, repr=False)  # as it was run: pictures as vectors, "cheaper" as a price limit
    hits: tuple[SearchHit, ...]
    generation: int  # the index that answered
    took_ms: float
    degraded: tuple[str, ...] = ()  # the steps that were left out
    offset: int = 0  # better hits that were skipped: the first hit here has rank `offset + 1`
    verdict: Verdict | TextVerdict | None = None  # None where the query is neither photo nor words, or nothing is known
    total: int | None = None  # products that answer; facets, pages and every order are about the same ones
    total_variants: int | None = None  # the same where each variant counts; `total` has each item group once if asked
    facets: tuple[Facet, ...] = ()
    notes: tuple[str, ...] = ()  # how the text was understood
    corrections: Mapping[str, str] = field(default_factory=dict)  # typing mistakes, and what was searched for instead
    refine: str = ""  # the token for the next page
    understood: Understood = field(default_factory=Understood)
    near: tuple[SearchHit, ...] = ()  # the next best products, where the answers end on this page
    redirect: str = ""  # the address that the shop's owner sends such a question to
    near_by: str = ""  # why they are near: "values", "price": others of the kind; "kinds": other kinds

    def to_dict(self) -> dict[str, Any]:
        """Return the page as JSON values: times, counts, and the hits with their ranks from 1."""
        return {
            "generation": self.generation,
            "took_ms": round(self.took_ms, 2),
            "degraded": list(self.degraded),
            "verdict": self.verdict.to_dict() if self.verdict else None,
            "total": self.total,
            "total_variants": self.total_variants,
            "notes": list(self.notes),
            "hits": [hit.to_dict(rank) for rank, hit in enumerate(self.hits, self.offset + 1)],
            "facets": [facet.to_dict() for facet in self.facets],
            "refine": self.refine,
            "understood": self.understood.to_dict(),
            "near": [hit.to_dict(rank) for rank, hit in enumerate(self.near, 1)],
            "near_by": self.near_by,
            "redirect": self.redirect or None,
        }


Value = str | bool | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One choice: `value` as a filter takes it, `label` for people, its number of products, and if it is selected."""

    value: Value
    label: str
    count: int
    selected: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """The choices of one field, most frequent first (prices rising, categories parents before children)."""

    name: str
    values: tuple[FacetValue, ...]
    others: int = 0  # values that are not listed
    span: tuple[float, float] | None = None  # the lowest and the highest price
    currency: str = ""  # of the prices

    def to_dict(self) -> dict[str, Any]:
        """Return the facet as JSON values."""
        values = [asdict(value) for value in self.values]
        span = {} if self.span is None else {"min": self.span[0], "max": self.span[1], "currency": self.currency}
        return {"name": self.name, "values": values, "others": self.others, **span}
