"""What is asked of the stored reviews, and what is answered: filters, pages, ratings, texts to analyse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from catalog.reviews.review import Review, ReviewDraft

QUICK = " quick"  # ends the name of a model whose analyses are quick, and good enough until better ones are wanted
HELPFUL, NEWEST, HIGHEST, LOWEST = "helpful", "newest", "highest", "lowest"
SORTS = (HELPFUL, NEWEST, HIGHEST, LOWEST)


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which approved reviews of a product to return, and in which order; a field left out allows all.

    `polarity` is that of an opinion on `aspect`, or of any opinion without an aspect.
    """

    rating: int = 0
    aspect: str = ""
    polarity: str = ""
    verified: bool = False  # only those of customers who bought the product
    photos: bool = False  # only those with photos
    language: str = ""
    sort: str = HELPFUL


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Some reviews of a list, and how many the whole list has."""

    reviews: tuple[Review, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ProductRating:
    """How many approved reviews a product has, and the sum of their stars."""

    count: int
    total: int

    @property
    def mean(self) -> float:
        """The mean number of stars; 0.0 without reviews."""
        return self.total / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class RatingTable:
    """The rating of every product with approved reviews, by product id, as of a change number."""

    change: int
    products: Mapping[str, ProductRating] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def overall(self) -> ProductRating:
        """The rating of all products together."""
        rated = self.products.values()
        return ProductRating(sum(rating.count for rating in rated), sum(rating.total for rating in rated))


@dataclass(frozen=True, slots=True)
class NewReview:
    """A review to store: `visitor` is the id or mail address of who wrote it, of which only a keyed hash is stored.

    `reasons` are codes of what moderation noticed.
    """

    draft: ReviewDraft
    visitor: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class StoreCounts:
    """What became of reviews to store: `unchanged` ones were stored already, or a later one of the visitor is."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class ReviewText:
    """A text to analyse: that of a review, or its title where it has no more.

    Equal texts have one `digest` (hexadecimal), and are analysed once.
    """

    digest: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class ReviewSentence:
    """A sentence of an approved review of a product."""

    review_id: str
    text: str
    language: str
    rating: int
    verified: bool
    at: int


@dataclass(frozen=True, slots=True)
class ReviewPhoto:
    """A photo of an approved review: the digest of its file, the review and the product."""

    sha256: str
    review_id: str
    product_id: str


@dataclass(frozen=True, slots=True)
class DatedOpinion:
    """What a clause of an approved review says about an aspect; `at` is when the review was written."""

    product_id: str
    review_id: str
    at: int
    aspect: str
    polarity: str
    probability: float
    text: str
    rating: int


@dataclass(frozen=True, slots=True)
class ModerationDecision:
    """A logged decision about a review; `actor` is the name of the key that decided, "" for the shop itself."""

    at: int
    review_id: str
    product_id: str
    state: str
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class ReviewOverview:
    """How many reviews a shop has in each state, how many wait to be analysed, and other figures of the store."""

    pending: int
    approved: int
    rejected: int
    products: int  # with approved reviews
    unanalysed: int
    votes: int
    photos: int
    bytes: int
