"""A value of a small shop is of the present state; one that takes long to make holds no request up."""

import threading

import pytest

from search.execution import paused_value
from search.execution.paused_value import PausedValue


def test_what_is_made_quickly_is_of_the_present_state():
    value, made = PausedValue(), []

    def make(state):
        return value.current(state, lambda: made.append(state) or state)

    assert value.made is None
    assert [make(1), make(1), make(2), make(1)] == [1, 1, 2, 1]
    assert made == [1, 2, 1]
    first, second = [], []  # equal, and not the same
    assert make(first) is first
    assert make(second) is second


@pytest.mark.parametrize("background", [True, False])
def test_what_takes_long_is_made_in_the_background(monkeypatch, background):
    monkeypatch.setattr(paused_value, "PROMPT_SECONDS", -1.0)
    monkeypatch.setattr(paused_value, "MAX_PAUSE_SECONDS", 1e-9)
    value, free = PausedValue(), threading.Event()
    assert value.current(1, lambda: "one") == "one"
    if not background:
        assert value.current(2, lambda: "two", background=False) == "two"
        return
    assert value.current(2, lambda: free.wait() and "two") == "one"
    assert value.current(3, lambda: "three") == "one"  # one at a time
    free.set()
    value._making.join()
    assert value.made == "two"


def test_what_takes_long_is_not_made_after_every_change(monkeypatch):
    monkeypatch.setattr(paused_value, "PROMPT_SECONDS", -1.0)
    monkeypatch.setattr(paused_value, "PAUSE_FACTOR", 1e12)
    value = PausedValue()
    assert [value.current(state, lambda: state, background=False) for state in (1, 2)] == [1, 1]  # noqa: B023
