"""The reviews of a product as pages show them: the section of the product's page, and the list with its filter."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.errors import WindowshopError
from catalog.reviews.review import Opinion, Review, ReviewSummary
from catalog.reviews.review_query import ReviewFilter
from web.engine import get_engine
from web.reviews.filter_fields import ReviewParameters, filter_fields
from web.reviews.review_views import (
    ChosenFilter,
    ReviewView,
    SummaryView,
    chosen_filters,
    review_view,
    summary_view,
)
from web.urls import reviews_url

PAGE_REVIEWS = 10
FIRST_REVIEWS = 3  # on the page of the product
NEIGHBOUR_PAGES = 2  # offered on each side of the current page


@dataclass(frozen=True, slots=True)
class ProductReviews:
    """The reviews on a product's page; `summary` is None without any. `first` are the most helpful ones."""

    found: ReviewSummary
    summary: SummaryView | None
    first: tuple[ReviewView, ...]

    @property
    def reviews(self) -> tuple[Review, ...]:
        """The most helpful reviews, as they are stored."""
        return tuple(shown.review for shown in self.first)


@dataclass(frozen=True, slots=True)
class ReviewList:
    """A page of the reviews of a product. `aspects` are those that reviews speak of; `total` are all that match."""

    product_id: str
    wanted: ReviewFilter
    summary: SummaryView
    aspects: tuple[str, ...]
    chosen: tuple[ChosenFilter, ...]
    reviews: tuple[ReviewView, ...]
    total: int
    page: int
    pages: tuple[int, ...]

    @property
    def first(self) -> int:
        """The place of the first review of this page in the list, from 1."""
        return (self.page - 1) * PAGE_REVIEWS + 1

    def address(self, page: int = 1) -> str:
        """Return the address of a page of this list."""
        return reviews_url(self.product_id, **filter_fields(self.wanted, page)) + "#list"


def product_reviews(product_id: str) -> ProductReviews | None:
    """Return the reviews of a product's page; None where they cannot be read: the page is whole without them."""
    try:
        store = get_engine().reviews
        summary = store.summary(product_id)
        if not summary.count:
            return ProductReviews(summary, None, ())
        first = store.page(product_id, ReviewFilter(), 0, FIRST_REVIEWS).reviews
    except WindowshopError:
        return None
    return ProductReviews(summary, summary_view(product_id, summary), tuple(review_view(review) for review in first))


def review_list(product_id: str, sent: ReviewParameters) -> ReviewList:
    """Return a page of the reviews of a product, at most the last one. Raises StoreError."""
    store, wanted = get_engine().reviews, sent.review_filter()
    summary = store.summary(product_id)
    page = sent.page
    found = store.page(product_id, wanted, (page - 1) * PAGE_REVIEWS, PAGE_REVIEWS)
    last = max(1, -(-found.total // PAGE_REVIEWS))
    if page > last:
        page = last
        found = store.page(product_id, wanted, (page - 1) * PAGE_REVIEWS, PAGE_REVIEWS)
    around = range(max(1, page - NEIGHBOUR_PAGES), min(last, page + NEIGHBOUR_PAGES) + 1)
    return ReviewList(
        product_id=product_id,
        wanted=wanted,
        summary=summary_view(product_id, summary, wanted),
        aspects=tuple(aspect.aspect for aspect in summary.aspects),
        chosen=chosen_filters(product_id, wanted),
        reviews=tuple(review_view(review, _wanted_opinions(review, wanted)) for review in found.reviews),
        total=found.total,
        page=page,
        pages=tuple(sorted({1, *around})) if last > 1 else (),
    )


def _wanted_opinions(review: Review, wanted: ReviewFilter) -> tuple[Opinion, ...]:
    """Return the opinions in a review that the filter is about; none where it is about no opinion."""
    if not (wanted.aspect or wanted.polarity):
        return ()
    analysis = get_engine().reviews.analysis(review.id)
    return tuple(
        opinion
        for opinion in (analysis.opinions if analysis else ())
        if wanted.aspect in ("", opinion.aspect) and wanted.polarity in ("", opinion.polarity)
    )
