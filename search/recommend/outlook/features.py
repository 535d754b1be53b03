"""Features of a visitor and an item as of a time: what came before it, and nothing later.

Fitting, measuring and serving call the same functions: a served visitor is a log of one visitor.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats
from search.recommend.events.event_log import CART, CLICK, PURCHASE, VIEW
from search.recommend.events.interactions import KIND_CODES, Interactions
from search.recommend.models.base import DAY_S
from search.recommend.outlook.item_facts import ItemFacts, recency_class
from search.recommend.outlook.item_space import ItemSpace
from search.recommend.outlook.purchase_days import (
    RECENT_DAYS,
    UNKNOWN,
    Keys,
    Rhythm,
    positions,
    purchase_days,
    rhythm,
)

# Kinds of events other than purchases, with the days in which they count.
BEHAVIOUR = ((VIEW, 7), (VIEW, 30), (CLICK, 30), (CART, 7), (CART, 30))
_RHYTHM = (
    "times",
    *(f"times_{days}" for days in RECENT_DAYS),
    "since_last",
    "since_first",
    "gap_mean",
    "gap_median",
    "gap_variation",
    "since_last_by_mean",
    "since_last_by_median",
)
_BEHAVIOUR = tuple(f"{kind}_{days}" for kind, days in BEHAVIOUR)
NAMES = (
    *_RHYTHM,
    *(f"parent_{name}" for name in _RHYTHM),
    *(f"visitor_{name}" for name in _RHYTHM),
    *("share_of_visits", "share_of_visits_91", "share_of_parent", "last_quantity", "last_price", "visitor_price"),
    *("buyers", "rate_14", "rate_56", "trend", "season", "item_gap", "since_last_by_item_gap", "repeat", "price"),
    *("hazard", "parent_hazard"),
    *_BEHAVIOUR,
    *(f"visitor_{name}" for name in _BEHAVIOUR),
)


class VisitorLog:
    """The events of visitors before a time, counted by item, by the items' parents and in total."""

    def __init__(self, events: Interactions, space: ItemSpace, now: int) -> None:
        self.events = events.between(0, now)
        self.space = space
        self.now = now
        self.visitors = len(events.visitor_ids)
        purchases = self.events.of_kind(PURCHASE)
        items = space.item_of[purchases.products]
        parents = np.where(items >= 0, space.parent_of[items], -1) if len(space) else items
        self.by_item = purchase_days(purchases, items, max(len(space), 1), now)
        self.by_parent = purchase_days(purchases, parents, max(space.parents, 1), now)
        self.total = purchase_days(purchases, np.zeros(len(purchases), np.int64), 1, now)

    @cached_property
    def item_rhythm(self) -> Rhythm:
        """The rhythm of the pairs in `by_item`."""
        return rhythm(self.by_item)

    @cached_property
    def parent_rhythm(self) -> Rhythm:
        """The rhythm of the pairs in `by_parent`."""
        return rhythm(self.by_parent)

    @cached_property
    def total_rhythm(self) -> Rhythm:
        """The rhythm of the visitors in `total`."""
        return rhythm(self.total)

    def seen_pairs(self) -> Keys:
        """Return the keys of the pairs with any event."""
        items = self.space.item_of[self.events.products]
        keys = self.events.visitors.astype(np.int64) * len(self.space) + items
        return np.unique(keys[items >= 0])

    def active_visitors(self) -> NDArray[np.int64]:
        """Return the visitors with any event."""
        return np.unique(self.events.visitors).astype(np.int64)


def pair_features(log: VisitorLog, facts: ItemFacts, keys: Keys) -> Floats:
    """Return the features, float32 (m, NAMES), of pairs by their ascending keys (visitor * items + item)."""
    size = len(log.space)
    visitors, items = np.divmod(keys, size)
    parents = log.space.parent_of[items].astype(np.int64)
    own = log.item_rhythm.at(log.by_item, keys)
    parent = log.parent_rhythm.at(log.by_parent, visitors * log.space.parents + parents)
    total = log.total_rhythm.at(log.total, visitors)
    columns: list[NDArray[np.floating]] = [
        *_rhythm_columns(own),
        *_rhythm_columns(parent),
        *_rhythm_columns(total),
        own.counts / np.maximum(total.counts, 1),
        own.recent[:, 2] / np.maximum(total.recent[:, 2], 1),
        own.counts / np.maximum(parent.counts, 1),
        *_price_columns(log, facts, keys),
        *_fact_columns(facts, items, parents, own),
        *_behaviour_columns(log, keys, size),
    ]
    return np.stack([column.astype(np.float32) for column in columns], axis=1)


