"""How well cold products are foretold: those first bought in the held-out weeks, ranked among themselves.

Each visitor who buys one of them in these weeks is asked for; what else was bought does not count. Nothing of the weeks
themselves is known to the models, so a product is known by its row alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import BadInput
from indexer.types import Floats, Mask
from search.recommend.evaluation.metrics import K, bootstrap_interval, rounded
from search.recommend.evaluation.protocol import HOLDOUT_WEEKS
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import WEEK_S, Context, RecommenderModel, top
from search.recommend.models.cold import LookAlikes
from search.recommend.models.content_rows import ContentRows
from search.recommend.models.text_rows import Halves, text_rows

RANDOM, POPULAR_CATEGORY = "random", "popular_category"
RANDOM_LISTS = 50  # for each visitor, whose mean recall is that of chance

Recalls = NDArray[np.float64]
Ranker = Callable[[History, Mask], Codes]


@dataclass(frozen=True, slots=True, eq=False)
class ColdFigures:
    """Recall@20 of each way of ranking, float64 (visitors,), among so many cold products."""

    candidates: int
    recalls: Mapping[str, Recalls]

    @property
    def visitors(self) -> int:
        """How many visitors bought a cold product."""
        return len(self.recalls[RANDOM])

    def to_dict(self) -> dict[str, Any]:
        """Return the recall of look-alikes, that of chance, and in `ways` that of each way, with 95 % intervals."""
        chance = float(self.recalls[RANDOM].mean())
        ways = {name: _with_interval(recalls) for name, recalls in self.recalls.items()}
        found = ways[LookAlikes.name]
        return rounded(
            {
                "candidates": self.candidates,
                "visitors": self.visitors,
                **found,
                "random_recall_at_20": chance,
                "times_random": found["recall_at_20"] / chance if chance else None,
                "ways": ways,
            }
        )


@dataclass(frozen=True, slots=True, eq=False)
class ColdSplit:
    """A log parted at `now`, unix seconds, the cold products (mask), and what each visitor bought of them later."""

    now: int
    known: Interactions
    later: Interactions
    cold: Mask

    @classmethod
    def of(cls, events: Interactions, products: ProductTable, holdout_weeks: int = HOLDOUT_WEEKS) -> ColdSplit:
        """Hold out the last weeks. Raises BadInput where nobody bought a product for the first time in them."""
        now = events.end - holdout_weeks * WEEK_S
        bought = events.of_kind()
        first = np.full(len(products), np.iinfo(np.int64).max)
        np.minimum.at(first, bought.products, bought.times)
        cold = (first >= now) & (first < events.end)
        if not cold.any() or not (events.times < now).any():
            raise BadInput(
                f"No product of this log was bought for the first time in its last {holdout_weeks} weeks, or nothing"
                " came before them.",
                "Give a log of more weeks, or hold out more of them.",
            )
        later = bought.between(now, events.end)
        return cls(now, events.between(0, now), later.where(cold[later.products]), cold)


def evaluate_cold(
    events: Interactions,
    products: ProductTable,
    holdout_weeks: int = HOLDOUT_WEEKS,
    rows: Halves | Floats | None = None,
) -> ColdFigures:
    """Measure how cold products are ranked, by rows of unit length (products, dim) or else by the words of the table.

    Raises BadInput where the log has no cold product.
    """
    split = ColdSplit.of(events, products, holdout_weeks)
    rows = text_rows(products) if rows is None else rows
    models = (ContentRows(rows), LookAlikes.fit_rows(split.known, rows, split.now, split.cold))
    kinds = products.categories[:, -1]
    sold = np.bincount(kinds[split.known.of_kind().products] + 1, minlength=int(kinds.max(initial=-1)) + 2)
    popular = top((sold[kinds + 1] * split.cold).astype(np.float32), K).products
    rankers: dict[str, Ranker] = {POPULAR_CATEGORY: lambda visitor, cold: popular}
    rankers |= {model.name: _ranker(model, split.now) for model in models}
    recalls = {RANDOM: _random_recalls(split)}
    for name, ranker in rankers.items():
        recalls[name] = np.array(
            [
                np.isin(targets, ranker(split.known.history(visitor), split.cold)).mean()
                for visitor, targets in _targets(split)
            ]
        )
    return ColdFigures(int(split.cold.sum()), recalls)


def _ranker(model: RecommenderModel, now: int) -> Ranker:
    return lambda visitor, cold: model.recommend(visitor, Context(now), K, cold).products


def _targets(split: ColdSplit) -> list[tuple[int, Codes]]:
    visitors = np.unique(split.later.visitors).tolist()
    return [(visitor, np.unique(split.later.history(visitor).products)) for visitor in visitors]


def _random_recalls(split: ColdSplit) -> Recalls:
    """Return the mean recall of random lists for each visitor, float64 (visitors,)."""
    rng, cold = np.random.default_rng(0), int(split.cold.sum())
    bought = np.array([len(targets) for _, targets in _targets(split)])
    hits = rng.hypergeometric(bought, cold - bought, min(K, cold), size=(RANDOM_LISTS, len(bought)))
    return np.asarray((hits / bought).mean(axis=0))


def _with_interval(recalls: Recalls) -> dict[str, float]:
    low, high = bootstrap_interval(recalls)
    return {"recall_at_20": float(recalls.mean()), "recall_at_20_low": low, "recall_at_20_high": high}
