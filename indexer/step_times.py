"""Time the steps of long work: by the clock, of the processor, and the memory that the process had reached by then."""

from __future__ import annotations

import logging
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of work: how many items, and how long. Decoding is summed over threads and runs alongside encoding.

    `cpu_seconds` are of this process with all its threads, without its children; 0 where they were not measured.
    `peak_memory_mb` is the most memory that the process had used when the step ended.
    """

    name: str
    items: int
    seconds: float
    cpu_seconds: float = 0.0
    peak_memory_mb: float = 0.0

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds if self.seconds > 0 else 0.0

    def body(self) -> dict[str, Any]:
        """Return the step as JSON values."""
        return {
            "items": self.items,
            "seconds": round(self.seconds, 3),
            "per_second": round(self.rate, 1),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "peak_memory_mb": round(self.peak_memory_mb, 1),
        }


class StepTimes:
    """The steps of one run in the order in which they began; a step that comes again is added to."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}

    def add(self, name: str, items: int, seconds: float, cpu_seconds: float = 0.0) -> None:
        """Add work to a step."""
        before = self._steps.get(name, Step(name, 0, 0.0))
        items, seconds, cpu_seconds = before.items + items, before.seconds + seconds, before.cpu_seconds + cpu_seconds
        self._steps[name] = Step(name, items, seconds, cpu_seconds, peak_memory_mb())
        log.debug("step %s: %s", name, self._steps[name].body())

    def all(self) -> tuple[Step, ...]:
        """Return every step."""
        return tuple(self._steps.values())


_times: ContextVar[StepTimes | None] = ContextVar("times", default=None)


@contextmanager
def recording_to(times: StepTimes) -> Iterator[None]:
    """Record the steps within the block to `times`."""
    token = _times.set(times)
    try:
        yield
    finally:
        _times.reset(token)


@contextmanager
def timed_step(name: str, items: int = 0) -> Iterator[None]:
    """Record the block as a step of the work that is recorded now, if any."""
    times = _times.get()
    if times is None:
        yield
        return
    clock, cpu = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        times.add(name, items, time.perf_counter() - clock, time.process_time() - cpu)


def peak_memory_mb() -> float:
    """Return the most memory this process has used, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # macOS counts bytes, Linux KiB
