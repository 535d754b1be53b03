"""Reviews and their summary as JSON values."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from catalog.product import Product
from catalog.reviews.review import Review, ReviewSummary
from web.i18n.language import title_of
from web.urls import api_url, review_photo_url

if TYPE_CHECKING:
    from search.reviews.photo_retrieval.photo_search import CustomerPhoto

PHOTO_SIZES = (320, 1280)


def shown_review(review: Review) -> dict[str, Any]:
    """Return what everybody may see of an approved review."""
    return {
        "id": review.id,
        "rating": review.rating,
        "title": review.title,
        "text": review.text,
        "author": review.author,
        "language": review.language,
        "at": review.at,
        "verified": review.verified,
        "photos": [_photo_urls(sha256) for sha256 in review.photos],
        "reply": review.reply,
        "reply_at": review.reply_at,
        "helpful": review.helpful,
        "unhelpful": review.unhelpful,
    }


def similar_photo(photo: CustomerPhoto) -> dict[str, Any]:
    """Return a photo that looks like the picture of a search, with its product."""
    product = photo.product
    return {
        "product_id": product.id,
        "title": title_of(product),
        "review_id": photo.review_id,
        "score": round(photo.score, 6),
        "photo": _photo_urls(photo.sha256),
    }


def _photo_urls(sha256: str) -> dict[str, str]:
    return {str(size): api_url(review_photo_url(sha256, size)) for size in PHOTO_SIZES}


def stored_review(review: Review, product: Product | None = None) -> dict[str, Any]:
    """Return all that a merchant may see of a review; `photos` are digests, for the route of merchants."""
    return asdict(review) | {"product_title": product.title if product else ""}


def summary_json(summary: ReviewSummary) -> dict[str, Any]:
    """Return the summary of a product's reviews."""
    return {
        "count": summary.count,
        "mean": round(summary.mean, 3),
        "distribution": list(summary.distribution),
        "aspects": [asdict(aspect) for aspect in summary.aspects],
    }
