"""Let shoppers come first: a fit runs at a low priority, on at most half of the cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from threadpoolctl import threadpool_limits

NICENESS = 15


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
    with threadpool_limits(max(1, (os.cpu_count() or 1) // 2)):
        yield
