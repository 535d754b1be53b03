"""How often the right product comes back: recall@k and MRR over a file of photos or words with known answers."""

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

DEPTH = 100  # how far down the ranking the reciprocal rank looks
RECALLS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a file of questions was answered. Every row counts; one that could not be asked at all is a miss.

    `ranks` has an entry a row: the rank of its product, or of another product that the file gives for the same
    photo or words; None when none of them was among the first `DEPTH`. `took_ms` has one for each question asked.
    """

    ranks: tuple[int | None, ...]
    took_ms: tuple[float, ...]
    generation: int
    encoder: str
    unknown_products: tuple[str, ...]
    rejected: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """The figures as one flat JSON object."""
        return {
            "queries": len(self.ranks),
            **{f"recall_at_{k}": round(recall_at(self.ranks, k), 6) for k in RECALLS},
            "mrr": round(mean_reciprocal_rank(self.ranks), 6),
            "mrr_depth": DEPTH,
            "generation": self.generation,
            "encoder": self.encoder,
            "took_ms_p50": _percentile(self.took_ms, 50),
            "took_ms_p95": _percentile(self.took_ms, 95),
            "unknown_products": list(self.unknown_products),
            "rejected": list(self.rejected),
        }


def first_rank(ranked: Sequence[str], relevant: Collection[str]) -> int | None:
    """The rank, from 1, of the first relevant id; None when none is there."""
    return next((rank for rank, product_id in enumerate(ranked, 1) if product_id in relevant), None)


def first_rank_of(hits: Sequence[SearchHit], relevant: Collection[str]) -> int | None:
    """The rank of the first hit that is a relevant product, or has one among its listings of the same thing."""
    found = ({hit.product.id, *hit.duplicates} for hit in hits)
    return next((rank for rank, ids in enumerate(found, 1) if not ids.isdisjoint(relevant)), None)


def recall_at(ranks: Sequence[int | None], k: int) -> float:
    """The share of questions whose first relevant product has rank k or better; 0 when there are no questions."""
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks) if ranks else 0.0


def mean_reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """The mean of 1 / rank, a question without a relevant product counting 0."""
    return sum(1 / rank for rank in ranks if rank is not None) / len(ranks) if ranks else 0.0


def evaluate_photos(engine: SearchEngine, path: Path, progress: Progress = list) -> Evaluation:
    """Search with every photo of a CSV file (photo, product_id); the paths are relative to the file."""
    samples = read_labelled_csv(path, ("photo", "product_id"))
    return _evaluate(engine, samples, "photo", lambda name: PictureTerm(load_picture(path.parent / name)), progress)


def evaluate_texts(engine: SearchEngine, path: Path, progress: Progress = list) -> Evaluation:
    """Search with every line of words of a CSV file (query, product_id). Raises UnsupportedQuery."""
    engine.require_texts()
    return _evaluate(engine, read_labelled_csv(path, ("query", "product_id")), "query", TextTerm, progress)


def _evaluate(
    engine: SearchEngine,
    samples: Sequence[LabelledRow],
    column: str,
    term: Callable[[str], PictureTerm | TextTerm],
    progress: Progress,
) -> Evaluation:
    relevant: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        relevant[sample.values[column]].add(sample.values["product_id"])
    ranks: dict[str, int | None] = {}
    refused: dict[str, str] = {}
    took: list[float] = []
    for keys, queries in in_batches(progress(list(relevant)), lambda key: Query((term(key),), k=DEPTH), refused):
        for key, page in zip(keys, engine.search_many(queries), strict=True):
            ranks[key] = first_rank_of(page.hits, relevant[key])
            took.append(page.took_ms)
    status = engine.status()
    return Evaluation(
        ranks=tuple(ranks.get(sample.values[column]) if sample.values["product_id"] else None for sample in samples),
        took_ms=tuple(took),
        generation=status.generation,
        encoder=status.encoder,
        unknown_products=_unknown(engine, samples),
        rejected=_rejected(samples, column, refused),
    )


def _unknown(engine: SearchEngine, samples: Sequence[LabelledRow]) -> tuple[str, ...]:
    unknown = []
    for product_id in sorted({sample.values["product_id"] for sample in samples} - {""}):
        try:
            engine.product(product_id)
        except UnknownProduct:
            unknown.append(product_id)
    return tuple(unknown)


def _rejected(samples: Sequence[LabelledRow], column: str, refused: dict[str, str]) -> tuple[dict[str, Any], ...]:
    rejected = []
    for sample in samples:
        key = sample.values[column]
        reason = refused.get(key, "" if sample.values["product_id"] else "The field product_id is blank.")
        if reason:
            rejected.append({"line": sample.line, column: key, "reason": reason})
    return tuple(rejected)


def _percentile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.percentile(values, share)), 2) if values else None
