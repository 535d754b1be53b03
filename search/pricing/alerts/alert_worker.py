"""The threads of a server that fire price alerts and send them: woken by each new alert, and looking for changes.

One thread fires and another sends, because a webhook that does not answer holds its thread for seconds at each attempt,
and a price that rises again meanwhile fires nothing.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from catalog.errors import WindowshopError
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import open_catalogue
from search.execution.worker_thread import WorkerThread
from search.pricing.alerts.alert_matcher import AlertMatcher
from search.pricing.alerts.alert_sender import AlertSender
from search.pricing.alerts.alert_store import AlertStore

POLL_SECONDS = 2.0
PRUNE_SECONDS = 3_600.0
log = logging.getLogger(__name__)


class AlertWorker(WorkerThread):
    """Works on the price alerts of one shop in two threads, where no other process does so already."""

    def __init__(
        self, home: Path, store: AlertStore, sender: AlertSender | None, days: float, fires: bool = True
    ) -> None:
        """`sender` is None without a webhook; `days` is how long an alert waits, 0 for no limit.

        Without `fires` old alerts are removed and nothing else is done.
        """
        super().__init__("price-alerts", POLL_SECONDS)
        self._home = ShopHome(home)
        self._store = store
        self._days = days
        self._fires = fires
        self._sending = _SendingThread(self._home, store, sender) if sender is not None and fires else None
        self._catalogue: Catalogue | None = None
        self._matcher: AlertMatcher | None = None
        self._pruned_at = -PRUNE_SECONDS

    def start(self) -> None:
        """Start the threads; they begin with what was left when the server stopped."""
        super().start()
        if self._sending is not None:
            self._sending.start()

    def close(self) -> None:
        """End the threads after their steps, and close the catalogue."""
        super().close()
        if self._sending is not None:
            self._sending.close()
        if self._catalogue is not None:
            self._catalogue.close()
            self._catalogue = self._matcher = None

    def _step(self) -> bool:
        """Judge the next changes, and have what fired sent; return whether more may wait."""
        if self._closing.is_set() or not self._store.file.exists:
            return False
        with locked_file(self._home.price_alert_lock) as ours:
            if not ours:
                return False
            if time.monotonic() - self._pruned_at >= PRUNE_SECONDS:
                self._store.prune(self._days)
                self._pruned_at = time.monotonic()
            matched = self._fires and self._opened().step()
        if matched and self._sending is not None:
            self._sending.wake()
        return matched

    def _opened(self) -> AlertMatcher:
        """Return the matcher, which judges all alerts once when it is made. Raises StoreError, NoGeneration."""
        if self._matcher is None:
            if self._catalogue is None:
                self._catalogue = open_catalogue(self._home.root)
            matcher = AlertMatcher(self._store, self._catalogue, self._sending is not None)
            matcher.judge_all_again()
            self._matcher = matcher
        return self._matcher

    def _failed(self, error: Exception) -> None:
        if isinstance(error, WindowshopError | OSError):
            self._report_once(log, "Price alerts cannot be worked on: %s", error, str(error))
        else:  # whatever it is, the next alert must not wait for it
            log.exception("Price alerts could not be worked on")


class _SendingThread(WorkerThread):
    """Sends what fired, where no other process does so already."""

    def __init__(self, home: ShopHome, store: AlertStore, sender: AlertSender) -> None:
        super().__init__("price-alerts-sending", POLL_SECONDS)
        self._home = home
        self._store = store
        self._sender = sender

    def _step(self) -> bool:
        """Attempt one delivery; return whether more may wait."""
        if self._closing.is_set() or not self._store.file.exists:
            return False
        with locked_file(self._home.price_alert_sending_lock) as ours:
            return ours and self._sender.step()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, WindowshopError | OSError):
            self._report_once(log, "Price alerts cannot be sent: %s", error, str(error))
        else:
            log.exception("Price alerts could not be sent")
