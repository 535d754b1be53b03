"""Store counts of searches in a thread of its own: those of a second in one transaction, so that no shopper waits.

A server that is killed loses the searches of its last second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from search.execution.worker_thread import WorkerThread
from search.ops.query_log import QueryLog
from search.ops.search_counts import CountedSearch, SearchCounts

WRITE_SECONDS = 1.0  # between two writes
MAX_WAITING = 20_000  # searches, and texts that found something, beyond which the oldest are dropped

log = logging.getLogger(__name__)


class CountWriter(WorkerThread):
    """Counts searches in the files of the shop; starts its thread with the first one. Threads share it."""

    def __init__(self, queries: QueryLog, counts: SearchCounts) -> None:
        super().__init__("count-writer", WRITE_SECONDS)
        self._queries = queries
        self._counts = counts
        self._searches: deque[CountedSearch] = deque(maxlen=MAX_WAITING)
        self._found: deque[tuple[str, float]] = deque(maxlen=MAX_WAITING)
        self._started = False
        self._writing = threading.Lock()

    def add(self, search: CountedSearch) -> None:
        """Count a search soon."""
        self._searches.append(search)
        self._start_once()

    def add_found(self, words: str) -> None:
        """Count soon that a text found something."""
        self._found.append((words, time.time()))
        self._start_once()

    def flush(self) -> None:
        """Store what waits, before it is read or the server ends."""
        with self._writing:
            searches = [self._searches.popleft() for _ in range(len(self._searches))]
            found = [self._found.popleft() for _ in range(len(self._found))]
            if searches:
                self._counts.add_many(searches)
            if found:
                self._queries.add_found_many(found)

    def _start_once(self) -> None:
        if not self._started:
            with self._writing:
                starts, self._started = not self._started, True
            if starts:
                self.start()

    def _step(self) -> bool:
        self.flush()
        return False

    def _failed(self, error: Exception) -> None:
        log.error("Searches were not counted", exc_info=error)
