"""Run the steps of a search under deadlines: one that hangs or fails does not take the page with it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from catalog.errors import DeadlineExceeded, Overloaded, StepFailed, WindowshopError
from search.execution.batches import BatchQueue, BatchWork
from search.execution.queue_statistics import QueueCounts
from search.execution.step_timing import ENCODE, SEARCH, timed

ENCODER, VECTOR, LEXICAL, DETECTOR, RECOMMENDER = "encoder", "vector", "lexical", "detector", "recommender"
PICTURES, TEXTS = "encoder of pictures", "encoder of texts"  # steps that run in batches
MAX_THREADS = 4  # per kind of step; a kind that hangs occupies these, and others continue
MAX_PENDING = 64  # steps of one kind that wait for a thread; further ones are refused at once

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which a page must be ready, in seconds of the monotonic clock."""

    at: float

    @classmethod
    def within(cls, timeout_ms: int | None) -> Deadline | None:
        """Return the deadline `timeout_ms` milliseconds from now; None without a limit."""
        return None if timeout_ms is None else cls(monotonic() + timeout_ms / 1000)

    def fraction(self, share: float) -> Deadline:
        """Return the earlier deadline at which `share` of the remaining time is over."""
        return Deadline(monotonic() + share * self.left)

    @property
    def left(self) -> float:
        """The remaining seconds, at least 0."""
        return max(0.0, self.at - monotonic())

    @property
    def left_ms(self) -> int:
        """The remaining milliseconds, at least 1: the time limit of a query that must be answered by then."""
        return max(1, round(1000 * self.left))


@dataclass(frozen=True, slots=True)
class PendingStep(Generic[T]):
    """A step that was started."""

    name: str
    future: Future[T]
    deadline: Deadline | None
    on_drop: Callable[[], object] | None = None  # what `drop` does for a step that runs in batches

    def drop(self) -> None:
        """Stop waiting for the result; a step that has not begun is not run."""
        self.future.cancel() if self.on_drop is None else self.on_drop()

    def result(self) -> T:
        """Return the result or raise its WindowshopError; DeadlineExceeded when late, StepFailed for other errors."""
        if self.deadline is None:  # any error is the caller's
            return self.future.result()
        try:
            return self.future.result(self.deadline.left)
        except WindowshopError:
            raise
        except Exception as error:
            if isinstance(error, Late) and not self.future.done():
                self.drop()
                hint = "Try again, or allow more time."
                raise DeadlineExceeded(f"The {self.name} step took too long.", hint) from None
            raise _failure(self.name, error) from error


def done_step(name: str, work: Callable[[], T]) -> PendingStep[T]:
    """Do a step on this thread; its result raises what the work raised."""
    future: Future[T] = Future()
    _run(future, work)
    return PendingStep(name, future, None)


@contextmanager
def as_step(name: str, deadline: Deadline | None) -> Iterator[None]:
    """Raise the errors of a block as a step on this thread would: StepFailed for unexpected ones under a deadline."""
    try:
        yield
    except WindowshopError:
        raise
    except Exception as error:
        if deadline is None:  # any error is the caller's
            raise
        raise _failure(name, error) from error


class StepRunner:
    """Runs steps: on the caller's thread without a deadline, else on the threads of the step's kind.

    Steps in batches always run on other threads. `cores` batches of pictures run at a time. One of texts does: in a
    larger batch each costs a fifth less.
    """

    def __init__(self, cores: int = 1) -> None:
        self._pools: dict[str, _Pool] = {}
        self._batches = {name: BatchQueue(name, at_once) for name, at_once in ((PICTURES, cores), (TEXTS, 1))}
        self._lock = threading.Lock()

    def begin(self, name: str, deadline: Deadline | None, work: Callable[[], T]) -> PendingStep[T]:
        """Start a step; `result()` waits for it until the deadline."""
        if deadline is not None:
            return PendingStep(name, self._pool(name).submit(work), deadline)
        return done_step(name, work)

    def begin_batched(
        self, name: str, deadline: Deadline | None, work: BatchWork, rows: Sequence[Any]
    ) -> PendingStep[list[Any]]:
        """Start a step that takes rows to as many results, in one batch with the rows of other callers.

        Without a deadline it has a thread of its own: nobody would give it up, and others would wait for a batch that
        hangs. Raises Overloaded when too many wait.
        """
        if deadline is None:
            future: Future[list[Any]] = Future()
            future.set_running_or_notify_cancel()
            threading.Thread(target=_run, args=(future, lambda: list(work(rows))), name=name).start()
            return PendingStep(name, future, None)
        queue = self._batches[name]
        item = queue.submit(work, rows, deadline.at)
        return PendingStep(name, item.future, deadline, lambda: queue.give_up(item))

    def counts(self) -> list[QueueCounts]:
        """Return what the queues of batches counted so far."""
        return [queue.counts() for queue in self._batches.values()]

    def run(self, name: str, deadline: Deadline | None, work: Callable[[], T]) -> T:
        """Start a step and wait for it."""
        with timed(ENCODE if name in (ENCODER, DETECTOR) else SEARCH):
            return self.begin(name, deadline, work).result()

    def close(self) -> None:
        """End idle threads; a thread that hangs ends with its step."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()
        for queue in self._batches.values():
            queue.close()

    def _pool(self, name: str) -> _Pool:
        with self._lock:
            return self._pools.setdefault(name, _Pool(name))


class _Pool:
    """Threads for one kind of step. They never keep the process from ending, and drop late steps at once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._tasks: dict[Future[Any], Callable[[], Any]] = {}  # pending, in the order of arrival
        self._idle = self._threads = 0
        self._closed = False

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Let a thread run `work` as soon as one is free. Raises Overloaded when too many steps wait already."""
        future: Future[T] = Future()
        with self._changed:
            if len(self._tasks) >= MAX_PENDING:
                raise Overloaded(f"Too many requests wait for the {self._name} step.", "Try again in a moment.")
            self._tasks[future] = work
            future.add_done_callback(self._forget)
            if self._idle < len(self._tasks) and self._threads < MAX_THREADS:
                self._threads += 1
                threading.Thread(target=self._serve, name=f"step-{self._name}", daemon=True).start()
            self._changed.notify()
        return future

    def close(self) -> None:
        """End idle threads; pending steps are not run."""
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
                self._changed.wait_for(lambda: self._tasks or self._closed)
                self._idle -= 1
                if self._closed:
                    return
                future = next(iter(self._tasks))
                work = self._tasks.pop(future)
            if future.set_running_or_notify_cancel():
                _run(future, work)
            del future, work


def _failure(name: str, error: Exception) -> StepFailed:
    log.error("The %s step failed", name, exc_info=error)
    return StepFailed(f"The {name} step failed.", "Please try again later.")


def _run(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # handed to the caller, which waits for the result
        future.set_exception(error)
