"""Measure retrieval: recall@k and MRR over a file of photos or texts with known products."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import UnknownProduct
from catalog.images.crop import load_picture
from catalog.text.labelled_csv import LabelledRow, Progress, in_batches, read_labelled_csv
from search.engine import SearchEngine
from search.hits import SearchHit
from search.query.terms import PictureTerm, Query, TextTerm

MRR_DEPTH = 100  # ranks that count for MRR
RECALLS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Ranks and times of a file of queries. Every row counts; a query that failed is a miss.

    `ranks` has one entry per row: the rank of its product, or of another product that the file gives for the same
    query; None beyond `MRR_DEPTH`. `took_ms` has one entry per query that ran.
    """

    ranks: tuple[int | None, ...]
    took_ms: tuple[float, ...]
    generation: int
    encoder: str
    unknown_products: tuple[str, ...]
    rejected: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as one flat JSON object."""
        return {
            "queries": len(self.ranks),
            **{f"recall_at_{k}": round(recall_at(self.ranks, k), 6) for k in RECALLS},
            "mrr": round(mean_reciprocal_rank(self.ranks), 6),
            "mrr_depth": MRR_DEPTH,
            "generation": self.generation,
            "encoder": self.encoder,
            "took_ms_p50": _percentile(self.took_ms, 50),
            "took_ms_p95": _percentile(self.took_ms, 95),
            "unknown_products": list(self.unknown_products),
            "rejected": list(self.rejected),
        }


def first_rank(ranked: Sequence[str], relevant: Collection[str]) -> int | None:
    """Return the rank, from 1, of the first relevant id; None when there is none."""
    return next((rank for rank, product_id in enumerate(ranked, 1) if product_id in relevant), None)


def first_rank_of(hits: Sequence[SearchHit], relevant: Collection[str]) -> int | None:
    """Return the rank of the first hit that is relevant, or has a relevant product among its near-duplicates."""
    found = ({hit.product.id, *hit.duplicates} for hit in hits)
    return next((rank for rank, ids in enumerate(found, 1) if not ids.isdisjoint(relevant)), None)


def recall_at(ranks: Sequence[int | None], k: int) -> float:
    """Return the share of queries whose first relevant product has rank k or better; 0 without queries."""
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks) if ranks else 0.0


def mean_reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """Return the mean of 1 / rank; a query without a relevant product counts 0."""
    return sum(1 / rank for rank in ranks if rank is not None) / len(ranks) if ranks else 0.0


def evaluate_photos(engine: SearchEngine, path: Path | str, progress: Progress = list) -> Evaluation:
    """Search with every photo of a CSV file (photo, product_id); paths are relative to the file. Raises BadFeed."""
    path = Path(path)
    rows = read_labelled_csv(path, ("photo", "product_id"))
    return _evaluate(engine, rows, "photo", lambda name: PictureTerm(load_picture(path.parent / name)), progress)


def evaluate_texts(engine: SearchEngine, path: Path | str, progress: Progress = list) -> Evaluation:
    """Search with every text of a CSV file (query, product_id). Raises BadFeed, UnsupportedQuery."""
    engine.require_texts()
    return _evaluate(engine, read_labelled_csv(Path(path), ("query", "product_id")), "query", TextTerm, progress)


def _evaluate(
    engine: SearchEngine,
    rows: Sequence[LabelledRow],
    column: str,
    term: Callable[[str], PictureTerm | TextTerm],
    progress: Progress,
) -> Evaluation:
    relevant: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        relevant[row.values[column]].add(row.values["product_id"])
    ranks: dict[str, int | None] = {}
    refused: dict[str, str] = {}
    took: list[float] = []
    for keys, queries in in_batches(progress(list(relevant)), lambda key: Query((term(key),), k=MRR_DEPTH), refused):
        for key, page in zip(keys, engine.search_many(queries), strict=True):
            ranks[key] = first_rank_of(page.hits, relevant[key])
            took.append(page.took_ms)
    status = engine.status()
    return Evaluation(
        ranks=tuple(ranks.get(row.values[column]) if row.values["product_id"] else None for row in rows),
        took_ms=tuple(took),
        generation=status.generation,
        encoder=status.encoder,
        unknown_products=_unknown(engine, rows),
        rejected=_rejected(rows, column, refused),
    )


def _unknown(engine: SearchEngine, rows: Sequence[LabelledRow]) -> tuple[str, ...]:
    unknown = []
    for product_id in sorted({row.values["product_id"] for row in rows} - {""}):
        try:
            engine.product(product_id)
        except UnknownProduct:
            unknown.append(product_id)
    return tuple(unknown)


def _rejected(rows: Sequence[LabelledRow], column: str, refused: dict[str, str]) -> tuple[dict[str, Any], ...]:
    rejected = []
    for row in rows:
        key = row.values[column]
        reason = refused.get(key, "" if row.values["product_id"] else "The field product_id is blank.")
        if reason:
            rejected.append({"line": row.line, column: key, "reason": reason})
    return tuple(rejected)


def _percentile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.percentile(values, share)), 2) if values else None
