"""Products that no text query a shopper might type would find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from indexer.layout import WORDS
from indexer.numeric import chunks
from search.doctor.audit_rows import ROWS_PER_CHUNK, AuditRows, Finding, ReportProgress
from search.query.terms import Query, TextTerm

MAX_TITLE_RANK = 50  # hits among which a product's own title must bring it
MAX_SEARCHED = 500  # products that get a whole search by title, after k-NN on the vectors did not find them
FINDING_CONFIDENCE = 0.5


def findability_findings(shop: AuditRows, progress: ReportProgress) -> Iterator[Finding]:
    """Find products that neither their own title nor "colour category" brings among the first DEPTH hits."""
    if WORDS not in shop.layout.names:
        return
    missed: list[int] = []
    for part in chunks(len(shop), ROWS_PER_CHUNK):
        progress("what words reach", part.start, len(shop))
        neighbours = shop.nearest(shop.title_queries(part), MAX_TITLE_RANK)[1]
        for place, near in enumerate(neighbours.tolist(), part.start):
            if not any(other > -1 and shop.products[other].id == shop.products[place].id for other in near):
                missed.append(place)
    counts = Counter(_plain_name(shop, place) for place in range(len(shop)))
    for number, place in enumerate(missed[:MAX_SEARCHED]):
        progress("what words reach", number, min(len(missed), MAX_SEARCHED))
        product, plain = shop.products[place], _plain_name(shop, place)
        texts = [text for text in dict.fromkeys((product.title, plain)) if text.strip()]
        pages = shop.engine.search_many(
            [Query((TextTerm(text[:1_000]),), k=MAX_TITLE_RANK, collapse=False) for text in texts]
        )
        if any(hit.product.id == product.id for page in pages for hit in page.hits):
            continue
        others = counts[plain] - 1
        why = f"Neither its title nor “{plain}” (shared with {others} others) brings it among {MAX_TITLE_RANK}."
        yield Finding("not found", product, FINDING_CONFIDENCE, why, "title")


def _plain_name(shop: AuditRows, place: int) -> str:
    """Return the colour and the leaf category of a product, such as "red scarf"."""
    product = shop.products[place]
    leaf = product.category_path[-1] if product.category_path else ""
    return " ".join(part for part in (product.attributes.get("colour", ""), leaf) if part)