def _rhythm_columns(pairs: Rhythm) -> list[Floats]:
    """Return counts and days as logarithms, which suit a linear model, and leave trees as they are."""
    return [
        np.log1p(pairs.counts),
        *np.log1p(pairs.recent).T,
        np.log1p(pairs.last),
        np.log1p(pairs.first),
        pairs.gap_mean,
        pairs.gap_median,
        pairs.gap_variation,
        _ratio(pairs.last, pairs.gap_mean),
        _ratio(pairs.last, pairs.gap_median),
    ]


def _ratio(since: Floats, gap: Floats) -> Floats:
    """Return the time since the last purchase in usual gaps, at most 20; UNKNOWN without a gap."""
    return np.where(gap == UNKNOWN, UNKNOWN, np.minimum(since / np.maximum(gap, 0.5), 20.0))


def _price_columns(log: VisitorLog, facts: ItemFacts, keys: Keys) -> list[NDArray[np.float64]]:
    """Return the last quantity, the last price against the item's, and what the visitor pays against all visitors."""
    known = log.by_item
    quantity, price = np.zeros(len(keys)), np.zeros(len(keys))
    if len(known.keys):
        rows, found = positions(known.keys, keys)
        newest = known.starts[rows + 1] - 1
        usual = facts.price[keys % len(log.space)]
        quantity[found] = np.log1p(known.quantities[newest[found]])
        price[found] = _log_ratio(known.prices[newest[found]], usual[found])
    paid = _log_ratio(known.prices, facts.price[known.keys % len(log.space)][known.pair_of])
    buyers = (known.keys // len(log.space))[known.pair_of]
    sums = np.bincount(buyers, weights=paid, minlength=log.visitors)
    means = sums / np.maximum(np.bincount(buyers, minlength=log.visitors), 1)
    return [quantity, price, means[keys // len(log.space)]]


def _log_ratio(price: Floats, usual: Floats) -> NDArray[np.float64]:
    """Return the logarithm of a price by the usual one, 0 where either is unknown."""
    valid = np.isfinite(price) & (price > 0) & (usual > 0)
    ratio = np.divide(price, usual, out=np.ones(len(price)), where=valid)
    return np.clip(np.log(ratio), -3.0, 3.0)


def _fact_columns(
    facts: ItemFacts, items: NDArray[np.int64], parents: NDArray[np.int64], own: Rhythm
) -> list[NDArray[np.floating]]:
    rates = np.log(facts.rates + 1e-6)
    gap = facts.gap[items]
    classes = recency_class(own.last, own.counts > 0)
    return [
        np.log1p(facts.buyers)[items],
        *rates[items].T,
        (rates[:, 0] - rates[:, 1])[items],
        facts.season[items],
        gap,
        _ratio(own.last, gap),
        facts.repeat[items],
        np.log1p(facts.price)[items],
        _log_odds(facts.hazards[items, classes]),
        _log_odds(facts.parent_hazards[parents, classes]),
    ]


def _log_odds(rates: Floats) -> NDArray[np.float64]:
    bounded = np.clip(rates.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.log(bounded / (1 - bounded))


def _behaviour_columns(log: VisitorLog, keys: Keys, size: int) -> list[NDArray[np.float64]]:
    """Return the counts of views, clicks and carts, of each pair and of its visitor."""
    events = log.events
    items = log.space.item_of[events.products]
    ages = (log.now - 1 - events.times) // DAY_S
    pairs, visitors = [], []
    for kind, days in BEHAVIOUR:
        rows = (events.columns.kinds == KIND_CODES[kind]) & (ages < days) & (items >= 0)
        if not rows.any():
            pairs.append(np.zeros(len(keys)))
            visitors.append(np.zeros(len(keys)))
            continue
        places, found = positions(keys, events.visitors[rows].astype(np.int64) * size + items[rows])
        pairs.append(np.log1p(np.bincount(places[found], minlength=len(keys))))
        totals = np.bincount(events.visitors[rows], minlength=log.visitors)
        visitors.append(np.log1p(totals)[keys // size])
    return [*pairs, *visitors]
