"""The thread of a server that sends hand-overs: woken by each, and looking for what waits to be tried again."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from catalog.errors import StoreError
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from search.assistant.handover.outbox import Outbox

POLL_SECONDS = 5.0
log = logging.getLogger(__name__)


class OutboxWorker:
    """Sends what the outbox of one shop has, in a thread, where no other process does so already."""

    def __init__(self, home: Path, outbox: Outbox) -> None:
        self._home = ShopHome(home)
        self._outbox = outbox
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)

    def start(self) -> None:
        """Start the thread; it begins with what was left when the server stopped."""
        self._thread.start()

    def wake(self) -> None:
        """Have the thread look for something to send now."""
        self._woken.set()

    def close(self) -> None:
        """End the thread after the delivery that it attempts."""
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        stalled = ""
        while not self._closing.is_set():
            try:
                while self._step():
                    pass
                stalled = ""
            except (StoreError, OSError) as error:  # somebody has to act, but one line about it is enough
                if str(error) != stalled:
                    log.warning("Hand-overs cannot be sent: %s", error)
                stalled = str(error)
            except Exception:  # whatever it is, the next hand-over must not wait for it
                log.exception("A hand-over could not be sent")
            self._woken.wait(POLL_SECONDS)
            self._woken.clear()

    def _step(self) -> bool:
        """Attempt what is due; return whether more may be."""
        if self._closing.is_set() or not self._home.threads.is_file():
            return False
        self._home.outbox_lock.parent.mkdir(parents=True, exist_ok=True)
        with locked_file(self._home.outbox_lock) as ours:
            return ours and self._outbox.step() > 0
