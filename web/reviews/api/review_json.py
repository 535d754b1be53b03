"""Reviews and their summary as JSON values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from catalog.product import Product
from catalog.reviews.review import Review, ReviewSummary
from web.urls import api_url

PHOTO_SIZES = (320, 1280)


def photo_url(sha256: str, size: int) -> str:
    """Return the address of a photo in an approved review, at one of the PHOTO_SIZES."""
    return f"/reviews/photos/{sha256}/{size}.jpg"


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
        "photos": [{str(size): api_url(photo_url(sha256, size)) for size in PHOTO_SIZES} for sha256 in review.photos],
        "reply": review.reply,
        "reply_at": review.reply_at,
        "helpful": review.helpful,
        "unhelpful": review.unhelpful,
    }


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
