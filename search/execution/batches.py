"""Do work of one kind in batches: what comes while as many batches run as may is the next batch.

Nothing waits for a batch to fill: one that comes alone begins at once, and measurements found no gain from waiting
(docs/decisions/speed.md).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from numpy.typing import NDArray

from catalog.errors import DeadlineExceeded, Overloaded
from search.execution.queue_statistics import FULL, LATE, SECONDS, SIZES, Distribution, QueueCounts

MAX_ROWS = 16  # of a batch; a larger one takes no less time a row, and its first row waits for its last
MAX_THREADS = 4  # of one queue: at most so many work, and the others replace one whose batch hangs
MAX_PENDING = 64  # items that wait; further ones are refused at once

BatchWork = Callable[[Sequence[Any]], Sequence[Any] | NDArray[Any]]  # rows to as many results, in their order


@dataclass(eq=False, slots=True)
class BatchItem:
    """The rows of one caller, which run together; `give_up` when nobody waits for the results any more."""

    work: BatchWork
    rows: Sequence[Any]
    expires: float  # seconds of the monotonic clock
    future: Future[list[Any]] = field(default_factory=Future)
    began: float = field(default_factory=monotonic)
    batch: _Batch | None = None


@dataclass(eq=False, slots=True)
class _Batch:
    items: list[BatchItem]
    awaited: int  # items that somebody waits for; at 0 the batch does not count as running


class BatchQueue:
    """A bounded queue of items and the threads that work on them, `at_once` batches at a time. Threads share it.

    Items of equal `work` run together. A batch that fails is done again item by item, so that only the item at fault
    fails. When nobody waits for a running batch any more, another thread takes the next one.
    """

    def __init__(self, name: str, at_once: int = 1) -> None:
        self.name = name
        self._at_once = min(at_once, MAX_THREADS)
        self._changed = threading.Condition()
        self._pending: deque[BatchItem] = deque()
        self._running = 0  # batches that somebody waits for, at most `at_once`
        self._threads = self._busy = 0
        self._closed = False
        self._waits, self._sizes = Distribution(SECONDS), Distribution(SIZES)
        self._dropped = {LATE: 0, FULL: 0}

    def submit(self, work: BatchWork, rows: Sequence[Any], expires: float) -> BatchItem:
        """Queue rows, at least one, whose results are wanted by `expires` of the monotonic clock. Raises Overloaded."""
        item = BatchItem(work, rows, expires)
        with self._changed:
            if self._closed:
                raise _closing()
            if len(self._pending) >= MAX_PENDING:
                self._dropped[FULL] += 1
                raise Overloaded(f"Too many requests wait for the {self.name}.", "Try again in a moment.")
            self._pending.append(item)
            self._wake()
        return item

    def give_up(self, item: BatchItem) -> None:
        """Drop an item that nobody waits for; one that runs ends with its batch."""
        with self._changed:
            batch, item.batch = item.batch, None
            if batch is not None:
                batch.awaited -= 1
                if batch.awaited == 0:
                    self._running -= 1
                    self._wake()
            elif item in self._pending:
                self._pending.remove(item)
                self._dropped[LATE] += item.expires <= monotonic()  # else another step of its query failed
        item.future.cancel()

    def counts(self) -> QueueCounts:
        """Return what was counted so far."""
        with self._changed:
            waits = self._waits.cumulative(), self._waits.total
            sizes = self._sizes.cumulative(), self._sizes.total
            return QueueCounts(self.name, len(self._pending), tuple(self._dropped.items()), waits, sizes)

    def close(self) -> None:
        """End idle threads and refuse what waits; a running batch ends first."""
        with self._changed:
            self._closed = True
            pending = list(self._pending)
            self._pending.clear()
            self._changed.notify_all()
        for item in pending:
            _fail(item, _closing())

    def _wake(self) -> None:
        """Have a thread take the next batch; called with the lock."""
        if not self._pending or self._running >= self._at_once:
            return
        if self._threads == self._busy and self._threads < MAX_THREADS:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"batch-{self.name}", daemon=True).start()
        self._changed.notify()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or (self._pending and self._running < self._at_once))
                if self._closed:
                    return
                batch, late = self._next()
                self._busy += 1
            for item in late:
                _fail(item, DeadlineExceeded(f"The {self.name} had no time left.", "Try again, or allow more time."))
            if batch is not None:
                _run(batch.items)
            with self._changed:
                self._busy -= 1
                if batch is not None:
                    self._running -= bool(batch.awaited)
                    for item in batch.items:
                        item.batch = None
                self._wake()
            del batch, late

    def _next(self) -> tuple[_Batch | None, list[BatchItem]]:
        """Take the next batch, and the items before it that are late already; called with the lock."""
        now, rows = monotonic(), 0
        late: list[BatchItem] = []
        chosen: list[BatchItem] = []
        rest: deque[BatchItem] = deque()
        while self._pending:
            item = self._pending.popleft()
            if item.expires <= now:
                late.append(item)
            elif not chosen or (item.work == chosen[0].work and rows + len(item.rows) <= MAX_ROWS):
                chosen.append(item)
                rows += len(item.rows)
            else:
                rest.append(item)
        self._pending = rest
        self._dropped[LATE] += len(late)
        if not chosen:
            return None, late
        batch = _Batch(chosen, len(chosen))
        self._running += 1
        self._sizes.add(rows)
        for item in chosen:
            item.batch = batch
            self._waits.add(now - item.began)
        return batch, late


def _run(items: Sequence[BatchItem]) -> None:
    """Set the results of items of equal work; when they fail together, do each alone."""
    try:
        results = list(items[0].work([row for item in items for row in item.rows]))
    except BaseException as error:  # handed to the caller, which waits for the result
        if len(items) == 1:
            _fail(items[0], error)
        else:
            for item in items:
                if not item.future.cancelled():
                    _run([item])
        return
    start = 0
    for item in items:
        _finish(item, results[start : start + len(item.rows)])
        start += len(item.rows)


def _closing() -> Overloaded:
    return Overloaded("The shop is being closed.", "Try again in a moment.")


def _finish(item: BatchItem, results: list[Any]) -> None:
    if item.future.set_running_or_notify_cancel():  # not given up
        item.future.set_result(results)


def _fail(item: BatchItem, error: BaseException) -> None:
    if item.future.set_running_or_notify_cancel():
        item.future.set_exception(error)
