"""Fit a shop's models in the background: `python -m search.recommend.learning.fit_process HOME`, at a low priority.

A server starts it (`fit_supervisor`); it ends when its standard input is closed, because then the server has ended.
Its supervisor gives it one thread, and `low_priority` gives it only the time that nobody else wants.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

from catalog.errors import WindowshopError
from catalog.logs import write_logs
from search.fitting.priority import low_priority
from search.recommend.learning.fit import fit

log = logging.getLogger(__name__)


def main(home: Path) -> int:
    """Fit, measure and publish; return the exit code."""
    try:
        with low_priority(idle=True):
            report = fit(home)
    except WindowshopError as error:
        log.error("The recommender's models were not fitted: %s", error)
        return 1
    log.info("%s", report.message)
    return 0


def _end_with_parent() -> None:
    """End when the process that started this one ends: it never writes to this one's standard input."""
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    write_logs()
    sys.exit(main(Path(sys.argv[1])))
