"""python -m tests.bench.feed HOME [VISITORS]: how fast a personal feed comes in an indexed shop.

The event log of HOME gets events of drawn visitors when it has fewer: each likes three categories, looks, and buys some
products again. Times are by the clock and of the processor, of `Recommender.feed`, for visitors in random order.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from search.engine import SearchEngine
from search.recommend.events.event_log import EVENT_KINDS, PURCHASE, Event
from search.recommend.events.interactions import KIND_CODES, History, Interactions
from search.recommend.events.product_table import ProductTable
from search.recommend.feed.feed_page import FeedRequest
from search.recommend.feed.shop_arrays import deepest_categories
from search.recommend.learning.fitted_models import FittedModels
from search.recommend.ranking.two_stage import TwoStage

DAY_S, DAYS = 86_400, 84
EVENTS = 10  # of a visitor, on average
FITTED_VISITORS = 1_000  # the time of an answer does not depend on how many visitors were fitted
QUESTIONS = 200
SURFACES = ("for_you", "buy_again", "home")


def main(home: Path, visitors: int) -> None:
    """Print the median and the 95th percentile of each surface, in milliseconds."""
    with SearchEngine.open(home) as engine:
        columns = engine._live.served.columns
        ids = columns.ids
        log = draw(deepest_categories(columns), visitors)
        if engine.recommender.events.count() < len(log):
            store(engine, ids, log)
        engine.recommender.refresh()
        engine.recommender._models.open()
        rng = np.random.default_rng(1)
        asked = [f"bench-{visitor}" for visitor in rng.integers(0, visitors, QUESTIONS)]
        print(f"{len(ids):,} products, {visitors:,} visitors, {engine.recommender.events.count():,} events")
        measure(engine, "without a model", asked)
        engine.recommender._models = SimpleNamespace(models=fitted(engine, ids, log), degraded=())
        measure(engine, "with a model", asked)
        measure(engine, "with a model, unknown visitors", [f"unknown-{number}" for number in range(QUESTIONS)])


def draw(categories, visitors: int) -> Interactions:
    """Draw the events of visitors: three liked categories each, products by Zipf's law, one in three bought again."""
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(categories == label) for label in np.unique(categories)]
    liked = rng.choice(len(members), (visitors, 3))
    who = np.repeat(np.arange(visitors), rng.poisson(EVENTS, visitors))
    kind = liked[who, rng.integers(0, 3, len(who))]
    sizes = np.array([len(group) for group in members])
    rank = np.minimum((sizes[kind] ** rng.random(len(who))).astype(np.int64), sizes[kind]) - 1
    starts = np.concatenate([[0], np.cumsum(sizes)])
    products = np.concatenate(members)[starts[kind] + rank].astype(np.int32)
    kinds = np.where(rng.random(len(who)) < 0.4, KIND_CODES[PURCHASE], 0).astype(np.uint8)
    days = rng.integers(0, DAYS, len(who))
    again = np.flatnonzero((kinds == KIND_CODES[PURCHASE]) & (rng.random(len(who)) < 0.3) & (days < DAYS - 14))
    who, products = np.concatenate([who, who[again]]), np.concatenate([products, products[again]])
    kinds, days = np.concatenate([kinds, kinds[again]]), np.concatenate([days, days[again] + 14])
    times = int(time.time()) - DAYS * DAY_S + days * DAY_S
    units = np.ones(len(who), np.float32)
    history = History(products, times, kinds, units, units * np.nan)
    return Interactions.of([b"%d" % visitor for visitor in range(visitors)], who.astype(np.int32), history)


def store(engine: SearchEngine, ids, log: Interactions) -> None:
    """Store the events day by day, as they would have come."""
    began = time.perf_counter()
    for at in np.unique(log.times).tolist():
        rows = np.flatnonzero(log.times == at)
        engine.recommender.events.add(
            [
                Event(EVENT_KINDS[log.columns.kinds[row]], ids[log.products[row]], f"bench-{log.visitors[row]}")
                for row in rows.tolist()
            ],
            at,
        )
    print(f"stored {len(log):,} events in {time.perf_counter() - began:.0f} s")


def fitted(engine: SearchEngine, ids, log: Interactions) -> FittedModels:
    """Fit the model that ranks on the first visitors."""
    began = time.perf_counter()
    known = log.where(log.visitors < FITTED_VISITORS)
    found = engine.find(ids.tolist())
    table = ProductTable.of(found[product_id] for product_id in ids.tolist())
    model = TwoStage.fit(known, table, known.end)
    print(f"fitted {len(known):,} events in {time.perf_counter() - began:.0f} s")
    return FittedModels(table, {TwoStage.name: model}, SimpleNamespace(version=1))


def measure(engine: SearchEngine, name: str, visitors: list[str]) -> None:
    """Print how long each surface takes."""
    for surface in SURFACES:
        request = FeedRequest(surface=surface, k=20)
        engine.recommender.feed(visitors[0], request)
        clock, worked = [], []
        for visitor in visitors:
            began, used = time.perf_counter(), time.process_time()
            engine.recommender.feed(visitor, request)
            clock.append(1_000 * (time.perf_counter() - began))
            worked.append(1_000 * (time.process_time() - used))
        print(
            f"{name}, {surface}: {np.median(clock):.1f} ms, 95 % {np.percentile(clock, 95):.1f} ms; "
            f"processor {np.median(worked):.1f} ms, 95 % {np.percentile(worked, 95):.1f} ms"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
