"""Compare two encoders: figures, and the golden queries whose results changed most, with pictures."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.files.atomic import write_atomically
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.generations.encoder_diff_page import page
from indexer.generations.golden_queries import GoldenQuery, golden_queries
from indexer.generations.store import Generation

MAX_QUERIES = 12  # on the page


def save_encoder_diff(home: Path, before: Generation, after: Generation, catalogue: Catalogue) -> dict[str, Any]:
    """Write encoder-change.json and encoder-change.html into the shop's home; return the figures."""
    queries = golden_queries(before, after)
    figures = change_figures(before, after, queries)
    worst = sorted(queries, key=lambda query: (query.overlap, query.sha256))[:MAX_QUERIES]  # the hash shuffles ties
    html = page(figures, worst, catalogue)
    shop = ShopHome(home)
    write_atomically(shop.encoder_diff, lambda path: path.write_text(json.dumps(figures, indent=2) + "\n"))
    write_atomically(shop.encoder_diff_page, lambda path: path.write_text(html, encoding="utf-8"))
    return figures


def change_figures(before: Generation, after: Generation, queries: Sequence[GoldenQuery]) -> dict[str, Any]:
    """Return the overlap of the first ten by kind of query, and recall and search time of both generations."""
    kinds = dict.fromkeys(query.kind for query in queries)
    overlap = {kind: _mean([query.overlap for query in queries if query.kind == kind]) for kind in kinds}
    return {
        "golden_queries": len(queries),
        "overlap_at_10": overlap,
        "before": _generation_figures(before, [query.before_ms for query in queries]),
        "after": _generation_figures(after, [query.after_ms for query in queries]),
    }


def _generation_figures(generation: Generation, times_ms: Sequence[float]) -> dict[str, Any]:
    manifest = generation.manifest
    return {
        "generation": generation.number,
        "encoder": manifest.encoder.name,
        "fingerprint": manifest.fingerprint,
        "numbers_a_row": generation.layout.dim,
        "recall": asdict(manifest.recall),
        "search_ms_median": round(statistics.median(times_ms), 3) if times_ms else None,
        "search_ms_p95": round(sorted(times_ms)[int(0.95 * (len(times_ms) - 1))], 3) if times_ms else None,
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 1.0
