"""What another encoder changes: figures, and the questions whose answers changed most, side by side with pictures."""

from __future__ import annotations

import base64
import html
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog import images
from catalog.errors import BadPicture
from catalog.product import Product
from catalog.store import Catalogue
from indexer.generations import Generation, write_atomically
from indexer.golden import Golden, golden_queries

NAME = "encoder-change"
WORST = 12
SHOWN = 5
SIDE = 96
_STYLE = """body{font:14px/1.5 system-ui,sans-serif;margin:2rem;color:#222;background:#fff}
table{border-collapse:collapse}
td,th{padding:.4rem .8rem;text-align:left;vertical-align:top;border-bottom:1px solid #ddd}
figure{display:inline-block;width:104px;margin:0 6px 6px 0}figcaption{font-size:11px;overflow-wrap:anywhere}
img,.none{width:96px;height:96px;object-fit:contain;background:#f3f3f3;display:block}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}td,th{border-color:#444}img,.none{background:#333}}"""


def save_change(home: Path, before: Generation, after: Generation, catalogue: Catalogue) -> dict[str, Any]:
    """Write encoder-change.json and encoder-change.html into the shop's folder; returns the figures."""
    asked = golden_queries(before, after)
    figures = change_figures(before, after, asked)
    worst = sorted(asked, key=lambda golden: golden.overlap)[:WORST]
    page = _page(figures, worst, catalogue)
    write_atomically(home / f"{NAME}.json", lambda path: path.write_text(json.dumps(figures, indent=2) + "\n"))
    write_atomically(home / f"{NAME}.html", lambda path: path.write_text(page, encoding="utf-8"))
    return figures


def change_figures(before: Generation, after: Generation, asked: Sequence[Golden]) -> dict[str, Any]:
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


def _page(figures: dict[str, Any], worst: Sequence[Golden], catalogue: Catalogue) -> str:
    before, after = figures["before"], figures["after"]
    title = html.escape(f"From {before['encoder']} to {after['encoder']}")
    kinds = ", ".join(f"{kind} {value:.2f}" for kind, value in figures["overlap_at_10"].items()) or "nothing to compare"
    rows = [
        ("Generation", before["generation"], after["generation"]),
        ("Numbers a row", before["numbers_a_row"], after["numbers_a_row"]),
        ("recall@10, pictures", before["recall"]["picture"], after["recall"]["picture"]),
        ("recall@10, words", before["recall"]["text"], after["recall"]["text"]),
        ("Search, median ms", before["search_ms_median"], after["search_ms_median"]),
        ("Search, 95th percentile ms", before["search_ms_p95"], after["search_ms_p95"]),
    ]
    table = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{_number(value)}</td>' for value in values)}</tr>" for name, *values in rows
    )
    questions = "".join(_question(golden, catalogue) for golden in worst)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>Of the first ten products, so many are the same as before: {html.escape(kinds)}"
        f" ({figures['golden_queries']} golden queries).</p>"
        f"<table><tr><th></th><th>before</th><th>after</th></tr>{table}</table>"
        f"<h2>The questions whose answers changed most</h2>"
        f"<table><tr><th>asked</th><th>before</th><th>after</th></tr>{questions}</table></html>\n"
    )


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:,.3f}".rstrip("0").rstrip(".")


def _question(golden: Golden, catalogue: Catalogue) -> str:
    keys = {golden.key, *golden.before[:SHOWN], *golden.after[:SHOWN]}
    products = catalogue.get_many(sorted(keys))
    asked = products.get(golden.key)
    if asked is None:
        shown = "a product that is gone"
    elif golden.kind == "picture":
        shown = _figure(asked)
    else:
        shown = f"“{html.escape(asked.title)}”"
    sides = ["".join(_figure(products.get(key)) for key in side[:SHOWN]) for side in (golden.before, golden.after)]
    return f"<tr><td>{shown}<br>{golden.overlap:.1f} the same</td><td>{sides[0]}</td><td>{sides[1]}</td></tr>"


def _figure(product: Product | None) -> str:
    if product is None:
        return '<figure><span class="none"></span><figcaption>gone</figcaption></figure>'
    picture = '<span class="none"></span>'
    try:
        data = images.read_file(Path(product.pictures[0].path))
        small = base64.b64encode(images.thumbnail(images.decode(data, at_least=SIDE), SIDE)).decode()
        picture = f'<img alt="" src="data:image/jpeg;base64,{small}">'
    except (BadPicture, IndexError):
        pass
    return f"<figure>{picture}<figcaption>{html.escape(product.title[:80])}</figcaption></figure>"
