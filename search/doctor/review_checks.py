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
    for complaint in (*insights.sizes, *insights.colours):
        product = products.get(complaint.product_id)
        confidence = complaint.customers / (complaint.speaking + PRIOR)
        if product is not None and confidence >= MIN_CONFIDENCE:
            is_colour = complaint.kind == COLOUR
            kind, field = (COLOUR_KIND, COLOUR) if is_colour else (SIZE_KIND, "")
            yield Finding(kind, product, confidence, _why(complaint), field)


def _why(complaint: Disappointment) -> str:
    size = "smaller" if complaint.kind == SMALLER else "larger"
    about, claim = (
        ("colour", "is not as pictured") if complaint.kind == COLOUR else ("size", f"is {size} than expected")
    )
    return (
        f"{complaint.customers} of the {complaint.speaking} customers who write about its {about} say that it {claim}:"
        f" \u201c{complaint.quotes[0]}\u201d. Look at the pictures and at what the listing states."
    )
