"""All models on the same held-out weeks: one table, with the trivial rules in it."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalog.errors import BadInput, TooFewEvents
from search.recommend.evaluation.baskets import evaluate_baskets
from search.recommend.evaluation.cold_products import evaluate_cold
from search.recommend.evaluation.metrics import rounded
from search.recommend.evaluation.protocol import HOLDOUT_WEEKS, MIN_BUYERS, Split, measure
from search.recommend.events.interactions import Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import RecommenderModel
from search.recommend.models.ease import Ease
from search.recommend.models.factors import AlternatingLeastSquares, BayesianPersonalisedRanking
from search.recommend.models.item_neighbours import ItemNeighbours
from search.recommend.models.own_history import OwnHistory
from search.recommend.models.popularity import AllTimePopularity, Popularity
from search.recommend.models.together import Together
from search.recommend.models.user_neighbours import UserNeighbours
from search.recommend.outlook.evaluation import evaluate_outlook
from search.recommend.ranking.blend import Blend
from search.recommend.ranking.two_stage import TwoStage

MODELS: Mapping[str, type[RecommenderModel]] = {
    kind.name: kind
    for kind in (
        *(AllTimePopularity, Popularity, OwnHistory, UserNeighbours, ItemNeighbours, AlternatingLeastSquares),
        *(BayesianPersonalisedRanking, Ease, Together, Blend, TwoStage),
    )
}
# What is measured besides whole lists, by its name in the answer.
PARTS: Mapping[str, Callable[[Interactions, ProductTable, int], Any]] = {
    "basket": evaluate_baskets,
    "outlook": evaluate_outlook,
    "cold": evaluate_cold,
}
SERVED = TwoStage.name
NOT_MEASURED = "not_measured"  # in place of figures: why there are none
Step = Callable[[str], object]


def evaluate(
    events: Interactions,
    products: ProductTable,
    holdout_weeks: int = HOLDOUT_WEEKS,
    names: Sequence[str] = (),
    step: Step = lambda _: None,
) -> dict[str, Any]:
    """Fit and measure all models, and PARTS; or models by name alone. `step` is called with what comes next.

    Returns the figures of TwoStage, those of every model in `models`, those of PARTS by name, and what was measured in
    `protocol`. Raises MissingExtra, BadInput for a log that is too short.
    """
    split = Split.of(events, products, holdout_weeks)
    models: dict[str, dict[str, Any]] = {}
    for name in names or MODELS:
        step(name)
        began = time.monotonic()
        try:
            model = MODELS[name].fit(split.known, products, split.now)
        except TooFewEvents as error:  # of one model; others need no more than the split
            models[name] = {NOT_MEASURED: str(error)}
            continue
        fitted = time.monotonic()
        figures = measure(model, split)
        models[name] = figures | {"fit_seconds": fitted - began, "measure_seconds": time.monotonic() - fitted}
    parts: dict[str, Any] = {}
    for name, of_part in () if names else PARTS.items():
        step(name)
        try:
            parts[name] = of_part(events, products, holdout_weeks).to_dict()
        except (BadInput, TooFewEvents) as error:  # a log may be long enough for lists alone
            parts[name] = {NOT_MEASURED: str(error)}
    served = models.get(SERVED, {})
    parts |= {name: figures for name, figures in served.items() if isinstance(figures, Mapping)}
    protocol = {
        "holdout_weeks": holdout_weeks,
        "holdout_begins": split.now,
        "candidates": int(split.candidates.sum()),
        "min_buyers": MIN_BUYERS,
        "events": len(events),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }
    return rounded({**parts, "models": models, "protocol": protocol})
