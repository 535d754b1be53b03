"""Rows to fit the second stage on: candidates of past moments, and whether the visitor bought them afterwards.

Each moment has a first stage of its own, fitted on the events before it, and labels from the weeks after it, so no
feature knows a label. Some visitors come a second time with their last baskets alone, as new visitors are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from catalog.errors import TooFewEvents
from indexer.types import Floats, Mask
from search.recommend.events.interactions import History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import WEEK_S, Context
from search.recommend.models.co_occurrence import ORDER_GAP_S, baskets_of
from search.recommend.ranking.first_stage import FirstStage

LABEL_WEEKS = 4
MIN_KNOWN_WEEKS = 4  # of the log before the first moment
MAX_MOMENTS = 4
MAX_VISITORS = 2_000  # of a moment
NEWCOMER_SHARE = 0.25  # visitors who come a second time, known by their last one to three baskets
MAX_NEWCOMER_BASKETS = 3
MIN_POSITIVES = 200  # below, trees would repeat chance


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRows:
    """Features (n, FEATURES), and whether the visitor bought the candidate in the weeks after (n,)."""

    features: Floats
    labels: Mask


def training_rows(events: Interactions, products: ProductTable, now: int, seed: int = 0) -> TrainingRows:
    """Return the rows of past moments. Raises TooFewEvents when the log is too short or has too few purchases."""
    rng = np.random.default_rng(seed)
    moments = past_moments(events, now)
    parts = [part for moment in moments for part in _rows(events, products, moment, rng)]
    labels = np.concatenate([part.labels for part in parts]) if parts else np.zeros(0, np.bool_)
    if labels.sum() < MIN_POSITIVES:
        raise TooFewEvents(
            f"The log has {int(labels.sum())} purchases by returning visitors in the weeks that models are fitted on;"
            f" at least {MIN_POSITIVES} are needed.",
            "Fit again when the shop has more events.",
        )
    return TrainingRows(np.concatenate([part.features for part in parts]), labels)


def past_moments(events: Interactions, now: int) -> list[tuple[int, int]]:
    """Return moments, newest first, as (moment, end of its labels), unix seconds. Raises TooFewEvents."""
    begin = int(events.times.min()) if len(events) else now
    weeks = (now - begin) / WEEK_S
    label_weeks = min(LABEL_WEEKS, int(weeks // 4))
    if label_weeks < 1:
        raise TooFewEvents(
            f"The log has {weeks:.1f} weeks; at least 4 are needed.", "Fit again when the shop has more events."
        )
    span = label_weeks * WEEK_S
    moments = [(now - number * span, now - (number - 1) * span) for number in range(1, MAX_MOMENTS + 1)]
    enough = min(MIN_KNOWN_WEEKS, 2 * label_weeks) * WEEK_S
    return [(moment, end) for moment, end in moments if moment - begin >= enough] or moments[:1]


def _rows(
    events: Interactions, products: ProductTable, moment: tuple[int, int], rng: np.random.Generator
) -> Iterator[TrainingRows]:
    at, end = moment
    first = FirstStage.fit(events, products, at)
    known, later = events.between(0, at), events.between(at, end).of_kind()
    returning = np.flatnonzero((np.diff(known.starts) > 0) & (np.diff(later.starts) > 0))
    visitors = rng.permutation(returning)[:MAX_VISITORS]
    newcomers = visitors[: int(NEWCOMER_SHARE * len(visitors))]
    histories = [(visitor, known.history(visitor)) for visitor in visitors.tolist()]
    histories += [
        (visitor, last_baskets(known.history(visitor), int(rng.integers(1, MAX_NEWCOMER_BASKETS + 1))))
        for visitor in newcomers.tolist()
    ]
    for visitor, history in histories:
        candidates = first.propose(history, Context(at))
        labels = np.isin(candidates.codes, later.history(visitor).products)
        yield TrainingRows(first.features(candidates), labels)


def last_baskets(history: History, baskets: int) -> History:
    """Return the events of a history from its last `baskets` orders on."""
    bought = history.of_kind()
    orders = baskets_of(bought, ORDER_GAP_S)
    wanted = bought.times[orders > orders.max(initial=-1) - baskets]
    return history.where(history.times >= wanted.min(initial=np.iinfo(np.int64).max))
