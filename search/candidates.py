"""From a snapshot's rows to the hits of a page: the best row of each product, and the evidence for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.product import Picture, Product
from indexer.encoders.base import Floats
from search.encode import Asked
from search.hits import SearchHit
from search.rank import Ints, best_rows, split_scores
from search.served import Served
from search.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best row of each product fetched, best first: parallel arrays, because this runs for every query."""

    rows: Ints
    products: Ints
    scores: Floats


def fetched(snapshot: Snapshot, asked: Asked, fetch: int) -> tuple[Ranked, bool]:
    """The best `fetch` rows, one a product, without the excluded; and whether there are no others to fetch."""
    scores, rows = snapshot.search(asked.vector, fetch)
    products = snapshot.keys_of(rows)
    best = best_rows(products, scores)
    if asked.excluded:
        best = best[~np.isin(products[best], asked.excluded)]
    return Ranked(rows[best], products[best], scores[best]), len(rows) < fetch


def candidates(ranked: Ranked, products: Mapping[int, Product]) -> list[tuple[float, str, int]]:
    """(score, product id, place in the ranking) of those that are among the products, to be cut into a page."""
    keys, scores = ranked.products.tolist(), ranked.scores.tolist()
    return [(min(scores[i], 1.0), products[key].id, i) for i, key in enumerate(keys) if key in products]


def found_hits(
    served: Served, asked: Asked, ranked: Ranked, page: Sequence[tuple[int, Product]]
) -> tuple[SearchHit, ...]:
    """The hits of a page: the products at these places of the ranking, with the evidence."""
    layout = served.generation.layout
    places = [place for place, _ in page]
    rows = ranked.rows[places]
    starts = [layout.slice(name).start for name in layout.names]
    parts = split_scores(served.snapshot.vectors_of(rows), asked.vector, starts).tolist()
    hashes = served.snapshot.hashes_of(rows)
    scores = np.minimum(ranked.scores[places], 1.0).tolist()
    return tuple(
        SearchHit(product, _picture(product, sha256), score, dict(zip(layout.names, shares, strict=True)))
        for (_, product), sha256, score, shares in zip(page, hashes, scores, parts, strict=True)
    )


def _picture(product: Product, sha256: str) -> Picture:
    """The product's picture with that content; its first one when the catalogue changed after the index was made."""
    fallback = product.pictures[0] if product.pictures else Picture("", sha256)
    return next((picture for picture in product.pictures if picture.sha256 == sha256), fallback)
