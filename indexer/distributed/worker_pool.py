"""Give batches to the workers of a Ray cluster; a worker that is lost costs the batches that it had."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from catalog import errors
from catalog.errors import EncoderUnavailable, WindowshopError
from indexer.distributed.encoding_worker import Refusal

BATCHES_PER_WORKER = 2  # one is worked on while the next one travels
MAX_ATTEMPTS = 3  # workers that a batch may cost, or that may be lost one after the other without a batch done
WAIT_S = 30.0  # after which a warning says that no worker has started
log = logging.getLogger(__name__)


@dataclass(slots=True)
class WorkerCall:
    """A call of a worker's method with one argument; `tag` is the caller's own, `attempts` counts workers lost."""

    method: str
    argument: Any
    tag: Any
    attempts: int = 0


class WorkerPool:
    """Workers on a cluster that hold one encoder; `start` starts one there, an actor of EncodingWorker.

    Workers start with the first batch, and take batches once they have opened the encoder. A lost one is replaced, and
    its batches go to others.
    """

    def __init__(self, ray: Any, start: Callable[[], Any], workers: int, fingerprint: str) -> None:
        self._ray = ray
        self._start = start
        self._fingerprint = fingerprint
        self._opening: dict[Any, Any] = {}  # what the worker's answer will be -> the worker
        self._running: dict[Any, tuple[Any, WorkerCall]] = {}
        self._free: deque[Any] = deque()  # workers, once for each batch that each may have besides
        self._workers = workers
        self._lost: set[Any] = set()
        self._lost_in_a_row = 0
        self._losses = (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError)

    def run(self, jobs: Iterable[WorkerCall]) -> Iterator[tuple[WorkerCall, Any]]:
        """Yield each job with its result as they are done. Raises what a worker refused, and EncoderUnavailable."""
        waiting, again = iter(jobs), deque[WorkerCall]()
        job = next(waiting, None)
        if job is not None and not self._free and not self._opening:
            for _ in range(self._workers):
                self._start_one()
        while job is not None or again or self._running:
            while self._free and (again or job is not None):
                if again:
                    self._give(self._free.popleft(), again.popleft())
                elif job is not None:
                    self._give(self._free.popleft(), job)
                    job = next(waiting, None)
            for done in self._done():
                worker, finished = self._running.pop(done)
                try:
                    result = self._result(done)
                except self._losses as error:
                    again.append(self._retried(finished, error))
                    self._replace(worker, error)
                    continue
                self._lost_in_a_row = 0
                if worker not in self._lost:
                    self._free.append(worker)
                yield finished, result

    def close(self) -> None:
        """End the workers."""
        for worker in {*self._opening.values(), *self._free, *(worker for worker, _ in self._running.values())}:
            self._kill(worker)

    def _done(self) -> list[Any]:
        """Wait for one answer; return the batches that are done, and open workers that have started."""
        done, _ = self._ray.wait([*self._running, *self._opening], num_returns=1, timeout=WAIT_S)
        if not done and not self._running:
            log.warning("No worker of the cluster has started yet; `ray status` there says what it has free.")
        for started in [answer for answer in done if answer in self._opening]:
            self._open(started)
        return [answer for answer in done if answer in self._running]

    def _result(self, answer: Any) -> Any:
        """Return what a worker answered. Raises what it refused, losses, EncoderUnavailable for other errors."""
        try:
            return _accepted(self._ray.get(answer))
        except self._losses:
            raise
        except self._ray.exceptions.RayError as error:
            raise _gone("a worker failed", getattr(error, "cause", None) or error) from error

    def _kill(self, worker: Any) -> None:
        with suppress(*self._losses, ValueError):  # a worker may be lost at any moment
            self._ray.kill(worker)

    def _start_one(self) -> None:
        worker = self._start()
        self._opening[worker.open.remote()] = worker

    def _give(self, worker: Any, job: WorkerCall) -> None:
        self._running[getattr(worker, job.method).remote(job.argument)] = (worker, job)

    def _open(self, done: Any) -> None:
        worker = self._opening.pop(done)
        try:
            fingerprint = self._result(done)
        except self._losses as error:
            self._replace(worker, error)
            return
        if fingerprint != self._fingerprint:
            raise EncoderUnavailable(
                "A worker of the cluster gives other vectors than this machine: it has another version of the encoder.",
                "Install the same version of Windowshop and of the encoder's weights on every machine.",
            )
        self._free.extend([worker] * BATCHES_PER_WORKER)

    def _retried(self, job: WorkerCall, error: Exception) -> WorkerCall:
        job.attempts += 1
        if job.attempts == MAX_ATTEMPTS:
            raise _gone(f"{MAX_ATTEMPTS} workers were lost over one batch", error)
        return job

    def _replace(self, worker: Any, error: Exception) -> None:
        """Start another worker for one that is lost, once: its other batches report the loss too."""
        if worker in self._lost:
            return
        self._lost.add(worker)
        self._kill(worker)  # it may be alive, as where only its answer was lost, and would hold its processor
        self._free = deque(free for free in self._free if free is not worker)
        self._lost_in_a_row += 1
        if self._lost_in_a_row > MAX_ATTEMPTS * self._workers:
            raise _gone("its workers end one after the other", error)
        log.warning("A worker of the cluster was lost; another one does its batches.")
        self._start_one()


def _accepted(result: Any) -> Any:
    """Return a worker's result. Raises the error of a refusal."""
    if isinstance(result, Refusal):
        kind = getattr(errors, result.error, WindowshopError)
        raise kind(result.message, result.hint)
    return result


def _gone(what: str, error: Exception) -> EncoderUnavailable:
    reason = str(error).strip().partition("\n")[0]
    return EncoderUnavailable(
        f"The cluster cannot encode: {what}. {reason}", "Ray's logs on the cluster's machines say why (ray status)."
    )
