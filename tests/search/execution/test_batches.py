"""Batches of several callers: what waits runs together, and one that fails, hangs or comes too late costs no other."""

import threading
from collections import deque
from dataclasses import replace
from time import monotonic

import pytest

from catalog.errors import DeadlineExceeded, Overloaded, StepFailed
from search.execution.batches import MAX_PENDING, MAX_ROWS, BatchQueue
from search.execution.deadlines import PICTURES, TEXTS, Deadline, StepRunner
from tests.timing import wait_for

LONG = Deadline.within(10**9)  # milliseconds, from when this module is imported


@pytest.fixture
def steps():
    steps = StepRunner()
    yield steps
    steps.close()


class Work:
    """Doubles numbers and notes each batch; the batches that stand in `held` wait until they are let go."""

    def __init__(self, held=()):
        self.batches, self.bad = [], set()
        self.held = deque(held)
        self.entered = threading.Semaphore(0)

    def __call__(self, rows):
        self.batches.append(list(rows))
        gate = self.held.popleft() if self.held else None
        self.entered.release()
        if gate is not None:
            assert gate.wait(300)
        if self.bad & set(rows):
            raise ValueError(f"bad: {self.bad & set(rows)}")
        return [2 * row for row in rows]


def begin(steps, work, *rows, deadline=LONG, name=PICTURES):
    return steps.begin_batched(name, deadline, work, rows)


def held_up(steps, work):
    """Begin a batch that hangs at a gate; the step and the gate."""
    gate = threading.Event()
    work.held.append(gate)
    step = begin(steps, work, 0)
    assert work.entered.acquire(timeout=300)
    return step, gate


def test_one_that_comes_alone_begins_at_once(steps):
    work = Work()
    assert begin(steps, work, 3, 4).result() == [6, 8]
    assert work.batches == [[3, 4]]


def test_what_comes_while_a_batch_runs_is_the_next_batch(steps):
    work = Work()
    first, gate = held_up(steps, work)
    others = [begin(steps, work, number, 10 * number) for number in (1, 2, 3)]
    gate.set()
    assert [step.result() for step in (first, *others)] == [[0], [2, 20], [4, 40], [6, 60]]
    assert work.batches == [[0], [1, 10, 2, 20, 3, 30]]


def test_a_batch_has_one_kind_of_work_and_no_more_rows_than_it_may(steps):
    work, other = Work(), Work()
    _, gate = held_up(steps, work)
    full = begin(steps, work, *range(MAX_ROWS - 1))
    foreign = begin(steps, other, 7)
    small, large = begin(steps, work, 1), begin(steps, work, 2, 3)
    gate.set()
    assert foreign.result() == [14] and (small.result(), large.result()) == ([2], [4, 6])
    assert full.result() == [2 * number for number in range(MAX_ROWS - 1)]
    assert work.batches == [[0], [*range(MAX_ROWS - 1), 1], [2, 3]] and other.batches == [[7]]


def test_more_rows_than_a_batch_may_have_run_alone(steps):
    work = Work()
    assert len(begin(steps, work, *range(3 * MAX_ROWS)).result()) == 3 * MAX_ROWS


def test_a_row_that_fails_costs_no_other(steps):
    work = Work()
    work.bad = {2}
    _, gate = held_up(steps, work)
    good, bad, fine = (begin(steps, work, number) for number in (1, 2, 3))
    gate.set()
    assert (good.result(), fine.result()) == ([2], [6])
    with pytest.raises(StepFailed, match="pictures"):
        bad.result()
    assert work.batches == [[0], [1, 2, 3], [1], [2], [3]]


def test_what_is_late_before_its_batch_is_not_run(steps):
    work = Work()
    _, gate = held_up(steps, work)
    passed = Deadline(monotonic() - 1)
    late, timely = begin(steps, work, 1, deadline=passed), begin(steps, work, 2)
    with pytest.raises(DeadlineExceeded):
        late.result()
    unasked = begin(steps, work, 3, deadline=passed)  # late, and its caller has not looked yet
    gate.set()
    assert timely.result() == [4]
    wait_for(unasked.future.done)
    with pytest.raises(DeadlineExceeded):
        unasked.result()
    assert work.batches == [[0], [2]]
    assert dict(steps.counts()[0].dropped)["late"] == 2


