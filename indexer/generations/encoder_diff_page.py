"""Render the comparison of two encoders as one HTML page: figures of both, then queries with the results of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.generations.golden_queries import DEPTH, GoldenQuery
from indexer.html_report import render_report, thumbnail_uri

MAX_HITS = 6  # shown for each generation
THUMBNAIL_SIDE = 160
KIND_LABELS = {"picture": "pictures", "text": "words"}
TIME_LABELS = {"search_ms_median": "search, median ms", "search_ms_p95": "search, 95th percentile ms"}


def page(figures: Mapping[str, Any], queries: Sequence[GoldenQuery], catalogue: Catalogue) -> str:
    """Return the page for the figures of `change_figures` and the queries whose results changed most."""
    before, after = figures["before"], figures["after"]
    headings = [f"Before: {before['encoder']}", f"After: {after['encoder']}"]
    return render_report(
        "indexer.generations",
        "encoder_diff.html.jinja",
        title=f"From {before['encoder']} to {after['encoder']}",
        before=before,
        after=after,
        golden_queries=figures["golden_queries"],
        rows=_figure_rows(figures),
        questions=[_question(query, headings, catalogue) for query in queries],
        shown=MAX_HITS,
        depth=DEPTH,
    )


def _figure_rows(figures: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the table's rows: a name with the figure of both generations together, or one of each."""
    both = (figures["before"], figures["after"])
    overlap = figures["overlap_at_10"].items()
    rows = [(f"overlap@{DEPTH}, {KIND_LABELS[kind]}", [f"{value:.2f}"]) for kind, value in overlap]
    for kind, label in KIND_LABELS.items():
        rows.append((f"recall@10, {label}", [_number(side["recall"][kind], ".3f") for side in both]))
    for key, label in TIME_LABELS.items():
        rows.append((label, [_number(side[key], ".2f") for side in both]))
    return [*rows, ("numbers a row", [f"{side['numbers_a_row']:,d}" for side in both])]


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _question(query: GoldenQuery, headings: Sequence[str], catalogue: Catalogue) -> dict[str, Any]:
    results = (query.before, query.after)
    products = catalogue.get_many(sorted({query.key, *(key for keys in results for key in keys[:MAX_HITS])}))
    in_both = set(query.before) & set(query.after)
    product = products.get(query.key)
    depth = min(map(len, results))
    hits = [
        [_shown(products.get(key), "gone") | {"in_both": key in in_both} for key in keys[:MAX_HITS]] for keys in results
    ]
    return {
        **_shown(product, "a product that is gone"),
        "in_words": query.kind == "text",
        "same": round(query.overlap * depth),
        "depth": depth,
        "sides": list(zip(headings, hits, strict=True)),
    }


def _shown(product: Product | None, missing: str) -> dict[str, Any]:
    if product is None:
        return {"title": missing, "uri": None}
    return {
        "title": product.title,
        "uri": thumbnail_uri(product.pictures[0].path, THUMBNAIL_SIDE) if product.pictures else None,
    }
