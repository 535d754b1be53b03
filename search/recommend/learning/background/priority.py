"""Let shoppers come first: a fit runs at a low priority, on at most half of the cores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from threadpoolctl import threadpool_limits

NICENESS = 15  # with 19 a busy machine would hardly run it


@contextmanager
def low_priority() -> Iterator[None]:
    """Lower the priority of this process for good, and limit its threads within the block."""
    with suppress(OSError):
        os.nice(NICENESS)
    with threadpool_limits(max(1, (os.cpu_count() or 1) // 2)):
        yield
