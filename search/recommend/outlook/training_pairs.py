"""Pairs of visitors and items with what happened after a time: features strictly before it, labels from it on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.errors import TooFewEvents
from indexer.types import Floats, Mask
from search.recommend.events.interactions import Interactions
from search.recommend.models.base import DAY_S
from search.recommend.outlook.features import VisitorLog, pair_features
from search.recommend.outlook.item_facts import ItemFacts, item_facts
from search.recommend.outlook.item_space import ItemSpace
from search.recommend.outlook.purchase_days import Keys, positions

WINDOWS = 4  # label windows that a model is fitted on, one before the other
MAX_PAIRS = 240_000  # pairs that a model is fitted on
MAX_VISITORS = 20_000  # visitors that a model is fitted on
NEW_SHARE = 0.25  # share of the pairs that are of a visitor and an item never bought before
MIN_CATEGORY_BUYERS, MIN_PRODUCT_BUYERS = 10, 3  # buyers from which on an item has a probability
MIN_BOUGHT = 50  # pairs that were bought, in all label windows
SEED = 17


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPairs:
    """Features (m, NAMES), whether the item was bought in the label window (m,), and the pairs each stands for (m,)."""

    features: Floats
    labels: Mask
    weights: Floats


@dataclass(frozen=True, slots=True)
class Horizon:
    """The items that probabilities are predicted for, within how many days; see `PurchaseModel.complete`."""

    space: ItemSpace
    days: int
    complete: bool


def facts_at(log: VisitorLog, days: int) -> ItemFacts:
    """Return the facts of all items as of the time of a log."""
    return item_facts(log.by_item, log.space, len(log.total.keys), days)


def eligible(log: VisitorLog, facts: ItemFacts, *, complete: bool) -> Keys:
    """Return the keys of the pairs of active visitors and items with enough buyers, ascending.

    All such pairs where `complete`, else those with an event of the visitor on the item.
    """
    enough = facts.buyers >= (MIN_CATEGORY_BUYERS if complete else MIN_PRODUCT_BUYERS)
    size = len(log.space)
    if complete:
        return np.add.outer(log.active_visitors() * size, np.flatnonzero(enough)).ravel()
    keys = log.seen_pairs()
    return keys[enough[keys % max(size, 1)]]


def labels_after(events: Interactions, horizon: Horizon, now: int, keys: Keys) -> Mask:
    """Return for each pair (m,) whether it is bought from `now` to before `now` + the horizon's days."""
    purchases = events.of_kind().between(now, now + horizon.days * DAY_S)
    items = horizon.space.item_of[purchases.products]
    bought = purchases.visitors.astype(np.int64) * len(horizon.space) + items
    return np.isin(keys, bought[items >= 0])


def training_pairs(events: Interactions, horizon: Horizon, now: int) -> LabelledPairs:
    """Return pairs of several label windows, the last of which ends at `now`. Raises TooFewEvents.

    A window needs as many days of events before it as it has. Facts of items are those at the begin of each window.
    """
    since = int(events.times.min()) if len(events) else now
    begins = [now - window * horizon.days * DAY_S for window in range(1, WINDOWS + 1)]
    begins = [begin for begin in begins if begin - since >= horizon.days * DAY_S]
    rng = np.random.default_rng(SEED)
    parts = [_window(events, horizon, begin, rng) for begin in begins]
    bought = sum(int(part.labels.sum()) for part in parts)
    if bought < MIN_BOUGHT:
        raise TooFewEvents(
            f"In {len(parts)} periods of {horizon.days} days, {bought} items were bought by visitors of before;"
            f" {MIN_BOUGHT} are needed to predict purchases.",
            "Fit again when there are more purchases, or choose other --days.",
        )
    return LabelledPairs(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.weights for part in parts]),
    )


def sample_visitors(events: Interactions, most: int = MAX_VISITORS) -> Interactions:
    """Return the events of at most `most` visitors, drawn by a fixed seed."""
    active = np.unique(events.visitors)
    if len(active) <= most:
        return events
    drawn = np.random.default_rng(SEED).choice(active, most, replace=False)
    mask = np.zeros(len(events.visitor_ids), bool)
    mask[drawn] = True
    return events.where(mask[events.visitors])


def _window(events: Interactions, horizon: Horizon, begin: int, rng: np.random.Generator) -> LabelledPairs:
    log = VisitorLog(events, horizon.space, begin)
    facts = facts_at(log, horizon.days)
    keys = eligible(log, facts, complete=horizon.complete)
    shares = _shares(positions(log.by_item.keys, keys)[1])
    drawn = rng.random(len(keys)) < shares
    keys = keys[drawn]
    labels = labels_after(events, horizon, begin, keys)
    return LabelledPairs(pair_features(log, facts, keys), labels, (1.0 / shares[drawn]).astype(np.float32))


def _shares(bought: Mask) -> NDArray[np.float64]:
    """Return with which probability each pair is drawn, by whether it was bought before the window."""
    limit = MAX_PAIRS // WINDOWS
    old, new = int(bought.sum()), int((~bought).sum())
    old_limit = limit - min(new, int(limit * NEW_SHARE))
    new_limit = max(limit - min(old, old_limit), 1)
    return np.where(bought, min(1.0, old_limit / max(old, 1)), min(1.0, new_limit / max(new, 1)))
