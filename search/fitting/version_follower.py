"""Open a shop's fitted models, and open them again whenever another version becomes the current one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic

from catalog.files.atomic import stat_mark
from search.fitting.version_store import Opened, Serving

RETRY_SECONDS = 60.0  # until a version that could not be used is tried again; a repair moves the pointer
_Mark = tuple[int, int, int] | None
log = logging.getLogger(__name__)


class VersionFollower(Generic[Opened]):
    """The models that one shop serves. Threads share it.

    Whoever has taken `models` goes on with them; the memory of a former version is free once nobody has it.
    """

    def __init__(self, pointer: Path, serving: Callable[[], Serving[Opened]], name: str) -> None:
        """Follow the file `pointer`; `serving` opens what is current, and `name` says what it is, for the log."""
        self._file = pointer
        self._open_serving = serving
        self._name = name
        self._lock = threading.Lock()
        self._served: Serving[Opened] = Serving()
        self._mark: _Mark = None
        self._opened = False
        self._retry_at = float("inf")

    @property
    def models(self) -> Opened | None:
        """The models to serve, opened at the first use; None where none are fitted."""
        if not self._opened:
            self.open()
        return self._served.models

    @property
    def degraded(self) -> tuple[str, ...]:
        """A public sentence when the current version cannot be used."""
        return (self._served.degraded,) if self._served.degraded else ()

    def open(self) -> None:
        """Open the models, if they are not open."""
        with self._lock:
            if not self._opened:
                self._look()
                self._opened = True

    def follow(self) -> None:
        """Take over another current version. Does nothing until the models are open, and never fails."""
        with self._lock:
            if self._opened and (self._pointer() != self._mark or time.monotonic() >= self._retry_at):
                self._look()

    def _look(self) -> None:
        former = self._served
        while True:  # a version may be removed while it is opened: then there is a newer one
            self._mark = self._pointer()
            self._served = self._open_serving()
            if self._pointer() == self._mark:
                break
        self._retry_at = time.monotonic() + RETRY_SECONDS if self._served.degraded else float("inf")
        if self._served.degraded and self._served.degraded != former.degraded:
            log.error("%s", self._served.degraded)
        if self._served.models is not None:
            log.info("Version %d of %s is served", self._served.version, self._name)

    def _pointer(self) -> _Mark:
        try:
            return stat_mark(self._file)
        except OSError:
            return None
