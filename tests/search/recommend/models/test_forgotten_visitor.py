"""A visitor who was forgotten is in no model that is fitted afterwards, and no visitor's hash is in any model."""

from collections import defaultdict

import numpy as np
import pytest

from search.recommend.events.event_columns import read_interactions
from search.recommend.events.event_log import Event, EventLog
from search.recommend.models.ease import Ease
from search.recommend.models.popularity import Popularity
from search.recommend.models.together import BasketCompletion, Together
from tests.search.recommend.purchases import DAY_S, draw_log

STORED = [Popularity, Ease, Together, BasketCompletion]
START = 20_000 * DAY_S  # the first day of the log
NOW = START + 12 * 7 * DAY_S
ANNA = "v-0123456789abcdef01234567"


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """The logs of a shop that never knew Anna, of one that knows her, and of one that forgot her."""
    table, events = draw_log(visitors=40, products=30)
    days = defaultdict(list)
    bought = (events.visitors.tolist(), events.products.tolist(), events.times.tolist())
    for visitor, product, at in zip(*bought, strict=True):
        days[at].append(Event("purchase", table.ids[product], f"visitor-{visitor}", quantity=1.0, price=2.0))
    opened = {}
    for name in ("never", "known", "forgotten"):
        log = opened[name] = EventLog.open(tmp_path_factory.mktemp(name))
        for number, (at, sent) in enumerate(sorted(days.items())):
            own = [Event("purchase", table.ids[product], ANNA, quantity=3.0, price=2.0) for product in (4, 9, 29)]
            log.add([*sent, *(own if name != "never" and number % 2 else ())], START + at)
    assert opened["forgotten"].forget(ANNA) > 50
    yield table, opened
    for log in opened.values():
        log.close()


def interactions(logs, name):
    table, opened = logs
    return read_interactions(opened[name], table)


def test_her_events_are_gone(logs):
    never, known, forgotten = (interactions(logs, name) for name in ("never", "known", "forgotten"))
    assert len(never) == len(forgotten) < len(known)
    assert len(never.visitor_ids) == len(forgotten.visitor_ids) == len(known.visitor_ids) - 1


@pytest.mark.promise("P2")
@pytest.mark.parametrize("model", STORED, ids=lambda model: model.name)
def test_a_model_is_as_if_she_had_never_come(logs, model):
    arrays = {name: model.fit(interactions(logs, name), logs[0], NOW).arrays() for name in logs[1]}
    assert arrays["never"].keys() == arrays["forgotten"].keys()
    for name, array in arrays["never"].items():
        np.testing.assert_array_equal(array, arrays["forgotten"][name], err_msg=name)
    changed = [name for name, array in arrays["never"].items() if not same(array, arrays["known"][name])]
    assert changed  # she made a difference while she was known


def same(one, other):
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


@pytest.mark.promise("P2")
@pytest.mark.parametrize("model", STORED, ids=lambda model: model.name)
def test_no_visitor_is_in_a_model(logs, model):
    known = interactions(logs, "known")
    arrays = model.fit(known, logs[0], NOW).arrays()
    stored = b"".join(np.asarray(array).tobytes() for array in arrays.values())
    assert known.visitor_ids and not [key for key in known.visitor_ids if key in stored or key.hex().encode() in stored]
