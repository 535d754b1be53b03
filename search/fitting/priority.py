"""Let shoppers come first: a fit runs at a low priority, on one core, or on at most half of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from threadpoolctl import threadpool_limits

NICENESS = 15
# One thread: a second one would take a core from shoppers wherever a machine has two.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@contextmanager
def low_priority(*, idle: bool = False) -> Iterator[None]:
    """Lower the priority of this process for good, and limit its threads within the block.

    With `idle` it has only the time that no other process wants (Linux, SCHED_IDLE).
    """
    with suppress(OSError):
        os.nice(NICENESS)
    if idle and hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with threadpool_limits(thread_limit(idle=idle)):
        yield


def thread_limit(*, idle: bool) -> int:
    """Return how many threads a fit may use: one with `idle`, else half of the cores or what the environment sets."""
    if idle:
        return 1
    settings = [os.environ.get(name, "") for name in THREADS]
    limits = [int(setting) for setting in settings if setting.isdigit() and int(setting) > 0]
    return min([max(1, (os.cpu_count() or 1) // 2), *limits])
