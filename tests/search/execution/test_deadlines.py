"""Steps under a deadline: late and broken ones are told apart, and one kind that hangs holds up no other."""

import gc
import threading
import time
import weakref

import pytest

from catalog.errors import BadQuery, DeadlineExceeded, Overloaded, StepFailed
from search.execution.deadlines import MAX_PENDING, MAX_THREADS, Deadline, StepRunner, as_step
from tests.timing import Lateness


@pytest.fixture
def steps():
    steps = StepRunner()
    yield steps
    steps.close()


@pytest.fixture
def hanging():
    """Work that hangs until the test is over."""
    over = threading.Event()
    yield lambda: over.wait(300)
    over.set()


def test_without_a_deadline_work_is_done_at_once_on_the_callers_thread(steps):
    assert steps.run("encoder", None, threading.get_ident) == threading.get_ident()


def test_with_one_it_is_done_on_another_thread(steps):
    assert steps.run("encoder", Deadline.within(60_000), threading.get_ident) != threading.get_ident()


def test_what_is_late_is_said_to_be_late_in_time(steps, hanging):
    with Lateness() as wait, pytest.raises(DeadlineExceeded, match="encoder"):
        steps.run("encoder", Deadline.within(50), hanging)
    assert wait.within(1.0)


def test_a_kind_that_hangs_holds_up_no_other(steps, hanging):
    for _ in range(2 * MAX_THREADS):
        steps.begin("encoder", Deadline.within(5), hanging)
    assert steps.run("lexical", Deadline.within(60_000), lambda: 7) == 7
    with pytest.raises(DeadlineExceeded):
        steps.run("encoder", Deadline.within(20), lambda: 7)


def test_what_is_late_is_forgotten_and_too_much_is_refused(steps, hanging):
    class Picture:
        pass

    pictures = [Picture() for _ in range(MAX_PENDING)]
    alive = [weakref.ref(picture) for picture in pictures]
    for _ in range(MAX_THREADS):
        steps.begin("encoder", Deadline.within(5), hanging)
    time.sleep(0.05)
    begun = [steps.begin("encoder", Deadline.within(1), lambda kept=picture: kept) for picture in pictures]
    with pytest.raises(Overloaded, match="Too many requests wait"):
        steps.begin("encoder", Deadline.within(1), hanging)
    del pictures
    for each in begun:
        with pytest.raises(DeadlineExceeded):
            each.result()
    del begun, each
    gc.collect()
    assert [ref() for ref in alive if ref() is not None] == []


def broken():
    raise ZeroDivisionError


def refused():
    raise BadQuery("no")


def slow_itself():
    raise TimeoutError


def test_what_breaks_is_a_failure_of_ours(steps):
    for work in (broken, slow_itself):
        with pytest.raises(StepFailed, match="vector"):
            steps.run("vector", Deadline.within(60_000), work)


def test_a_block_fails_as_a_step_does():
    deadline = Deadline.within(60_000)
    for work, limit, error in (
        (broken, deadline, StepFailed),
        (slow_itself, deadline, StepFailed),
        (refused, deadline, BadQuery),
        (broken, None, ZeroDivisionError),
    ):
        with pytest.raises(error), as_step("encoder", limit):
            work()


def test_what_was_raised_on_purpose_comes_through(steps):
    for deadline in (None, Deadline.within(60_000)):
        with pytest.raises(BadQuery):
            steps.run("vector", deadline, refused)
    with pytest.raises(ZeroDivisionError):
        steps.run("vector", None, broken)


def test_no_time_is_left_after_the_deadline():
    deadline = Deadline.within(1)
    time.sleep(0.01)
    assert deadline.left == 0.0
    assert Deadline.within(None) is None
