"""The thread of a server that sends hand-overs: woken by each, and looking for what waits to be tried again."""

from __future__ import annotations

import logging
from pathlib import Path

from catalog.errors import StoreError
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from search.assistant.handover.outbox import Outbox
from search.execution.worker_thread import WorkerThread

POLL_SECONDS = 5.0
log = logging.getLogger(__name__)


class OutboxWorker(WorkerThread):
    """Sends what the outbox of one shop has, in a thread, where no other process does so already."""

    def __init__(self, home: Path, outbox: Outbox) -> None:
        super().__init__("outbox", POLL_SECONDS)
        self._home = ShopHome(home)
        self._outbox = outbox

    def _step(self) -> bool:
        """Attempt what is due; return whether more may be."""
        if self._closing.is_set() or not self._home.threads.is_file():
            return False
        self._home.outbox_lock.parent.mkdir(parents=True, exist_ok=True)
        with locked_file(self._home.outbox_lock) as ours:
            return ours and self._outbox.step() > 0

    def _failed(self, error: Exception) -> None:
        if isinstance(error, StoreError | OSError):
            self._report_once(log, "Hand-overs cannot be sent: %s", error, str(error))
        else:  # whatever it is, the next hand-over must not wait for it
            log.exception("A hand-over could not be sent")
