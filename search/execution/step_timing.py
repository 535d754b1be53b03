"""Where the time of an answer goes: whoever listens in the thread that asks is told of each step as it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter

ENCODE, SEARCH, METADATA = "encode", "search", "metadata"  # vectors of a question; rows and words; facts of products

OnStep = Callable[[str, float], None]

_listener: ContextVar[OnStep | None] = ContextVar("listener", default=None)
_inner: ContextVar[list[float]] = ContextVar("inner")  # seconds of the steps inside the present one


@contextmanager
def listen(on_step: OnStep) -> Iterator[None]:
    """Call `on_step(name, seconds)` at the end of each step of this thread, for as long as the block lasts."""
    before = _listener.set(on_step)
    try:
        yield
    finally:
        _listener.reset(before)


@contextmanager
def timed(name: str) -> Iterator[None]:
    """The block is a step: seconds by the clock, waiting for a thread included, those of steps inside it left out."""
    on_step = _listener.get()
    if on_step is None:
        yield
        return
    within: list[float] = []
    outer, before, began = _inner.get(None), _inner.set(within), perf_counter()
    try:
        yield
    finally:
        took = perf_counter() - began
        _inner.reset(before)
        if outer is not None:
            outer.append(took)
        on_step(name, max(0.0, took - sum(within)))
