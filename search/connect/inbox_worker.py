"""The thread of a server that works on the inbox: woken by each webhook, and looking for what other processes left."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from catalog.errors import StoreError, WindowshopError
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from search.connect.platform_sync import PlatformSync, PlatformWriter
from search.execution.worker_thread import WorkerThread

POLL_SECONDS = 2.0
log = logging.getLogger(__name__)


class InboxWorker(WorkerThread):
    """Works on the inbox of one shop in a thread, where no other process does so already."""

    def __init__(self, home: Path, sync: Callable[[], PlatformSync], writer: Callable[[], PlatformWriter]) -> None:
        """`sync` opens the inbox; `writer` returns the open engine, or raises WindowshopError while there is none."""
        super().__init__("inbox", POLL_SECONDS)
        self._lock_path = ShopHome(home).inbox_lock
        self._sync = sync
        self._writer = writer

    def _step(self) -> bool:
        """Work on some documents; return whether more may wait."""
        if self._closing.is_set():
            return False
        writer, sync = self._writer(), self._sync()
        self._lock_path.parent.mkdir(exist_ok=True)
        with locked_file(self._lock_path) as ours:
            return ours and sync.step(writer) > 0

    def _failed(self, error: Exception) -> None:
        if isinstance(error, StoreError):
            self._report_once(log, "The inbox cannot be worked on: %s", error, error.message)
        elif isinstance(error, WindowshopError):  # such as a shop that is not open yet
            log.debug("The inbox waits: %s", error.message)
        else:  # whatever it is, the next document must not wait for it
            log.exception("The inbox could not be worked on")
