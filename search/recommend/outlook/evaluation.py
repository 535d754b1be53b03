"""Measure the outlook on the last weeks of a log: fitted before them, asked at the begin of each horizon in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.errors import BadInput
from indexer.numeric import chunks
from indexer.types import Floats, Mask
from search.recommend.events.interactions import Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import DAY_S, WEEK_S
from search.recommend.outlook.baselines import FrequencyTable, LogisticRegression
from search.recommend.outlook.features import VisitorLog, pair_features
from search.recommend.outlook.item_facts import ItemFacts
from search.recommend.outlook.item_space import category_space, product_space
from search.recommend.outlook.outlook import DAYS, due_mask
from search.recommend.outlook.purchase_model import BATCH, fit_trees
from search.recommend.outlook.training_pairs import (
    Horizon,
    eligible,
    facts_at,
    labels_after,
    sample_visitors,
    training_pairs,
)
from search.trees.grouped_predictions import GroupedPredictions, with_intervals
from search.trees.tree_ensemble import TreeEnsemble

TREES, TABLE, LOGISTIC = "trees", "table", "logistic"
REMINDERS = 5  # of a visitor, at the begin of each horizon


@dataclass(frozen=True, slots=True)
class OutlookFigures:
    """What was measured of the probabilities of categories and of products; see `to_dict`."""

    category: dict[str, Any]
    product: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: those of categories, with those of products as `product`."""
        return self.category | {"product": self.product}


class Predictor(Protocol):
    """What returns the probability of each row of features."""

    def predict(self, features: Floats) -> Floats:
        """Return probabilities, float32 (m,)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """Of the pairs (m,) of one horizon: probabilities by predictor, labels, visitors; and the rows of reminders."""

    probabilities: dict[str, Floats]
    labels: Mask
    visitors: NDArray[np.int64]
    reminders: NDArray[np.int64]


def evaluate_outlook(
    events: Interactions, products: ProductTable, holdout_weeks: int = 4, days: int = DAYS
) -> OutlookFigures:
    """Return AUROC, log loss and calibration error of boosted trees, a table and a logistic regression.

    All are fitted on label windows that end before the last `holdout_weeks`. They predict at the begin of each whole
    horizon of `days` in those weeks, from the events before it. Pairs: every visitor with events and every
    second-level category with at least 10 buyers; of products, every one that the visitor bought, with at least 3
    buyers. Raises BadInput where no horizon fits into the holdout, TooFewEvents, MissingExtra.
    """
    begin = events.end - holdout_weeks * WEEK_S
    begins = [begin + step * days * DAY_S for step in range(holdout_weeks * 7 // days)]
    if not begins:
        raise BadInput(f"{days} days do not fit into {holdout_weeks} weeks.", "Hold out more weeks, or fewer days.")
    events = sample_visitors(events)
    category = Horizon(category_space(products)[0], days, complete=True)
    product = Horizon(product_space(products), days, complete=False)
    return OutlookFigures(_evaluate(events, category, begins), _evaluate(events, product, begins))


def _evaluate(events: Interactions, horizon: Horizon, begins: list[int]) -> dict[str, Any]:
    pairs = training_pairs(events, horizon, begins[0])
    predictors: dict[str, Predictor] = {
        TREES: TreeEnsemble.from_sklearn(fit_trees(pairs)),
        TABLE: FrequencyTable(pairs),
        LOGISTIC: LogisticRegression(pairs),
    }
    facts = facts_at(VisitorLog(events, horizon.space, begins[0]), horizon.days)
    measured = [_measure(events, horizon, begin, facts, predictors) for begin in begins]
    labels, visitors = (np.concatenate([getattr(part, name) for part in measured]) for name in ("labels", "visitors"))
    active, visitors = np.unique(visitors, return_inverse=True)
    made = {}
    for name in predictors:
        probabilities = np.concatenate([part.probabilities[name] for part in measured])
        made[name] = GroupedPredictions(probabilities, labels, visitors, len(active))
    figures = with_intervals(made[TREES], made[TABLE])
    figures |= {name: made[name].figures() for name in (TABLE, LOGISTIC)}
    figures |= {"days": horizon.days, "pairs": len(labels), "bought": int(labels.sum()), "visitors": len(active)}
    return figures if horizon.complete else figures | _reminder_figures(measured)


def _measure(
    events: Interactions, horizon: Horizon, begin: int, facts: ItemFacts, predictors: Mapping[str, Predictor]
) -> _Measured:
    """Return what the predictors expect at `begin` of the horizon that begins then, and what happened."""
    log = VisitorLog(events, horizon.space, begin)
    keys = eligible(log, facts, complete=horizon.complete)
    parts: dict[str, list[Floats]] = {name: [] for name in predictors}
    for part in chunks(len(keys), BATCH):
        features = pair_features(log, facts, keys[part])
        for name, predictor in predictors.items():
            parts[name].append(predictor.predict(features))
    probabilities = {name: np.concatenate(values) for name, values in parts.items()}
    labels, visitors = labels_after(events, horizon, begin, keys), keys // len(horizon.space)
    due = np.flatnonzero(due_mask(log.item_rhythm.at(log.by_item, keys), probabilities[TREES]))
    order = due[np.lexsort((-probabilities[TREES][due], visitors[due]))]
    begins = np.searchsorted(visitors[order], visitors[order])  # where the visitor's reminders begin
    reminders = order[np.arange(len(order)) - begins < REMINDERS]
    return _Measured(probabilities, labels, visitors, reminders)


def _reminder_figures(measured: Sequence[_Measured]) -> dict[str, Any]:
    """Return how many reminders there are, of how many visitors, and which share was bought within the horizon."""
    bought = np.concatenate([part.labels[part.reminders] for part in measured])
    expected = np.concatenate([part.probabilities[TREES][part.reminders] for part in measured])
    visitors = np.concatenate([part.visitors[part.reminders] for part in measured])
    shares = {"bought": float(bought.mean()), "expected": float(expected.mean())} if len(bought) else {}
    return {"reminders": {"count": len(bought), "visitors": len(np.unique(visitors))} | shares}
