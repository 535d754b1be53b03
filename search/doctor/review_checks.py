"""What customers' reviews say is wrong with a listing: sizes that disappoint, and colours that are not as pictured."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.reviews.review import COLOUR
from catalog.reviews.review_reader import ReviewReader
from search.doctor.audit_rows import MIN_CONFIDENCE, AuditRows, Finding, ReportProgress
from search.reviews.insights.review_insights import Disappointment, review_insights
from search.reviews.insights.size_direction import SMALLER

SIZE_KIND, COLOUR_KIND = "size in reviews", "colour in reviews"
PRIOR = 3  # customers who are taken to have no complaint, besides those who speak of it


def review_findings(shop: AuditRows, progress: ReportProgress) -> Iterator[Finding]:
    """Find products of which several customers write that size or colour is not what the listing lets expect."""
    progress("reviews", 0, len(shop))
    products = {product.id: product for product in shop.products}
    insights = review_insights(ReviewReader(shop.engine.home))
    for one in (*insights.sizes, *insights.colours):
        product = products.get(one.product_id)
        confidence = one.customers / (one.speaking + PRIOR)
        if product is not None and confidence >= MIN_CONFIDENCE:
            if one.kind == COLOUR:
                yield Finding(COLOUR_KIND, product, confidence, _why(one, "its colour", "is not as pictured"), "colour")
            else:
                size = "smaller" if one.kind == SMALLER else "larger"
                yield Finding(SIZE_KIND, product, confidence, _why(one, "its size", f"is {size} than expected"))


def _why(one: Disappointment, what: str, said: str) -> str:
    return (
        f"{one.customers} of the {one.speaking} customers who write about {what} say that it {said}:"
        f" \u201c{one.quotes[0]}\u201d. Look at the pictures and at what the listing states."
    )
