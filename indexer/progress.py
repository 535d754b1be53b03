"""Show the progress of long work: a bar with the time left on a terminal, log lines elsewhere, or as a caller wants."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from tqdm import tqdm

from catalog.logs import TEXT, chosen_format

ITEMS_PER_LOG_LINE = 1_000
BAR = "{desc}: {percentage:3.0f}% {bar:24} {n_fmt} of {total_fmt}, {remaining} left"
ReportStep = Callable[[str, int, int], object]  # what is done, items done, items in all
log = logging.getLogger(__name__)
_reporter: ContextVar[ReportStep | None] = ContextVar("reporter", default=None)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], object]]:
    """Yield a function to call with the number of items just done."""
    report = _reporter.get()
    if report is not None:
        yield _counted(what, total, report)
    elif shows_bars() and total:
        with tqdm(total=total, desc=what, bar_format=BAR, leave=False, file=sys.stderr, dynamic_ncols=True) as bar:
            yield bar.update
    else:
        yield _counted(what, total, _thousands_logged())


@contextmanager
def reporting_to(report: ReportStep) -> Iterator[None]:
    """Report all progress within the block to a function, and show none."""
    token = _reporter.set(report)
    try:
        yield
    finally:
        _reporter.reset(token)


def shows_bars() -> bool:
    """Return whether somebody watches: stderr is a terminal, and the log has readable lines."""
    return sys.stderr.isatty() and chosen_format() == TEXT


class StepBars:
    """Shows the steps of long work that reports (what, done, total): a bar for one step after another."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __enter__(self) -> StepBars:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show how far a step is; another `what` begins another bar."""
        if not shows_bars():
            return
        if self._bar is None or self._bar.desc != what:
            self.__exit__()
            self._bar = tqdm(desc=what, bar_format=BAR, leave=False, file=sys.stderr, dynamic_ncols=True, total=total)
        self._bar.total = total
        self._bar.update(done - self._bar.n)


def _counted(what: str, total: int, report: ReportStep) -> Callable[[int], object]:
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        report(what, done, total)

    report(what, 0, total)
    return count


def _thousands_logged() -> ReportStep:
    """Return a function that logs how far work is each time that it has passed another thousand items."""
    logged = 0

    def report(what: str, done: int, total: int) -> None:
        nonlocal logged
        if done // ITEMS_PER_LOG_LINE > logged:
            logged = done // ITEMS_PER_LOG_LINE
            log.info("%s: %s of %s", what, f"{done:,}", f"{total:,}")

    return report
