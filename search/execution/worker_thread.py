"""A thread of a server that works off what waits: woken when something comes, and looking again after a while."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod


class WorkerThread(ABC):
    """Calls `step` until nothing more waits, then sleeps until it is woken or `poll_seconds` are over.

    A subclass says in `failed` what becomes of an error, whatever it is: the next step is tried all the same.
    """

    def __init__(self, name: str, poll_seconds: float) -> None:
        self._poll_seconds = poll_seconds
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._problem = ""
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread; it begins with what was left when the server stopped."""
        self._thread.start()

    def wake(self) -> None:
        """Have the thread look for work now."""
        self._woken.set()

    def close(self) -> None:
        """End the thread after the step that it works on."""
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    @abstractmethod
    def _step(self) -> bool:
        """Do some of the work; return whether more may wait."""

    @abstractmethod
    def _failed(self, error: Exception) -> None:
        """Log an error of a step; called where it is handled."""

    def _report_once(self, log: logging.Logger, message: str, error: Exception, text: str) -> None:
        """Log an error that somebody has to act on, such as a full disk; one line is enough while it stays the same."""
        if text != self._problem:
            log.warning(message, error)
        self._problem = text

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                while self._step():
                    pass
                self._problem = ""
            except Exception as error:
                self._failed(error)
            self._woken.wait(self._poll_seconds)
            self._woken.clear()