def test_a_batch_that_hangs_holds_up_the_next_only_while_somebody_waits_for_it(steps):
    work = Work()
    gate = threading.Event()
    work.held.append(gate)
    hung = begin(steps, work, 1)
    assert work.entered.acquire(timeout=300)
    with pytest.raises(DeadlineExceeded, match="encoder of pictures"):
        replace(hung, deadline=Deadline(monotonic() - 1)).result()  # its time is over while it runs
    assert begin(steps, work, 2).result() == [4]
    gate.set()
    assert begin(steps, work, 3).result() == [6]
    assert work.batches == [[1], [2], [3]]


def test_so_many_batches_run_at_once_and_what_comes_meanwhile_is_the_next():
    queue, work = BatchQueue("encoder", at_once=2), Work()
    gates = [threading.Event(), threading.Event()]
    work.held.extend(gates)
    running = []
    for number in (1, 2):
        running.append(queue.submit(work, [number], LONG.at))
        assert work.entered.acquire(timeout=300)
    waiting = [queue.submit(work, [number], LONG.at) for number in (3, 4)]
    assert work.batches == [[1], [2]]
    gates[0].set()
    assert [item.future.result(300) for item in waiting] == [[6], [8]]
    gates[1].set()
    assert [item.future.result(300) for item in running] == [[2], [4]]
    assert work.batches[2:] == [[3, 4]]
    queue.close()


def test_pictures_run_on_all_cores_and_texts_in_one_batch():
    steps, work = StepRunner(cores=2), Work()
    gates = [threading.Event(), threading.Event()]
    work.held.extend(gates)
    held = [begin(steps, work, 0), begin(steps, work, 1, name=TEXTS)]
    assert work.entered.acquire(timeout=300) and work.entered.acquire(timeout=300)
    text = begin(steps, work, 2, name=TEXTS)
    assert begin(steps, work, 3).result() == [6]
    assert not text.future.done()
    for gate in gates:
        gate.set()
    assert [step.result() for step in (*held, text)] == [[0], [2], [4]]
    steps.close()


def test_pictures_that_hang_hold_up_no_texts(steps):
    work = Work()
    _, gate = held_up(steps, work)
    assert begin(steps, work, 5, name=TEXTS).result() == [10]
    gate.set()


def test_too_many_are_refused_at_once_and_those_dropped_make_room(steps):
    work = Work()
    _, gate = held_up(steps, work)
    waiting = [begin(steps, work, number) for number in range(MAX_PENDING)]
    with pytest.raises(Overloaded, match="Too many requests wait"):
        begin(steps, work, 1)
    waiting[0].drop()
    assert dict(steps.counts()[0].dropped) == {"late": 0, "full": 1}, "dropped, but not late"
    assert begin(steps, work, 1) and steps.counts()[0].pending == MAX_PENDING
    gate.set()
    assert [step.result() for step in waiting[1:]] == [[2 * number] for number in range(1, MAX_PENDING)]


def test_closing_refuses_what_waits_and_leaves_no_thread():
    before = set(threading.enumerate())
    queue, work = BatchQueue("encoder"), Work()
    gate = threading.Event()
    work.held.append(gate)
    running = queue.submit(work, [1], LONG.at)
    assert work.entered.acquire(timeout=300)
    waiting = queue.submit(work, [2], LONG.at)
    queue.close()
    with pytest.raises(Overloaded):
        waiting.future.result(300)
    with pytest.raises(Overloaded, match="is being closed"):
        queue.submit(work, [3], LONG.at)
    assert dict(queue.counts().dropped) == {"late": 0, "full": 0}
    gate.set()
    assert running.future.result(300) == [2]
    wait_for(lambda: not any(thread.name == "batch-encoder" for thread in set(threading.enumerate()) - before))


def test_many_callers_get_their_own_results_and_one_thread_does_the_work(steps):
    work, wrong, before = Work(), [], set(threading.enumerate())

    def ask(number):
        for turn in range(50):
            if begin(steps, work, number, turn).result() != [2 * number, 2 * turn]:
                wrong.append((number, turn))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sum(map(len, work.batches)) == 8 * 50 * 2
    assert sum(thread.name == f"batch-{PICTURES}" for thread in set(threading.enumerate()) - before) == 1
    counts = steps.counts()[0]
    (_, batches), (_, waits) = counts.sizes[0][-1], counts.waits[0][-1]
    assert (counts.pending, batches, waits, counts.sizes[1]) == (0, len(work.batches), 400, 800)
