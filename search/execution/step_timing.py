"""Step timing: each timed block reports its name and seconds, nested steps excluded, to the current listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter

ENCODE, SEARCH, METADATA = "encode", "search", "metadata"  # query vectors; rows and texts; facts of products

OnStep = Callable[[str, float], None]

_listener: ContextVar[OnStep | None] = ContextVar("listener", default=None)
_inner: ContextVar[list[float]] = ContextVar("inner")  # seconds of the steps nested in the current one


@contextmanager
def listen(on_step: OnStep) -> Iterator[None]:
    """Call `on_step(name, seconds)` at the end of each step of this context, within the block."""
    before = _listener.set(on_step)
    try:
        yield
    finally:
        _listener.reset(before)


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Report the block as a step: wall-clock seconds, waiting for a thread included, nested steps excluded."""
    on_step = _listener.get()
    if on_step is None:
        yield
        return
    nested: list[float] = []
    outer, before, started = _inner.get(None), _inner.set(nested), perf_counter()
    try:
        yield
    finally:
        seconds = perf_counter() - started
        _inner.reset(before)
        if outer is not None:
            outer.append(seconds)
        on_step(name, max(0.0, seconds - sum(nested)))
