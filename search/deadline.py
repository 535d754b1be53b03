"""Steps of an answer that may hang or fail without taking the answer with them: each kind has threads of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

from catalog.errors import StepFailed, TooLate, WindowshopError

ENCODER, VECTOR, LEXICAL, DETECTOR, RECOMMENDER = "encoder", "vector", "lexical", "detector", "recommender"
THREADS = 4  # of one kind of step; a kind that hangs keeps so many busy, and others go on

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which an answer must be there, in seconds of the monotonic clock."""

    at: float

    @classmethod
    def within(cls, timeout_ms: int | None) -> Deadline | None:
        """So many milliseconds from now; None without a limit."""
        return None if timeout_ms is None else cls(monotonic() + timeout_ms / 1000)

    def part(self, share: float) -> Deadline:
        """An earlier moment, when that share of what remains is over."""
        return Deadline(monotonic() + share * self.left)

    @property
    def left(self) -> float:
        """Seconds that remain, 0 at the least."""
        return max(0.0, self.at - monotonic())


class Begun(Generic[T]):
    """A step under way."""

    def __init__(self, name: str, future: Future[T], deadline: Deadline | None) -> None:
        self._name = name
        self._future = future
        self._deadline = deadline

    def result(self) -> T:
        """What the step gave. Raises TooLate when it is not there in time, StepFailed when it broke, or what it raised
        on purpose; without a deadline whatever it raised.
        """
        if self._deadline is None:
            return self._future.result()
        try:
            return self._future.result(self._deadline.left)
        except WindowshopError:
            raise
        except Exception as error:
            if isinstance(error, Late) and not self._future.done():
                self._future.cancel()
                raise TooLate(f"The {self._name} step took too long.", "Ask again, or allow more time.") from None
            log.error("The %s step failed", self._name, exc_info=error)
            raise StepFailed(f"The {self._name} step failed.", "Please try again later.") from error


class Steps:
    """Runs steps: on the caller's own thread without a deadline, else on those of the step's kind."""

    def __init__(self) -> None:
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, deadline: Deadline | None, work: Callable[[], T]) -> Begun[T]:
        """Start a step; `result()` waits for it until the deadline."""
        if deadline is not None:
            return Begun(name, self._pool(name).submit(work), deadline)
        future: Future[T] = Future()
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        return Begun(name, future, None)

    def run(self, name: str, deadline: Deadline | None, work: Callable[[], T]) -> T:
        """Start a step and wait for it."""
        return self.begin(name, deadline, work).result()

    def close(self) -> None:
        """Let idle threads go; those that hang end with their step."""
        with self._lock:
            for pool in self._pools.values():
                pool.shutdown(wait=False, cancel_futures=True)
            self._pools.clear()

    def _pool(self, name: str) -> ThreadPoolExecutor:
        with self._lock:
            if name not in self._pools:
                self._pools[name] = ThreadPoolExecutor(THREADS, f"step-{name}")
            return self._pools[name]
