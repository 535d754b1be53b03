"""The log as columns: what fitting reads, and one visitor's history, agree with what was added."""

import numpy as np
import pytest

from search.recommend.events import event_columns
from search.recommend.events.event_columns import history_of, read_history, read_interactions
from search.recommend.events.event_log import EVENT_KINDS, Event, EventLog
from search.recommend.events.retention import SEGMENT_S
from tests.search.recommend.purchases import make_table

NOW = 1_700_000_000


@pytest.fixture
def log(tmp_path):
    log = EventLog.open(tmp_path)
    yield log
    log.close()


def drawn(log, count=300):
    """Add drawn events over ten weeks, some on a product that the table lacks; return (visitor, product, at) of all."""
    rng = np.random.default_rng(1)
    added = []
    for at in np.sort(rng.integers(NOW, NOW + 10 * SEGMENT_S, count)).tolist():
        visitor, product = f"v{rng.integers(9)}", f"p{rng.integers(10)}"
        kind, quantity = EVENT_KINDS[rng.integers(4)], float(rng.integers(1, 5))
        price = None if rng.random() < 0.3 else float(rng.integers(1, 9)) / 4
        log.add([Event(kind, product, visitor, quantity=quantity, price=price)], at)
        added.append((visitor, product, at, kind, quantity, price))
    return added


@pytest.mark.parametrize("at_once", [7, 1_000])
def test_columns_are_the_events_that_were_added(log, monkeypatch, at_once):
    monkeypatch.setattr(event_columns, "READ_ROWS", at_once)
    added, table = drawn(log), make_table(8)
    since, until = NOW + SEGMENT_S, NOW + 8 * SEGMENT_S + 999
    events = read_interactions(log, table, since, until)
    expected = [row for row in added if row[1] in table.code_of and since <= row[2] < until]
    assert len(events) == len(expected) > 100
    for place, key in enumerate(events.visitor_ids):
        own = [row for row in expected if log.key_of(row[0]) == key]
        history = events.history(place)
        assert [table.ids[code] for code in history.products] == [row[1] for row in own]
        assert history.times.tolist() == [row[2] for row in own]
        assert [EVENT_KINDS[kind] for kind in history.kinds] == [row[3] for row in own]
        assert history.quantities.tolist() == [row[4] for row in own]
        np.testing.assert_array_equal(history.prices, np.array([row[5] for row in own], np.float32))
    assert len(read_interactions(log, table)) == sum(row[1] in table.code_of for row in added)


def test_the_history_of_a_visitor_is_that_of_all_events(log):
    drawn(log)
    table = make_table(8)
    events = read_interactions(log, table)
    place = list(events.visitor_ids).index(log.key_of("v3"))
    history, all_of_it = read_history(log, table, "v3"), events.history(place)
    for name in ("products", "times", "kinds", "quantities", "prices"):
        np.testing.assert_array_equal(getattr(history, name), getattr(all_of_it, name))
    assert read_history(log, table, "v3", 4).times.tolist() == [event.at for event in log.history("v3")[-4:]]
    assert len(read_history(log, table, "nobody")) == len(history_of([], table)) == 0


def test_a_history_has_what_was_added_a_moment_ago(log, tmp_path):
    other = EventLog.open(tmp_path)
    for number in range(5):
        log.add([Event("view", f"p{number}", "v", quantity=2)], NOW)
        assert read_history(other, make_table(8), "v").products.tolist() == list(range(number + 1))
    other.close()


def test_no_events_are_no_interactions(log):
    assert len(read_interactions(log, make_table())) == 0
    log.add([Event("view", "unknown", "v")], NOW)
    events = read_interactions(log, make_table())
    assert (len(events), list(events.visitor_ids)) == (0, [])


def test_a_visitor_who_is_forgotten_is_in_nothing_that_is_fitted(log):
    drawn(log)
    table = make_table(8)
    before = read_interactions(log, table)
    log.forget("v3")
    after = read_interactions(log, table)
    assert log.key_of("v3") in before.visitor_ids and log.key_of("v3") not in after.visitor_ids
    place = list(before.visitor_ids).index(log.key_of("v3"))
    assert len(after) == len(before) - len(before.history(place))
    assert len(read_history(log, table, "v3")) == 0
