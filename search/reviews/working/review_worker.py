"""The thread of a server that analyses new reviews, slowly enough that searches hardly notice."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from catalog.errors import StoreError, WindowshopError
from catalog.files.locks import locked_file
from catalog.home import ShopHome
from catalog.reviews.review_store import ReviewStore
from search.reviews.working.analysis_run import QUICK_FROM, TextAnalyser, analyse_batch, refresh_all

POLL_SECONDS = 3.0
BATCH_REVIEWS, QUICK_REVIEWS = 8, 128  # in a batch
REST = 1.0  # times as long as a batch took, so that half of one processor is left
NICENESS = 10
log = logging.getLogger(__name__)


class ReviewWorker:
    """Analyses the reviews of one shop in a thread, where no other process does so already.

    `open_analyser` is called once there are reviews that wait, with whether a quick one is wanted because there are so
    many of them; it raises WindowshopError where there is no model.
    """

    def __init__(self, home: Path, open_analyser: Callable[[bool], TextAnalyser]) -> None:
        self._store = ReviewStore(home)
        self._lock_path = ShopHome(home).review_lock
        self._open_analyser = open_analyser
        self._analysers: dict[bool, TextAnalyser] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="reviews", daemon=True)

    def start(self) -> None:
        """Start the thread; it begins with what was left when the server stopped."""
        self._thread.start()

    def close(self) -> None:
        """End the thread after the batch that it works on."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self) -> bool:
        """Analyse a batch, where reviews wait and no other process does so; return whether more may wait."""
        waiting = self._store.count_unanalysed()
        if not waiting:
            self._store.refresh()
            return False
        self._lock_path.parent.mkdir(exist_ok=True)
        with locked_file(self._lock_path) as ours:
            if not ours:
                return False
            quick = waiting >= QUICK_FROM
            if quick not in self._analysers:
                self._analysers[quick] = self._open_analyser(quick)
            done = analyse_batch(self._store, self._analysers[quick], QUICK_REVIEWS if quick else BATCH_REVIEWS)
            refresh_all(self._store, self._closing.is_set)
        return done > 0

    def _work(self) -> None:
        with suppress(OSError, AttributeError):  # on Linux a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        problem = ""
        while not self._closing.is_set():
            begun, more = time.monotonic(), False
            try:
                more = self.step()
                problem = ""
            except WindowshopError as error:  # a full disk, or a shop without the model: one line is enough
                if error.message != problem:
                    level = logging.WARNING if isinstance(error, StoreError) else logging.INFO
                    log.log(level, "Reviews are not analysed: %s", error)
                problem = error.message
            except Exception:  # whatever it is, the next review must not wait for it
                log.exception("Reviews could not be analysed")
            self._closing.wait(REST * (time.monotonic() - begun) if more else POLL_SECONDS)
