"""Compare two encoders: figures, and a page with the golden queries whose results changed most, with pictures."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.generations.golden_queries import COMPARED_RANKS, GoldenQuery, golden_queries
from indexer.generations.store import Generation
from indexer.html_report import render_report, thumbnail_uri

MAX_QUERIES = 12  # on the page
MAX_HITS = 6  # shown for each generation
THUMBNAIL_SIDE = 160


def save_encoder_diff(home: Path, before: Generation, after: Generation, catalogue: Catalogue) -> None:
    """Write encoder-change.json and encoder-change.html into the shop's home."""
    queries = golden_queries(before, after)
    figures = change_figures(before, after, queries)
    worst = sorted(queries, key=lambda query: (query.overlap, query.sha256))[:MAX_QUERIES]  # the hash shuffles ties
    html = page(figures, worst, catalogue)
    shop = ShopHome(home)
    write_atomically(shop.encoder_diff, lambda path: path.write_text(json.dumps(figures, indent=2) + "\n"))
    write_atomically(shop.encoder_diff_page, lambda path: path.write_text(html, encoding="utf-8"))


def change_figures(before: Generation, after: Generation, queries: Sequence[GoldenQuery]) -> dict[str, Any]:
    """Return the overlap of the first ten by kind of query, and recall and search time of both generations."""
    overlaps: dict[str, list[float]] = {}
    for query in queries:
        overlaps.setdefault(query.kind, []).append(query.overlap)
    return {
        "golden_queries": len(queries),
        "overlap_at_10": {kind: round(sum(values) / len(values), 4) for kind, values in overlaps.items()},
        "before": _generation_figures(before, [query.before_ms for query in queries]),
        "after": _generation_figures(after, [query.after_ms for query in queries]),
    }


def _generation_figures(generation: Generation, times_ms: Sequence[float]) -> dict[str, Any]:
    return {
        "generation": generation.number,
        "encoder": generation.manifest.encoder.name,
        "fingerprint": generation.manifest.fingerprint,
        "numbers_a_row": generation.layout.dim,
        "recall": asdict(generation.manifest.recall),
        "search_ms_median": round(statistics.median(times_ms), 3) if times_ms else None,
        "search_ms_p95": round(sorted(times_ms)[int(0.95 * (len(times_ms) - 1))], 3) if times_ms else None,
    }


def page(figures: Mapping[str, Any], queries: Sequence[GoldenQuery], catalogue: Catalogue) -> str:
    """Return the page for the figures of `change_figures` and the queries whose results changed most."""
    before, after = figures["before"], figures["after"]
    headings = [f"Before: {before['encoder']}", f"After: {after['encoder']}"]
    return render_report(
        "indexer.generations",
        "encoder_diff.html.jinja",
        title=f"From {before['encoder']} to {after['encoder']}",
        figures=figures,
        questions=[_question(query, headings, catalogue) for query in queries],
        shown=MAX_HITS,
        depth=COMPARED_RANKS,
    )


def _question(query: GoldenQuery, headings: Sequence[str], catalogue: Catalogue) -> dict[str, Any]:
    results = (query.before, query.after)
    products = catalogue.get_many(sorted({query.key, *(key for keys in results for key in keys[:MAX_HITS])}))
    in_both = set(query.before) & set(query.after)
    depth = min(map(len, results))
    hits = [
        [_shown(products.get(key), "gone") | {"in_both": key in in_both} for key in keys[:MAX_HITS]] for keys in results
    ]
    return {
        **_shown(products.get(query.key), "a product that is gone"),
        "in_words": query.kind == "text",
        "same": round(query.overlap * depth),
        "depth": depth,
        "sides": list(zip(headings, hits, strict=True)),
    }


def _shown(product: Product | None, missing: str) -> dict[str, Any]:
    if product is None:
        return {"title": missing, "uri": None}
    uri = thumbnail_uri(product.pictures[0].path, THUMBNAIL_SIDE) if product.pictures else None
    return {"title": product.title, "uri": uri}
