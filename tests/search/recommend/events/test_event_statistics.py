"""Event statistics: popularity that fades and that no visitor can fake, neighbours, categories bought together."""

import threading
import time

import pytest

from catalog.product import Product
from search.recommend.events.event_log import Event, EventLog, StoredEvent
from search.recommend.events.event_statistics import (
    HALF_LIFE_DAYS,
    MAX_LEADING,
    SESSION_SECONDS,
    StatisticsRefresher,
    compute_statistics,
)
from search.recommend.events.retention import DAY_S
from tests.timing import Lateness

NOW = 1_800_000_000


def find(ids):
    """Products whose category is the first letter of their id; those that begin with x have left the shop."""
    return {key: Product(key, key, (), key[0]) for key in ids if not key.startswith("x")}


def session(visitor, *ids, kind="view", at=NOW):
    return [StoredEvent(at + place, kind, product_id, visitor.encode()) for place, product_id in enumerate(ids)]


def sessions(count, *ids, kind="view", name="v"):
    return [event for number in range(count) for event in session(f"{name}{number}", *ids, kind=kind)]


def test_no_events_say_nothing():
    assert not compute_statistics([], find, NOW) and not compute_statistics(session("v", "xgone"), find, NOW)


def test_popularity_counts_sessions_and_purchases_weigh_more_than_views():
    statistics = compute_statistics(
        sessions(3, "a") + sessions(1, "b", kind="purchase") + sessions(4, "xgone", name="g"), find, NOW + 9
    )
    assert list(statistics.popular) == ["b", "a"]
    assert statistics.popular["b"] == 1.0 and statistics.popular["a"] == pytest.approx(3 / 5)


def test_one_visitor_counts_once_in_a_session():
    statistics = compute_statistics(sessions(2, "a") + session("w", *["b"] * 50), find, NOW)
    assert list(statistics.popular) == ["a", "b"] and statistics.popular["b"] == pytest.approx(0.5, rel=1e-3)


def test_popularity_halves_with_time():
    old = session("v", "a", at=NOW - int(HALF_LIFE_DAYS * DAY_S))
    assert compute_statistics(old + session("w", "b"), find, NOW).popular["a"] == pytest.approx(0.5)


def test_a_dismissal_makes_nothing_popular():
    dismissed = sessions(9, "b", "c", kind="dismiss", name="w")
    assert compute_statistics(sessions(2, "a") + dismissed, find, NOW) == compute_statistics(
        sessions(2, "a"), find, NOW
    )


def test_the_leading_of_each_category_are_bounded():
    statistics = compute_statistics(
        sessions(2, "b1") + [e for i in range(99) for e in session(f"w{i}", f"a{i}")], find, NOW
    )
    assert len(statistics.leading["a"]) == MAX_LEADING and statistics.leading["b"] == ("b1",)


def test_neighbours_are_those_of_the_same_sessions():
    statistics = compute_statistics(
        sessions(4, "a", "b") + sessions(4, "a", name="w") + sessions(1, "a", "c", name="x"), find, NOW
    )
    assert set(statistics.together) == {"a", "b"}  # once with c says nothing
    assert statistics.together["a"]["b"] == statistics.together["b"]["a"] == pytest.approx(4 / (9 * 4) ** 0.5)


def test_a_long_pause_ends_a_session():
    apart = [
        event
        for number in range(5)
        for event in (
            *session(f"v{number}", "a"),
            *session(f"v{number}", "b", at=NOW + SESSION_SECONDS + 1),
        )
    ]
    assert not compute_statistics(apart, find, NOW).together


def test_categories_are_learnt_from_what_was_bought_only():
    bought = sessions(30, "a1", "b1", kind="cart") + sessions(30, "c1", "d1", kind="purchase", name="w")
    looked = sessions(30, "a1", "c1", name="x")
    pairs = compute_statistics(bought + looked, find, NOW).pairs
    assert pairs["a"].baskets == 30 and set(pairs["a"].strengths) == {"b"}
    assert 0.8 < pairs["a"].strengths["b"] <= 1.0
    assert pairs["a"].strengths["b"] == pairs["b"].strengths["a"]


def test_categories_in_every_basket_or_in_few_go_with_nothing():
    bags = [("a", "s"), ("b", "s"), ("c", "s"), ("d", "s")]
    every = [e for i in range(80) for e in session(f"v{i}", *bags[i % 4], kind="purchase")]
    rare = [e for i in range(4) for e in session(f"w{i}", "q", "r", kind="purchase")]
    pairs = compute_statistics(every + rare, find, NOW).pairs
    assert max(pairs["s"].strengths.values(), default=0.0) < 0.1
    assert not pairs["q"].strengths


def test_statistics_are_computed_in_the_background(tmp_path):
    log = EventLog.open(tmp_path)
    log.add([Event("view", "a", "v")])
    held, lookups = threading.Event(), []

    def slow(ids):
        lookups.append(list(ids))
        assert held.wait(300)
        return find(ids)

    watch = StatisticsRefresher(log, slow, refresh_seconds=0.05)
    with Lateness() as wait:
        assert not watch.now
    assert wait.within(1.0)  # nobody waits for it
    assert not watch.now and len(lookups) <= 1  # and it is not begun twice
    held.set()
    until = time.monotonic() + 300
    while not watch.now and time.monotonic() < until:
        time.sleep(0.01)
    assert list(watch.now.popular) == ["a"]
    watch.refresh()
    assert len(lookups) == 1  # no news, no work
    log.add([Event("view", "b", "w")])
    assert set(watch.refresh().popular) == {"a", "b"}
    log.close()


def test_a_log_that_cannot_be_read_leaves_the_previous_statistics(tmp_path):
    log = EventLog.open(tmp_path)
    log.add([Event("view", "a", "v")])
    watch = StatisticsRefresher(log, find, refresh_seconds=0.0)
    before = watch.refresh()
    log.close()
    for _ in range(3):
        assert watch.now is before
        time.sleep(0.05)
