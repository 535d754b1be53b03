"""A bounded queue in front of a server's work: so many requests at once, the others in the order of their arrival.

A request that could not be answered in time any more is refused before anything is done for it. How long requests take
is measured: expected is the mean of the last ones of shoppers.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from catalog.errors import Overloaded
from search.execution.queue_statistics import FULL, LATE, SECONDS, Distribution, QueueCounts

NAME = "requests"
_NEWEST_SHARE = 0.1  # of the last request in the mean, of the first one too, which finds caches cold
MAX_RETRY_S = 30.0


def _held_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Waiter:
    began: float  # seconds of the clock
    until: float
    called: threading.Lock = field(default_factory=_held_lock)  # until it is; an Event takes three locks for that
    admitted: bool = False


class RequestQueue:
    """Admits `slots` requests at once; `length` more wait. Threads share it."""

    def __init__(self, slots: int, length: int, clock: Callable[[], float] = monotonic) -> None:
        self._slots = slots
        self._length = length
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[_Waiter] = deque()
        self._inside = 0
        self._in_transit = 0  # admitted by `refuse_on_arrival`, and not here yet
        self._reservation = threading.local()
        self._mean_s = 0.0  # that a request of a shopper holds its slot
        self._waits = Distribution(SECONDS)
        self._dropped = {LATE: 0, FULL: 0}

    def refuse_on_arrival(self, patience_s: float, wanted_s: float = math.inf) -> Overloaded | None:
        """Return the refusal of a request that `enter` would refuse; None admits it.

        It is in transit, and counts as waiting, from then on. The thread that works on it calls `reserve`, and
        `release` in the end.
        """
        with self._lock:
            ahead = self._inside + len(self._waiting) + self._in_transit - self._slots
            if ahead >= 0 and (reason := self._reason_to_refuse(ahead, self._patience(patience_s, wanted_s))):
                return self._refusal(reason, ahead)
            self._in_transit += 1
            return None

    def reserve(self) -> None:
        """Say that this thread works on a request that `refuse_on_arrival` admitted: its place is this thread's."""
        self._reservation.held = True

    def release(self) -> None:
        """Count this thread's request no longer as in transit: it enters now, or was answered without a slot."""
        with self._lock:
            self._release()

    def enter(self, patience_s: float, wanted_s: float = math.inf) -> float:
        """Take a slot, at most `patience_s` seconds from now; return the seconds waited. Raises Overloaded.

        `wanted_s` is the time in which the answer is wanted: what requests usually take is left of it.
        """
        began = self._clock()
        with self._lock:
            self._release()
            if self._inside < self._slots and not self._waiting:
                self._admit(0.0)
                return 0.0
            patience_s, ahead = self._patience(patience_s, wanted_s), len(self._waiting)
            if reason := self._reason_to_refuse(ahead, patience_s):
                raise self._refusal(reason, ahead)
            waiter = _Waiter(began, began + patience_s)
            self._waiting.append(waiter)
        waiter.called.acquire(timeout=patience_s)
        with self._lock:
            if waiter.admitted:
                return self._clock() - began
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            raise self._refusal(LATE, len(self._waiting))

    def leave(self, held_s: float | None) -> None:
        """Give a slot back that was held so many seconds; the first request that can still be answered takes it.

        None where the time says nothing of how long shoppers' requests take.
        """
        with self._lock:
            self._inside -= 1
            if held_s is not None:
                self._mean_s += (held_s - self._mean_s) * _NEWEST_SHARE
            now = self._clock()
            while self._waiting and self._inside < self._slots:
                waiter = self._waiting.popleft()
                waiter.admitted = now <= waiter.until
                if waiter.admitted:
                    self._admit(now - waiter.began)
                waiter.called.release()

    def counts(self) -> QueueCounts:
        """Return what was counted so far."""
        with self._lock:
            waits = self._waits.cumulative(), self._waits.total
            return QueueCounts(NAME, len(self._waiting), tuple(self._dropped.items()), waits)

    def _release(self) -> None:
        if getattr(self._reservation, "held", False):
            self._reservation.held = False
            self._in_transit -= 1

    def _patience(self, patience_s: float, wanted_s: float) -> float:
        """Return the seconds that a request can wait and still be answered in those that are wanted."""
        return max(0.0, min(patience_s, wanted_s - self._mean_s))

    def _reason_to_refuse(self, ahead: int, patience_s: float) -> str | None:
        """Return why a request behind `ahead` others is not to wait; None where it may."""
        if ahead >= self._length:
            return FULL
        return LATE if self._expected_s(ahead) > patience_s else None

    def _expected_s(self, ahead: int) -> float:
        return self._mean_s * (ahead + 1) / self._slots

    def _admit(self, waited_s: float) -> None:
        self._inside += 1
        self._waits.add(waited_s)

    def _refusal(self, reason: str, ahead: int) -> Overloaded:
        """Count a request that is refused where `ahead` requests wait before it; called with the lock."""
        self._dropped[reason] += 1
        refusal = Overloaded("Too many requests come at once.", "Try again in a moment.")
        refusal.wait = min(MAX_RETRY_S, self._expected_s(ahead))
        return refusal
