"""Compare what a page states with what a click shows: a facet's count, the total, and the hits of all pages."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from search.engine import SearchEngine
from search.hits import Facet, FacetValue
from search.query.filters import ATTRIBUTE, ATTRIBUTES, Filter, parse_filter
from search.query.terms import MAX_K, MAX_RANK, Query
from search.understanding.understood import NEAR


@dataclass(frozen=True, slots=True)
class FacetClick:
    """A value of a facet: the count that the page states, and what a search with that value alone in its field finds.

    `total` is that page's total. `listed` products are on all pages together: hits, and other listings of the same
    thing that a hit stands for; None where there are more pages than a shopper can turn to. `repeated` of the products
    are listed more than once.
    """

    field: str
    label: str
    count: int
    total: int | None
    listed: int | None
    repeated: int = 0

    @property
    def differences(self) -> tuple[str, ...]:
        """Return what disagrees, as sentences; empty when the page's figures are true."""
        found = []
        if self.total != self.count:
            found.append(f"The facet {self.field} states {self.count} for {self.label!r}, the click shows {self.total}")
        if self.listed is not None and self.listed != self.total:
            found.append(f"{self.label!r} in {self.field}: the total is {self.total}, all pages list {self.listed}")
        if self.repeated:
            found.append(f"{self.label!r} in {self.field}: {self.repeated} products are listed twice")
        return tuple(found)


def random_click(engine: SearchEngine, query: Query, rng: random.Random) -> FacetClick | None:
    """Search, click on a random value of a random facet, and list all pages; None where the page has no facet."""
    page = engine.search(replace(query, facets=True, offset=0))
    if not page.facets:
        return None
    facet = rng.choice(page.facets)
    return click(engine, query, facet, rng.choice(facet.values))


def click(engine: SearchEngine, query: Query, facet: Facet, value: FacetValue) -> FacetClick:
    """Search with the value alone in its field, and list all pages of what is found."""
    narrowed = replace(query, filter=selecting(query.filter, facet.name, value))
    total, listed, repeated = listing(engine, narrowed)
    return FacetClick(facet.name, value.label, value.count, total, listed, repeated)


def selecting(active: Filter | None, field: str, value: FacetValue) -> Filter:
    """Return a filter with this value instead of its field's own condition."""
    changed: dict[str, Any] = (active or Filter()).without(field).to_json()
    content = dict(value.value) if isinstance(value.value, Mapping) else value.value
    if field.startswith(ATTRIBUTE):
        changed.setdefault(ATTRIBUTES, {})[field.removeprefix(ATTRIBUTE)] = content
    else:
        changed[field] = content
    return parse_filter(changed)


def listing(engine: SearchEngine, query: Query) -> tuple[int | None, int | None, int]:
    """Return the total that the first page states, the products that all pages list, and those listed repeatedly.

    Pages far beyond the total are not read. The products are None where the last page is full.
    """
    total: int | None = None
    ids: list[str] = []
    for offset in range(0, MAX_RANK, MAX_K):
        page = engine.search(replace(query, k=MAX_K, offset=offset, facets=True))  # as the pages of the shop are
        total = page.total if offset == 0 else total
        near = page.verdict is not None and page.verdict.kind == NEAR  # its hits are no answers
        ids += [] if near else [product_id for hit in page.hits for product_id in (hit.product.id, *hit.duplicates)]
        if len(page.hits) < MAX_K or len(ids) > (total or 0) + MAX_K:
            return total, len(set(ids)), len(ids) - len(set(ids))
    return total, None, len(ids) - len(set(ids))
