"""The arm of a visitor who is served: of the experiment that runs, recorded when it is first seen."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from pathlib import Path
from time import monotonic

from catalog.errors import StoreError
from search.recommend.experiments.experiment import Arm, Experiment
from search.recommend.experiments.experiment_store import ExperimentStore

REREAD_SECONDS = 1.0  # between looks for the experiment that runs
RETRY_SECONDS = 1.0  # without a write after one that failed, so that not every shopper waits for it
MAX_SEEN = 100_000  # exposures remembered, so that each is written once
log = logging.getLogger(__name__)

_Seen = tuple[str, int | None, bytes, str]  # name and start of the experiment, visitor, and name of the arm


class Experiments:
    """Assigns the visitors of one shop to arms, to none while it is not `enabled`. Threads share it."""

    def __init__(self, home: Path) -> None:
        self.store = ExperimentStore(home)
        self.enabled = True
        self._lock = threading.Lock()
        self._running: Experiment | None = None
        self._read_at = float("-inf")
        self._write_from = float("-inf")
        self._seen: OrderedDict[_Seen, None] = OrderedDict()

    def assign(self, visitor: bytes, surface: str) -> Arm | None:
        """Return the arm of a visitor, a keyed hash, who is shown a surface; None while no experiment runs.

        That the visitor saw the arm is recorded only on surfaces on which the arms differ.
        A shop whose file cannot be read has no experiment, and where it cannot be written the visitor is counted the
        next time: shoppers get an answer all the same.
        """
        try:
            if not self.enabled or (experiment := self._current()) is None:
                return None
        except StoreError as error:
            log.error("No experiment runs: %s", error)
            return None
        arm = experiment.assign(visitor)
        if surface in experiment.surfaces:
            self._expose(experiment, visitor, arm.name)
        return arm

    def forget(self, visitor: bytes) -> None:
        """Remove the exposures of a visitor. Raises StoreError."""
        with self._lock:
            for seen in [seen for seen in self._seen if seen[2] == visitor]:
                del self._seen[seen]
        self.store.forget(visitor)

    def _current(self) -> Experiment | None:
        with self._lock:
            if monotonic() - self._read_at >= REREAD_SECONDS:
                self._read_at, self._running = monotonic(), None  # also when it fails
                self._running = self.store.running()
            return self._running

    def _expose(self, experiment: Experiment, visitor: bytes, arm: str) -> None:
        seen = (experiment.name, experiment.started, visitor, arm)
        with self._lock:
            if seen in self._seen or monotonic() < self._write_from:
                return
        try:
            self.store.expose(experiment, visitor, arm)
        except StoreError as error:
            log.error("A visitor is not counted: %s", error)
            self._write_from = monotonic() + RETRY_SECONDS
            return
        with self._lock:
            self._seen[seen] = None
            if len(self._seen) > MAX_SEEN:
                self._seen.popitem(last=False)
