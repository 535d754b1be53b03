"""A bar on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

EVERY = 1_000
log = logging.getLogger("windowshop.indexer")


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], object]]:
    """Call what is given with the number of items just done."""
    if sys.stderr.isatty():
        with tqdm(total=total, desc=what, unit="", leave=False) as bar:
            yield bar.update
        return
    done = 0

    def count(more: int) -> None:
        nonlocal done
        if done // EVERY < (done + more) // EVERY:
            log.info("%s: %s of %s", what, f"{done + more:,}", f"{total:,}")
        done += more

    yield count
