"""Read what the models of a shop are fitted on: the products of its catalogue, and its events."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import TooFewEvents
from catalog.home import ShopHome
from catalog.storage.opening import open_catalogue
from search.recommend.events.event_columns import read_interactions
from search.recommend.events.event_log import EventLog
from search.recommend.events.interactions import Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.models.base import WEEK_S

MIN_PURCHASES, MIN_BUYERS, MIN_WEEKS = 500, 50, 3


@dataclass(frozen=True, slots=True)
class EventCounts:
    """How much a shop's models are fitted on; times are unix seconds, `until` is just after the last event."""

    events: int
    visitors: int
    purchases: int
    buyers: int
    products: int
    since: int
    until: int

    @classmethod
    def of(cls, events: Interactions, products: ProductTable) -> EventCounts:
        """Count events."""
        purchases = events.of_kind()
        since = int(events.times.min()) if len(events) else 0
        visitors, buyers = (len(np.unique(rows.visitors)) for rows in (events, purchases))
        return cls(len(events), visitors, len(purchases), buyers, len(products), since, events.end)

    @property
    def weeks(self) -> float:
        """The time between the first and the last event."""
        return (self.until - self.since) / WEEK_S


def read_shop(home: Path) -> tuple[ProductTable, Interactions]:
    """Return the products of a shop and the events on them up to now. Raises NoGeneration, StoreError."""
    with closing(open_catalogue(home)) as catalogue:
        table = ProductTable.of(product for _, product in catalogue.iterate())
    with closing(EventLog.open(home)) as log:
        # Without an end, an event of a moment when the clock was wrong would set the times of all later fits.
        return table, read_interactions(log, table, until=int(time.time()) + 1)


def has_events(home: Path) -> bool:
    """Return whether a shop has as many events as models need purchases; costs little. Raises StoreError."""
    if not ShopHome(home).events.is_file():
        return False
    with closing(EventLog.open(home)) as log:
        return log.count() >= MIN_PURCHASES


def require_enough(counts: EventCounts) -> None:
    """Raise TooFewEvents, which says what is missing, when there is too little to fit and measure models."""
    if counts.purchases >= MIN_PURCHASES and counts.buyers >= MIN_BUYERS and counts.weeks >= MIN_WEEKS:
        return
    raise TooFewEvents(
        f"The shop's events have {counts.purchases:,} purchases by {counts.buyers:,} visitors, within"
        f" {counts.weeks:.1f} weeks. Models are fitted from {MIN_PURCHASES:,} purchases by {MIN_BUYERS:,} visitors"
        f" within {MIN_WEEKS} weeks on.",
        "Send purchases to POST /api/v1/events, or import a log of them: windowshop events import.",
    )
