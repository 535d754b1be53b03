"""The thread of a server that works on the inbox: woken by each webhook, and looking for what other processes left."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from catalog.errors import StoreError, WindowshopError
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from search.connect.platform_sync import PlatformSync, PlatformWriter

POLL_SECONDS = 2.0
log = logging.getLogger(__name__)


class InboxWorker:
    """Works on the inbox of one shop in a thread, where no other process does so already."""

    def __init__(self, home: Path, sync: Callable[[], PlatformSync], writer: Callable[[], PlatformWriter]) -> None:
        """`sync` opens the inbox; `writer` returns the open engine, or raises WindowshopError while there is none."""
        self._lock_path = ShopHome(home).inbox_lock
        self._sync = sync
        self._writer = writer
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="inbox", daemon=True)

    def start(self) -> None:
        """Start the thread; it begins with what was left when the server stopped."""
        self._thread.start()

    def wake(self) -> None:
        """Have the thread look at the inbox now."""
        self._woken.set()

    def close(self) -> None:
        """End the thread after the documents that it works on."""
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
            except StoreError as error:  # such as a full disk: somebody has to act, but one line about it is enough
                if error.message != stalled:
                    log.warning("The inbox cannot be worked on: %s", error)
                stalled = error.message
            except WindowshopError as error:  # such as a shop that is not open yet
                log.debug("The inbox waits: %s", error.message)
            except Exception:  # whatever it is, the next document must not wait for it
                log.exception("The inbox could not be worked on")
            self._woken.wait(POLL_SECONDS)
            self._woken.clear()

    def _step(self) -> bool:
        """Work on some documents; return whether more may wait."""
        if self._closing.is_set():
            return False
        writer, sync = self._writer(), self._sync()
        self._lock_path.parent.mkdir(exist_ok=True)
        with locked_file(self._lock_path) as ours:
            return ours and sync.step(writer) > 0
