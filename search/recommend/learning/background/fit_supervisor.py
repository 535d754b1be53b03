"""Start the process that fits a shop's models, and watch it. Light: it imports no numpy, as servers start fast."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

from catalog.extras import check_extra
from catalog.files.child_environment import child_environment
from search.fitting.priority import THREADS
from search.recommend.learning.background.fit_progress import is_fitting

log = logging.getLogger(__name__)


class FitSupervisor:
    """The process of one server that fits models, when there is one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._command = [sys.executable, "-m", "search.recommend.learning.fit_process", str(home)]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def start(self) -> bool:
        """Start a fit in the background; False where one is running, whoever started it. Raises MissingExtra."""
        check_extra("recs", "Fitting the models of recommendations")
        with self._lock:
            if self._closed or self._is_running() or is_fitting(self.home):
                return False
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=child_environment(**THREADS)
            )
        return True

    @property
    def starting(self) -> bool:
        """Whether this server's process runs, be it that it does not hold the lock of fits yet."""
        with self._lock:
            return self._is_running()

    @property
    def killed(self) -> bool:
        """Whether this server's last process ended by a signal, so that its report is of an earlier fit."""
        with self._lock:
            return not self._is_running() and self._process is not None and self._process.returncode < 0

    def wait(self, timeout_s: float) -> None:
        """Wait for the process to end; for tests and tools."""
        if self._process is not None:
            self._process.wait(timeout_s)

    def close(self) -> None:
        """End the process; the served version stays."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.terminate()
                self._process.wait()
                if self._process.stdin is not None:
                    self._process.stdin.close()

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None
