"""Limits of time that hold on a slow or busy machine: processor time, and how late the machine wakes a thread."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from subprocess import Popen
from typing import Any

NAP_SECONDS = 0.002
USUAL_SECONDS = 0.010  # processor seconds of the loop in `speed` on the machine that the tests' limits were chosen on


@cache
def speed() -> float:
    """Return how many times more processor time this machine needs than the usual one, at least 1.

    A limit of processor time is multiplied by it. The loop is timed five times, and the least counts.
    """
    spells = []
    for _ in range(5):
        began = time.process_time()
        sum(number * number for number in range(200_000))
        spells.append(time.process_time() - began)
    return max(1.0, min(spells) / USUAL_SECONDS)


def wait_for(reached: Callable[[], object], seconds: float = 300.0) -> None:
    """Ask until the answer is true; the limit only ends a test that hangs."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


class Lateness:
    """Measure, while a block runs, by how many seconds in all a thread that naps for 2 ms at a time wakes too late.

    That is about what a busy machine adds to the wall-clock time of a block that mostly waits: almost nothing where a
    core is idle, half of the time and more with eight busy processes.
    """

    def __enter__(self) -> Lateness:
        self.late, self._ended = 0.0, None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._nap, daemon=True)
        self._began = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = time.perf_counter()
        self._end.set()
        self._thread.join()

    @property
    def seconds(self) -> float:
        """The block's wall-clock time; while it runs, the time so far."""
        return (self._ended or time.perf_counter()) - self._began

    def within(self, limit: float) -> bool:
        """Return whether the block has taken at most `limit` seconds, not counting how late this machine was."""
        return self.seconds <= limit + self.late

    def _nap(self) -> None:
        while not self._end.is_set():
            began = time.perf_counter()
            time.sleep(NAP_SECONDS)
            self.late += max(0.0, time.perf_counter() - began - 1.5 * NAP_SECONDS)


class ProcessorTime:
    """Measure the processor seconds that this process uses while a block runs."""

    def __enter__(self) -> ProcessorTime:
        self.seconds = 0.0
        self._began = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.process_time() - self._began


def processor_seconds(process: Popen[Any]) -> float:
    """Return the processor seconds that a process and its living descendants have used so far."""
    parents, ticks = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            fields = file.read_text().rpartition(")")[2].split()
            pid = int(file.parent.name)
            parents[pid], ticks[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {process.pid}
    while children := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= children
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")
