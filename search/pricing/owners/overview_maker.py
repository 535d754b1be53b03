"""Keep the overview of a served shop's prices recent: start the process that checks them. Light: imports no numpy."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from catalog.files.child_environment import child_environment
from catalog.home import ShopHome
from search.pricing.owners.price_overview import OverviewSummary, PriceOverview

RECENT_S = 600.0  # age of an overview before a new check is started
WORK_SHARE = 20  # times as long as a check took, for how long it is recent too
RETRY_S = 60.0  # from one start of a check to the next, so that one that fails is not repeated at once
READY, MAKING, FAILED = "ready", "making", "failed"

log = logging.getLogger(__name__)


def is_recent(home: Path, summary: OverviewSummary | None, now: float) -> bool:
    """Return whether an overview need not be made again: a large shop is checked less often than a small one.

    Costs or limits that were written since are a reason to check.
    """
    if summary is None or now - summary.at >= max(RECENT_S, WORK_SHARE * summary.seconds):
        return False
    shop = ShopHome(home)
    written = [int(path.stat().st_mtime) for path in (shop.costs, shop.price_limits) if path.is_file()]
    return not any(summary.at < at <= now for at in written)


class OverviewMaker:
    """Starts the checks of one server; at most one runs at a time."""

    def __init__(self, home: Path) -> None:
        self.overview = PriceOverview(home)
        self._home = home
        self._command = [sys.executable, "-m", "search.pricing.owners.overview_process", str(home)]
        self._lock = threading.Lock()
        self._checking: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started = -RETRY_S
        self._failed = self._closed = False

    def state(self) -> tuple[str, OverviewSummary | None]:
        """Return the state and the summary, which may be of an earlier check; start a check where it is old."""
        summary = self.overview.summary()
        if is_recent(self._home, summary, time.time()):
            return READY, summary
        with self._lock:
            running = self._checking is not None and self._checking.is_alive()
            if not running and not self._closed and time.monotonic() - self._started >= RETRY_S:
                self._started, running = time.monotonic(), True
                self._checking = threading.Thread(target=self._check, name="check-prices", daemon=True)
                self._checking.start()
            if running:
                return MAKING, summary
            return (FAILED if self._failed or summary is None else READY), summary

    def open_table(self, wait_s: float) -> TextIO | None:
        """Open the table of advice of the last check, as CSV; wait a while for the first one, None without."""
        path = ShopHome(self._home).price_advice
        self.state()
        if not path.is_file():
            self.wait(wait_s)
        try:
            return path.open(encoding="utf-8", newline="")
        except FileNotFoundError:
            return None

    def wait(self, timeout_s: float) -> None:
        """Wait for the running check; for tests and tools."""
        if self._checking is not None:
            self._checking.join(timeout_s)

    def close(self) -> None:
        """End the check; the overview that there is stays."""
        self._closed = True
        if self._process is not None:
            self._process.terminate()
        self.wait(timeout_s=60.0)

    def _check(self) -> None:
        try:
            with subprocess.Popen(self._command, stdin=subprocess.DEVNULL, env=child_environment()) as self._process:
                self._failed = self._process.wait() != 0
        except OSError as error:
            self._failed = True
            log.error("The prices cannot be checked: %s", error)
