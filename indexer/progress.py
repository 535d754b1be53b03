"""Show the progress of long work: a bar on a terminal, log lines elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

ITEMS_PER_LOG_LINE = 1_000
log = logging.getLogger("windowshop.indexer")


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], object]]:
    """Yield a function to call with the number of items just done."""
    if sys.stderr.isatty():
        with tqdm(total=total, desc=what, unit="", leave=False) as bar:
            yield bar.update
        return
    done = 0

    def count(more: int) -> None:
        nonlocal done
        if done // ITEMS_PER_LOG_LINE < (done + more) // ITEMS_PER_LOG_LINE:
            log.info("%s: %s of %s", what, f"{done + more:,}", f"{total:,}")
        done += more

    yield count
