"""Render the audit's most confident findings, with their pictures, as one HTML page that can be sent to somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from catalog.product import Product
from indexer.html_report import render_report, thumbnail_uri
from search.doctor.audit_rows import Finding

MAX_FINDINGS = 300  # a page of so many, each with at most four pictures of 4 kB, stays under 7 MB
MAX_OTHERS = 3
THUMBNAIL_SIDE = 120
MAX_SHOWN_CONFIDENCE = 0.99


def page(findings: Sequence[Finding], counts: Mapping[str, int], size: tuple[int, int, float]) -> str:
    """Return the page; `size` is (products, pictures, seconds) of the audit."""
    products, pictures, seconds = size
    uri = lru_cache(4 * MAX_FINDINGS)(lambda path: thumbnail_uri(path, THUMBNAIL_SIDE))

    def figure(product: Product) -> tuple[str, str | None]:
        return product.id, uri(product.pictures[0].path if product.pictures else "")

    shown = [
        {
            "finding": finding,
            "confidence": f"{min(finding.confidence, MAX_SHOWN_CONFIDENCE):.0%}",
            "figures": [figure(product) for product in (finding.product, *finding.others[:MAX_OTHERS])],
        }
        for finding in findings[:MAX_FINDINGS]
    ]
    return render_report(
        "search.doctor",
        "audit.html.jinja",
        title="The catalogue doctor",
        products=f"{products:,}",
        pictures=f"{pictures:,}",
        seconds=f"{seconds:,.0f}",
        counts=[(kind, f"{count:,}") for kind, count in counts.items()],
        shown=shown,
        total=f"{len(findings):,}" if len(findings) > len(shown) else "",
    )
