"""How a recommender is measured: the last weeks of a log are held out, and each list is a full ranking.

The candidates are the products with at least three buyers before the holdout. What was bought of other products stays
among the targets: it cannot be found, and counts against every model alike. A random split in place of the last weeks
would show a model the future, and ranking against drawn negatives reverses the order of models, so neither is offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.errors import BadInput
from indexer.types import Mask
from search.recommend.evaluation.metrics import K, list_figures, mean_figures
from search.recommend.events.interactions import Codes, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import WEEK_S, Context, RecommenderModel, top
from search.recommend.models.co_occurrence import ORDER_GAP_S, baskets_of
from search.recommend.models.cold import buyers

HOLDOUT_WEEKS = 4
MIN_BUYERS = 3
FEW_BASKETS = 3
EVERYTHING, REPEAT, NEW, NEW_FEW = "everything", "repeat", "new", "new_few_baskets"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A visitor of the holdout: the history before it, how many baskets that has, and the products bought in it."""

    visitor: int
    history: History
    baskets: int
    targets: Codes
    own: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A log parted at `now`, unix seconds: what is known, what is to be foretold, and the mask of candidates."""

    now: int
    known: Interactions
    held_out: Interactions
    candidates: Mask
    products: ProductTable

    @classmethod
    def of(cls, events: Interactions, products: ProductTable, holdout_weeks: float = HOLDOUT_WEEKS) -> Split:
        """Hold out the last weeks. Raises BadInput when nothing is left to learn from or to foretell."""
        now = events.end - round(holdout_weeks * WEEK_S)
        known, held_out = events.between(0, now), events.between(now, events.end).of_kind()
        split = cls(now, known, held_out, buyers(known, len(products)) >= MIN_BUYERS, products)
        if not split.candidates.any() or not len(held_out):
            raise BadInput(
                f"With the last {holdout_weeks:g} weeks held out, the log has no product with {MIN_BUYERS} buyers"
                " before them, or no purchase in them.",
                "Give a log of more weeks, or hold out fewer.",
            )
        return split

    def cases(self) -> Iterator[Case]:
        """Return the visitors who bought something before the holdout and in it."""
        bought = self.known.of_kind()
        for visitor in range(len(self.known.visitor_ids)):
            targets = np.unique(self.held_out.history(visitor).products)
            purchases = bought.history(visitor)
            if len(targets) and len(purchases):
                own = np.zeros(len(self.products), np.bool_)
                own[purchases.products] = True
                baskets = len(np.unique(baskets_of(purchases, ORDER_GAP_S)))
                yield Case(visitor, self.known.history(visitor), baskets, targets, own)


@dataclass(frozen=True, slots=True, eq=False)
class RankedCase:
    """A model's lists of K products for a visitor, and what was right of each: in all, of repeats, and of new ones."""

    everything: Codes
    repeats: Codes
    new: Codes
    targets: Codes
    own_targets: Codes
    new_targets: Codes
    baskets: int


def rank_cases(model: RecommenderModel, split: Split) -> list[RankedCase]:
    """Return the lists of a model for every visitor of the holdout."""
    context = Context(split.now)
    ranked = []
    for case in split.cases():
        scores = np.where(split.candidates, model.scores(case.history, context), 0.0)
        is_own = case.own[case.targets]
        ranked.append(
            RankedCase(
                top(scores, K).products,
                top(np.where(case.own, scores, 0.0), K).products,
                top(np.where(case.own, 0.0, scores), K).products,
                case.targets,
                case.targets[is_own],
                case.targets[~is_own],
                case.baskets,
            )
        )
    return ranked


def measure(model: RecommenderModel, split: Split) -> dict[str, Any]:
    """Return the figures of a model on a split; see `figures_of`."""
    return figures_of(rank_cases(model, split), split)


def figures_of(ranked: Sequence[RankedCase], split: Split) -> dict[str, Any]:
    """Return the figures of a model's lists: of everything, of repeats, and of what is new to the visitor.

    `coverage_at_20` is the share of candidates that some list has; `categories_at_20` the mean number of deepest
    categories in a list. `new_few_baskets` are the visitors of at most three baskets.
    """
    figures: dict[str, list[tuple[float, ...]]] = {name: [] for name in (EVERYTHING, REPEAT, NEW, NEW_FEW)}
    shown = {name: np.zeros(len(split.products), np.bool_) for name in (EVERYTHING, NEW)}
    categories = []
    for case in ranked:
        figures[EVERYTHING].append(list_figures(case.everything, case.targets))
        shown[EVERYTHING][case.everything] = True
        categories.append(len(np.unique(split.products.categories[case.everything, -1])))
        if len(case.own_targets):
            figures[REPEAT].append(list_figures(case.repeats, case.own_targets))
        if len(case.new_targets):
            shown[NEW][case.new] = True
            figures[NEW].append(list_figures(case.new, case.new_targets))
            if case.baskets <= FEW_BASKETS:
                figures[NEW_FEW].append(figures[NEW][-1])
    found: dict[str, dict[str, Any]] = {name: mean_figures(values) for name, values in figures.items()}
    for name, mask in shown.items():
        found[name]["coverage_at_20"] = float(mask.sum() / split.candidates.sum())
    found[EVERYTHING]["categories_at_20"] = float(np.mean(categories)) if categories else 0.0
    return found
