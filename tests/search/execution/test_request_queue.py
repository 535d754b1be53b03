"""The queue in front of a server: so many at once, in order, and those that cannot be answered in time are refused."""

import math
import threading

import pytest

from catalog.errors import Overloaded
from search.execution.request_queue import RequestQueue
from tests.timing import wait_for

LONG = 300.0


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


class Entering:
    """A thread that takes a slot; `result` is what it waited, or the refusal."""

    def __init__(self, queue, patience=LONG, wanted=math.inf):
        self._queue, self._patience, self._result = queue, (patience, wanted), None
        before = queue.counts().pending
        self._thread = threading.Thread(target=self._enter)
        self._thread.start()
        wait_for(lambda: queue.counts().pending > before or not self._thread.is_alive())

    def _enter(self):
        try:
            self._result = self._queue.enter(*self._patience)
        except Overloaded as error:
            self._result = error

    @property
    def result(self):
        self._thread.join(300)
        return self._result


def usual(queue, seconds):
    """Let requests usually take so long: a tenth of the first one enters the mean."""
    queue.enter(0.0)
    queue.leave(10 * seconds)


def dropped(queue):
    return dict(queue.counts().dropped)


def test_a_free_slot_is_taken_at_once(clock):
    queue = RequestQueue(2, 0, clock)
    assert (queue.enter(0.0), queue.enter(0.0)) == (0.0, 0.0)
    with pytest.raises(Overloaded):
        queue.enter(LONG)
    queue.leave(1.0)
    assert queue.enter(0.0) == 0.0
    assert dropped(queue) == {"late": 0, "full": 1}


def test_the_first_that_came_is_the_first_that_is_admitted(clock):
    queue = RequestQueue(1, 8, clock)
    queue.enter(0.0)
    first, second = Entering(queue), Entering(queue)
    assert queue.counts().pending == 2
    clock.now = 3.0
    queue.leave(3.0)
    assert first.result == 3.0 and queue.counts().pending == 1
    clock.now = 5.0
    queue.leave(2.0)
    assert second.result == 5.0


def test_whoever_is_late_by_the_time_of_its_turn_is_refused_and_the_next_takes_the_slot(clock):
    queue = RequestQueue(1, 8, clock)
    queue.enter(0.0)
    late, timely = Entering(queue, 100.0), Entering(queue, 200.0)
    clock.now = 150.0
    queue.leave(1.0)
    assert isinstance(late.result, Overloaded) and timely.result == 150.0
    assert dropped(queue) == {"late": 1, "full": 0}


def test_whoever_would_be_late_is_refused_on_arrival_and_is_told_when_to_come_back(clock):
    queue = RequestQueue(2, 64, clock)
    usual(queue, 4.0)
    queue.enter(0.0), queue.enter(0.0)
    with pytest.raises(Overloaded) as refusal:
        queue.enter(1.0)
    assert refusal.value.wait == 2.0  # two at once are done in 4 seconds: one in 2
    waiting = Entering(queue, 2.0 + LONG)
    with pytest.raises(Overloaded) as refusal:
        queue.enter(3.0)
    assert refusal.value.wait == 4.0
    queue.leave(4.0)
    assert waiting.result == 0.0
    assert dropped(queue) == {"late": 2, "full": 0}


def test_what_requests_usually_take_is_left_when_the_turn_comes(clock):
    queue = RequestQueue(1, 8, clock)
    usual(queue, 4.0)
    queue.enter(0.0)
    waiting = Entering(queue, LONG, 106.0)  # 4 of them are left for a usual request
    clock.now = 103.0
    queue.leave(4.0)
    assert isinstance(waiting.result, Overloaded)
    queue.enter(0.0)
    with pytest.raises(Overloaded):
        queue.enter(LONG, 7.0)
    waiting = Entering(queue, LONG, 106.0)
    clock.now = 200.0
    queue.leave(4.0)
    assert waiting.result == 97.0


def test_sixteen_clients_fit_eight_slots_where_an_answer_takes_half_the_time(clock):
    """In thousands of seconds, as threads really wait: answers in 220, of 500, with all slots busy."""
    queue = RequestQueue(8, 64, clock)
    usual(queue, 220_000.0)
    for _ in range(8):
        queue.enter(250_000.0, 500_000.0)
    waiting = [Entering(queue, 250_000.0, 500_000.0) for _ in range(8)]
    assert queue.counts().pending == 8
    clock.now = 220_000.0
    for _ in range(8):
        queue.leave(220_000.0)
    assert [each.result for each in waiting] == [220_000.0] * 8
    assert dropped(queue) == {"late": 0, "full": 0}


def test_neither_the_first_request_nor_those_that_say_nothing_set_what_is_expected(clock):
    queue = RequestQueue(8, 64, clock)
    queue.enter(LONG)
    queue.leave(500.0)  # cold
    for _ in range(8):
        queue.enter(LONG)
        queue.leave(None)
    for _ in range(8):
        queue.enter(LONG)
    waiting = Entering(queue, 250.0, 500.0)
    assert queue.counts().pending == 1
    queue.leave(None)
    assert waiting.result == 0.0


def test_patience_ends_where_no_slot_comes_free():
    queue = RequestQueue(1, 8)
    queue.enter(0.0)
    with pytest.raises(Overloaded):
        queue.enter(0.01)
    assert queue.counts().pending == 0
    queue.leave(0.001)
    assert queue.enter(0.0) == 0.0


def test_no_more_than_the_slots_are_inside_and_none_is_lost():
    queue, inside, most, lock = RequestQueue(3, 64), set(), [], threading.Lock()

    def ask(number):
        for _ in range(100):
            queue.enter(LONG)
            with lock:
                inside.add(number)
                most.append(len(inside))
            with lock:
                inside.remove(number)
            queue.leave(0.0)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 3 and len(most) == 1_200
    counts = queue.counts()
    assert (counts.pending, counts.waits[0][-1][1], dropped(queue)) == (0, 1_200, {"late": 0, "full": 0})


def test_a_refusal_on_arrival_counts_those_in_transit(clock):
    queue = RequestQueue(2, 64, clock)
    usual(queue, 4.0)
    for _ in range(4):
        assert queue.refuse_on_arrival(LONG) is None
    assert queue.refuse_on_arrival(1.0).wait == 6.0  # two take the slots, two wait: the third is done in 6 seconds
