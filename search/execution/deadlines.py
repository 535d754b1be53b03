"""Steps of an answer that may hang or fail without taking the answer with them: each kind has threads of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from catalog.errors import DeadlineExceeded, StepFailed, WindowshopError
from search.execution.step_timing import ENCODE, SEARCH, timed

ENCODER, VECTOR, LEXICAL, DETECTOR, RECOMMENDER = "encoder", "vector", "lexical", "detector", "recommender"
THREADS = 4  # of one kind of step; a kind that hangs keeps so many busy, and others go on
WAITING = 64  # steps of one kind that may wait for a thread; what comes then is refused at once

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


class PendingStep(Generic[T]):
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
                raise DeadlineExceeded(
                    f"The {self._name} step took too long.", "Ask again, or allow more time."
                ) from None
            log.error("The %s step failed", self._name, exc_info=error)
            raise StepFailed(f"The {self._name} step failed.", "Please try again later.") from error


class StepRunner:
    """Runs steps: on the caller's own thread without a deadline, else on those of the step's kind."""

    def __init__(self) -> None:
        self._pools: dict[str, _Pool] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, deadline: Deadline | None, work: Callable[[], T]) -> PendingStep[T]:
        """Start a step; `result()` waits for it until the deadline."""
        if deadline is not None:
            return PendingStep(name, self._pool(name).submit(work), deadline)
        future: Future[T] = Future()
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        return PendingStep(name, future, None)

    def run(self, name: str, deadline: Deadline | None, work: Callable[[], T]) -> T:
        """Start a step and wait for it."""
        with timed(ENCODE if name in (ENCODER, DETECTOR) else SEARCH):
            return self.begin(name, deadline, work).result()

    def close(self) -> None:
        """Let idle threads go; those that hang end with their step."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _pool(self, name: str) -> _Pool:
        with self._lock:
            if name not in self._pools:
                self._pools[name] = _Pool(name)
            return self._pools[name]


class _Pool:
    """Threads for one kind of step. They never keep the process from ending, and what is late is forgotten at once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._tasks: dict[Future[Any], Callable[[], Any]] = {}  # that wait, in the order in which they came
        self._idle = self._threads = 0
        self._closed = False

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Let a thread do it as soon as one is free. Raises TooLate when too many wait already."""
        future: Future[T] = Future()
        with self._changed:
            if len(self._tasks) >= WAITING:
                raise DeadlineExceeded(f"Too much waits for the {self._name} step.", "Ask again in a moment.")
            self._tasks[future] = work
            future.add_done_callback(self._forget)
            if self._idle < len(self._tasks) and self._threads < THREADS:
                self._threads += 1
                threading.Thread(target=self._serve, name=f"step-{self._name}", daemon=True).start()
            self._changed.notify()
        return future

    def close(self) -> None:
        """Let idle threads end; what waits is not done."""
        with self._changed:
            self._closed = True
            self._tasks.clear()
            self._changed.notify_all()

    def _forget(self, future: Future[Any]) -> None:
        with self._changed:
            self._tasks.pop(future, None)

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                while not self._tasks and not self._closed:
                    self._changed.wait()
                self._idle -= 1
                if self._closed:
                    return
                future = next(iter(self._tasks))
                work = self._tasks.pop(future)
            if future.set_running_or_notify_cancel():
                _do(future, work)
            del future, work


def _do(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # whatever it is, who waits is to have it
        future.set_exception(error)
