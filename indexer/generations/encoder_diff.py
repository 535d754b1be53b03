"""What another encoder changes: figures, and the questions whose answers changed most, side by side with pictures."""

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

WORST = 12


def save_change(home: Path, before: Generation, after: Generation, catalogue: Catalogue) -> dict[str, Any]:
    """Write encoder-change.json and encoder-change.html into the shop's folder; returns the figures."""
    asked = golden_queries(before, after)
    figures = change_figures(before, after, asked)
    worst = sorted(asked, key=lambda golden: (golden.overlap, golden.sha256))[:WORST]  # ties from all over the shop
    shown = page(figures, worst, catalogue)
    shop = ShopHome(home)
    write_atomically(shop.encoder_diff, lambda path: path.write_text(json.dumps(figures, indent=2) + "\n"))
    write_atomically(shop.encoder_diff_page, lambda path: path.write_text(shown, encoding="utf-8"))
    return figures


def change_figures(before: Generation, after: Generation, asked: Sequence[GoldenQuery]) -> dict[str, Any]:
    """Overlap of the first ten by kind of question, and recall and search time of both."""
    kinds = dict.fromkeys(golden.kind for golden in asked)
    overlap = {kind: _mean([golden.overlap for golden in asked if golden.kind == kind]) for kind in kinds}
    return {
        "golden_queries": len(asked),
        "overlap_at_10": overlap,
        "before": _side(before, [golden.before_ms for golden in asked]),
        "after": _side(after, [golden.after_ms for golden in asked]),
    }


def _side(generation: Generation, took: Sequence[float]) -> dict[str, Any]:
    manifest = generation.manifest
    return {
        "generation": generation.number,
        "encoder": manifest.encoder.name,
        "fingerprint": manifest.fingerprint,
        "numbers_a_row": generation.layout.dim,
        "recall": asdict(manifest.recall),
        "search_ms_median": round(statistics.median(took), 3) if took else None,
        "search_ms_p95": round(sorted(took)[int(0.95 * (len(took) - 1))], 3) if took else None,
    }


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 1.0
