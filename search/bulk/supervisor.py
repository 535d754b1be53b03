"""Supervise the process that works on a shop's bulk jobs: start it when there is work, restart it when it dies.

The process learns the shop's label heads first, if they are missing; a server may start it for that alone. Light: it
imports the job store and the standard library, but no numpy, so that servers start fast.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from catalog.files.child_environment import child_environment
from search.bulk.job_store import JobStore

RESTART_DELAY_S = 2.0  # pause after a worker has died
EXIT_BUSY = 75  # exit code of a worker while another process works on the shop's jobs
NOT_LEARNING, WAITING, LEARNING, READY, FAILED = "", "waiting", "learning", "ready", "failed"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LearningStatus:
    """How far the worker is with the label heads: a state, and the steps done of how many."""

    state: str = NOT_LEARNING
    done: int = 0
    total: int = 0


class WorkerSupervisor:
    """The bulk jobs of a serving shop and the process that works on them."""

    def __init__(self, home: Path, runtime: str = "auto") -> None:
        self.home = home
        self.jobs = JobStore(home)
        self.learning = LearningStatus()
        self._command = [sys.executable, "-m", "search.bulk.worker", str(home), runtime]
        self._lock = threading.Lock()
        self._must_learn = False
        self._watching: threading.Thread | None = None
        self._process: subprocess.Popen[str] | None = None
        self._closing = threading.Event()

    def ensure(self) -> None:
        """Start a worker if there is something to do and none is running."""
        with self._lock:
            watched = self._watching is not None and self._watching.is_alive()
            if not watched and not self._closing.is_set() and self._has_work():
                self._watching = threading.Thread(target=self._watch, name="bulk-jobs", daemon=True)
                self._watching.start()

    def learn(self) -> None:
        """Let a worker learn the shop's label heads, unless it has them; a running worker does so before it ends."""
        self._must_learn = True
        if self.learning.state != LEARNING:
            self.learning = LearningStatus(WAITING)
        self.ensure()

    def close(self) -> None:
        """Stop the worker; the next one repeats the batch that was not finished."""
        self._closing.set()
        process = self._process
        if process is not None:
            process.terminate()
        if self._watching is not None:
            self._watching.join()

    def _has_work(self) -> bool:
        return self._must_learn or self.jobs.next() is not None

    def _watch(self) -> None:
        while not self._closing.is_set() and self._has_work():
            with subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=child_environment()
            ) as process:
                self._process = process
                if self._closing.is_set():
                    process.terminate()
                for line in process.stdout or ():
                    self._note(line.split())
                process.wait()
            if process.returncode not in (0, EXIT_BUSY) and not self._closing.is_set():
                log.error("The bulk worker ended with exit status %s", process.returncode)
                self._give_up_learning()
                self._closing.wait(RESTART_DELAY_S)

    def _note(self, words: list[str]) -> None:
        """Note what the worker reports: "ready", or "learning" and two numbers."""
        if words == [READY]:
            self._must_learn = False
            self.learning = LearningStatus(READY)
        elif len(words) == 3 and words[0] == LEARNING and all(map(str.isdecimal, words[1:])):
            self.learning = LearningStatus(LEARNING, int(words[1]), int(words[2]))

    def _give_up_learning(self) -> None:
        """Learn no more for its own sake once it has failed; the next bulk job tries again."""
        if self.learning.state in (WAITING, LEARNING):
            self._must_learn = False
            self.learning = LearningStatus(FAILED, self.learning.done, self.learning.total)
