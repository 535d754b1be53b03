"""What is known of items from all visitors: how often, at what price and how soon again they are bought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.types import Floats
from search.recommend.outlook.item_space import ItemSpace
from search.recommend.outlook.purchase_days import PurchaseDays, gaps_of, medians

RECENCY_DAYS = (4, 8, 15, 22, 36, 57, 92, 183)  # ages at which classes of recency begin, after the first
CLASSES = len(RECENCY_DAYS) + 2  # of recency, the last one for what was never bought
NEVER = CLASSES - 1
PAST_WINDOWS = 3  # past horizons that hazards are counted in
PARENT_WEIGHT, ITEM_WEIGHT = 50.0, 20.0  # pairs that a rate above counts as
YEAR_DAYS = 364


@dataclass(frozen=True, slots=True, eq=False)
class ItemFacts:
    """Facts of items as of a time, float32 (items,).

    `buyers`: visitors who bought it; `rates` (items, 2): purchase days per visitor and day, in 14 and 56 days;
    `season`: the logarithm of how much more it was bought in these days a year earlier than on average, 0 if unknown;
    `gap`: median days between a visitor's purchases; `repeat`: share of its buyers who bought it again;
    `price`: mean price of a unit. `hazards` and `parent_hazards` (items or parents, CLASSES): share of the visitors
    of a class of recency who bought within the horizon.
    """

    buyers: Floats
    rates: Floats
    season: Floats
    gap: Floats
    repeat: Floats
    price: Floats
    hazards: Floats
    parent_hazards: Floats


def item_facts(known: PurchaseDays, space: ItemSpace, visitors: int, days: int) -> ItemFacts:
    """Return the facts of all items; `days` is the horizon, and `visitors` the number of visitors with purchases."""
    size = len(space)
    items = (known.keys % size).astype(np.int64)
    buyers = np.bincount(items, minlength=size)
    again = np.bincount(items[known.counts > 1], minlength=size)
    rows = items[known.pair_of]
    pairs, gaps = gaps_of(known)
    rates = [_counts(rows, known.ages < newest, size) / newest / max(visitors, 1) for newest in (14, 56)]
    paid = np.isfinite(known.prices)
    sums = np.bincount(rows[paid], weights=known.prices[paid], minlength=size)
    price = sums / np.maximum(_counts(rows, paid, size), 1)
    hazards, parent_hazards = _hazards(known, items, space, visitors, days)
    return ItemFacts(
        buyers.astype(np.float32),
        np.stack(rates, axis=1).astype(np.float32),
        _season(known, rows, size, days),
        medians(items[pairs], gaps, size),
        (again / np.maximum(buyers, 1)).astype(np.float32),
        price.astype(np.float32),
        hazards,
        parent_hazards,
    )


def recency_class(ages: Floats, bought: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the class of recency of each pair; `bought` is False for pairs without a purchase."""
    return np.where(bought, np.digitize(ages, RECENCY_DAYS), NEVER)


def _counts(rows: NDArray[np.int64], mask: NDArray[np.bool_], size: int) -> NDArray[np.float64]:
    return np.bincount(rows[mask], minlength=size).astype(np.float64)


def _season(known: PurchaseDays, rows: NDArray[np.int64], size: int, days: int) -> Floats:
    ages = known.ages
    oldest = int(ages.max(initial=0))
    if oldest < YEAR_DAYS:
        return np.zeros(size, np.float32)
    then = _counts(rows, (ages < YEAR_DAYS) & (ages >= YEAR_DAYS - days), size)
    usual = _counts(rows, ages < YEAR_DAYS, size) * days / YEAR_DAYS
    return np.log((then + 5.0) / (usual + 5.0)).astype(np.float32)


def _hazards(
    known: PurchaseDays, items: NDArray[np.int64], space: ItemSpace, visitors: int, days: int
) -> tuple[Floats, Floats]:
    """Return for items and parents the share of pairs that bought, in past horizons of `days` that end at `now`."""
    size = len(space)
    at_risk, bought = np.zeros((size, CLASSES)), np.zeros((size, CLASSES))
    rows = items[known.pair_of]
    following = np.append(known.ages[1:], 0).astype(np.int64)
    following[known.starts[1:] - 1] = -1
    first = np.zeros(len(known.ages), bool)
    first[known.starts[:-1]] = True
    for window in range(1, PAST_WINDOWS + 1):
        since, until = window * days, (window - 1) * days  # ages at the begin and the end of the horizon
        newest = (known.ages >= since) & (following < since)
        classes = np.digitize(known.ages[newest] - since, RECENCY_DAYS)
        np.add.at(at_risk, (rows[newest], classes), 1)
        again = newest & (following >= until)
        np.add.at(bought, (rows[again], np.digitize(known.ages[again] - since, RECENCY_DAYS)), 1)
        new = first & (known.ages < since) & (known.ages >= until)
        at_risk[:, NEVER] += visitors - _counts(rows, first & (known.ages >= since), size)
        bought[:, NEVER] += _counts(rows, new, size)
    return _smoothed(at_risk, bought, space)


def _smoothed(at_risk: NDArray[np.float64], bought: NDArray[np.float64], space: ItemSpace) -> tuple[Floats, Floats]:
    """Return rates of items and parents, drawn towards the rate of the parent and of everything."""
    overall = (bought.sum(axis=0) + 0.5) / (at_risk.sum(axis=0) + 1.0)
    above, above_bought = np.zeros((space.parents, CLASSES)), np.zeros((space.parents, CLASSES))
    np.add.at(above, space.parent_of, at_risk)
    np.add.at(above_bought, space.parent_of, bought)
    parents = (above_bought + PARENT_WEIGHT * overall) / (above + PARENT_WEIGHT)
    rates = (bought + ITEM_WEIGHT * parents[space.parent_of]) / (at_risk + ITEM_WEIGHT)
    return rates.astype(np.float32), parents.astype(np.float32)
