"""Supervise the process that works on a shop's bulk jobs: start it when there is work, restart it when it dies.

Light: it imports the job store and the standard library, but no numpy, so that servers start fast.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

from catalog.files.child_environment import child_environment
from search.bulk.job_store import JobStore

RESTART_DELAY_S = 2.0  # pause after a worker has died
log = logging.getLogger(__name__)


class WorkerSupervisor:
    """The bulk jobs of a serving shop and the process that works on them."""

    def __init__(self, home: Path, runtime: str = "auto") -> None:
        self.home = home
        self.jobs = JobStore(home)
        self._command = [sys.executable, "-m", "search.bulk.worker", str(home), runtime]
        self._lock = threading.Lock()
        self._watching: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()

    def ensure(self) -> None:
        """Start a worker if there is a job to do and none is running."""
        with self._lock:
            watched = self._watching is not None and self._watching.is_alive()
            if not watched and not self._closing.is_set() and self.jobs.next() is not None:
                self._watching = threading.Thread(target=self._watch, name="bulk-jobs", daemon=True)
                self._watching.start()

    def close(self) -> None:
        """Stop the worker; the next one repeats the batch that was not finished."""
        self._closing.set()
        process = self._process
        if process is not None:
            process.terminate()
        if self._watching is not None:
            self._watching.join()

    def _watch(self) -> None:
        while not self._closing.is_set() and self.jobs.next() is not None:
            with subprocess.Popen(self._command, stdin=subprocess.PIPE, env=child_environment()) as process:
                self._process = process
                if self._closing.is_set():
                    process.terminate()
                process.wait()
            if process.returncode and not self._closing.is_set():
                log.error("The bulk worker ended with exit status %s", process.returncode)
                self._closing.wait(RESTART_DELAY_S)
