"""The best product of each kind that a question may mean: "something for flowers" may be a vase or a plant pot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from indexer.types import Floats, Ids
from search.query.filters import CATEGORY
from search.state.column_store import ProductColumns
from search.state.snapshot import Snapshot
from search.understanding.product_scores import MEANT, KindProducts, KindScores
from search.understanding.understood import MEANING, KindRef, Understood

REPRESENTED = (1.0, 0.97, 0.94)  # kind scores of the best product of the likeliest kinds; of the others at most MEANT
FOUND_TOGETHER = 48  # best rows of several kinds, of which nearly always one is of each


def with_meant_kinds(
    named: KindScores, understood: Understood, snapshot: Snapshot, vector: Callable[[], Floats | None]
) -> KindScores:
    """Return the kind scores of all products; where the kind is only meant, the best of each likely kind comes first.

    A shopper who says "something for flowers" should see a vase and a plant pot, not ten vases.
    """
    meant = _meant_kinds(understood, snapshot.columns)
    if not meant:
        return named
    best = _best_of_each(snapshot, vector(), [kind for kind, _ in meant])
    return replace(named, meant=tuple(meant)[::-1], best=tuple(best))


def _meant_kinds(understood: Understood, columns: ProductColumns) -> list[tuple[KindProducts, float]]:
    """Return the kinds that a question may mean, likeliest first, with their scores; none where it names its kind."""
    meant = [(kind.refs[0].label, kind.refs[0].confidence) for kind in understood.kinds if kind.source == MEANING]
    if understood.leaning:
        best_share = understood.leaning[0][1]
        meant = [(label, share / best_share) for label, share in understood.leaning]
    return [
        (KindProducts.of(KindRef(CATEGORY, label), columns), MEANT * max(0.5, share**0.5)) for label, share in meant
    ]


def _best_of_each(snapshot: Snapshot, vector: Floats | None, kinds: Sequence[KindProducts]) -> list[tuple[int, float]]:
    """Return the ordinal of the product of each of the likeliest kinds that is most like a query, and its score."""
    if vector is None or not kinds:
        return []
    kinds = kinds[: len(REPRESENTED)]
    found = _most_like(snapshot, vector, kinds, FOUND_TOGETHER)
    best: list[tuple[int, float]] = []
    for kind, score in zip(kinds, REPRESENTED, strict=False):
        own = found[kind.has(found)]
        ordinals = own if len(own) else _most_like(snapshot, vector, [kind], 1)
        best += [(ordinal, score) for ordinal in ordinals[:1].tolist()]
    return best


def _most_like(snapshot: Snapshot, vector: Floats, kinds: Sequence[KindProducts], rows: int) -> Ids:
    """Return the ordinals of the products of the best rows among these kinds, the most similar first."""
    lists = np.logical_or.reduce([kind.lists for kind in kinds])
    columns = snapshot.columns
    products = kinds[0].labels.of_lists(lists, len(columns)) & columns.present
    _, found = snapshot.search(vector, rows, snapshot.rows_allowed(products))
    return columns.ordinals(snapshot.keys_of(found))
