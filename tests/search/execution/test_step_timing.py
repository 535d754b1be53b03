"""Where the time of an answer goes: each step once, without the steps inside it."""

import threading
import time

import pytest

from search.execution.deadlines import ENCODER, Deadline, StepRunner
from search.execution.step_timing import ENCODE, METADATA, SEARCH, listen, timed
from search.query.terms import PictureTerm, Query, TextTerm
from tests.search.shop_fixtures import RED, picture


class Told(dict):
    def __call__(self, name, seconds):
        self[name] = self.get(name, 0.0) + seconds


def test_a_step_inside_another_counts_for_itself(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("search.execution.step_timing.perf_counter", lambda: clock[0])
    told = Told()
    with listen(told), timed(SEARCH):
        clock[0] += 2
        with timed(ENCODE):
            clock[0] += 5
            with timed(METADATA):
                clock[0] += 1
    assert told == {SEARCH: 2, ENCODE: 5, METADATA: 1}


def test_a_step_that_breaks_is_counted_and_one_that_nobody_asked_about_is_not():
    told = Told()
    with listen(told), pytest.raises(ZeroDivisionError), timed(SEARCH):
        raise ZeroDivisionError
    with timed(ENCODE):
        pass
    assert list(told) == [SEARCH]


def test_other_threads_are_not_listened_to():
    told = Told()

    def elsewhere():
        with timed(ENCODE):
            pass

    with listen(told):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert told == {}


@pytest.mark.parametrize("seconds", [None, 60])
def test_a_step_on_a_thread_of_its_own_is_waited_for(seconds):
    told, steps = Told(), StepRunner()
    with listen(told):
        steps.run(ENCODER, None if seconds is None else Deadline.within(1000 * seconds), lambda: time.sleep(0.05))
    steps.close()
    assert told[ENCODE] >= 0.05


@pytest.mark.parametrize("timeout_ms", [None, 60_000])
@pytest.mark.parametrize("term", [PictureTerm(picture(RED)), TextTerm("red")])
def test_the_steps_of_a_search_are_all_of_its_time(engine, term, timeout_ms):
    engine.search(Query((term,), timeout_ms=timeout_ms))
    told = Told()
    began = time.perf_counter()
    with listen(told):
        page = engine.search(Query((term,), timeout_ms=timeout_ms))
    took = time.perf_counter() - began
    assert set(told) == {ENCODE, SEARCH, METADATA} and min(told.values()) > 0
    assert page.took_ms / 1000 <= sum(told.values()) <= took
