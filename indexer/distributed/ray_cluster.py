"""Connect to a Ray cluster and encode there: `--on ray://HOST:PORT`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import EncoderUnavailable
from catalog.extras import import_extra
from indexer.build.encoding_pipeline import PictureResults, PipelineOptions
from indexer.cache.file_stats import FileStatCache
from indexer.cache.vector_cache import VectorCache
from indexer.distributed.cluster_pictures import ClusterPictures
from indexer.distributed.encoding_worker import EncoderSource, EncodingWorker
from indexer.distributed.worker_pool import WorkerCall, WorkerPool
from indexer.encoders.base import Encoder
from indexer.encoders.registry import get_spec
from indexer.types import Floats

RAY_SCHEME = "ray://"
HERE = "ray://auto"  # the cluster that this machine is a part of
CONNECTION_ATTEMPTS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Which cluster, how many threads a worker has, and how many workers; by default as many as its CPUs allow."""

    address: str
    threads: int = 1
    workers: int | None = None


class _RayWorker(EncodingWorker):
    """A worker that has its process for itself, and so sets how many threads the encoder may use."""

    def __init__(self, source: EncoderSource, threads: int, picture_seconds: float) -> None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        super().__init__(source, threads, picture_seconds)


class ClusterWorkers:
    """The workers of a cluster as a build uses them (`Workers` of the encoding pipeline)."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool

    def encode_pictures(
        self,
        paths: Sequence[str],
        encoder: Encoder,
        cache: VectorCache,
        options: PipelineOptions,
        files: FileStatCache | None,
    ) -> PictureResults:
        """Put the vector of every picture file into the cache."""
        return ClusterPictures(self._pool, encoder, cache, options).encode(paths, files)

    def encode_texts(self, batches: Iterable[Sequence[str]]) -> Iterator[tuple[Sequence[str], Floats]]:
        """Yield each batch with its rows, float32 (n, dim), in any order."""
        for job, rows in self._pool.run(WorkerCall("encode_texts", list(batch), batch) for batch in batches):
            yield job.tag, np.asarray(rows, np.float32)


@contextmanager
def cluster_workers(
    options: ClusterOptions, encoder: Encoder, source: EncoderSource, picture_seconds: float
) -> Iterator[ClusterWorkers]:
    """Start workers on the cluster that hold the encoder, and end them afterwards.

    Raises MissingExtra, and EncoderUnavailable when there is no such cluster, or when its encoder is another one.
    """
    with _connected(options.address) as ray:
        actor = ray.remote(num_cpus=options.threads, max_restarts=0)(_RayWorker)
        cpus = int(ray.cluster_resources().get("CPU", 0))
        workers = options.workers or max(1, cpus // options.threads)

        def start() -> Any:
            return actor.remote(source, options.threads, picture_seconds)

        with closing(WorkerPool(ray, start, workers, encoder.fingerprint)) as pool:
            yield ClusterWorkers(pool)


def encoder_source(name: str, runtime: str, home: Path) -> EncoderSource:
    """Return how workers open the encoder of that name; heads that the shop trained travel with it."""
    heads = Path(get_spec(name, home).weights)
    trained = heads.is_relative_to(home) and heads.is_file()
    return EncoderSource(name, runtime, heads.read_bytes() if trained else None)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Connect to a cluster, or use the connection that this process has."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = import_extra("ray", "ray", "Encoding on a cluster")
    if ray.is_initialized():
        yield ray
        return
    try:
        _init(ray, "auto" if address == HERE else address)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise EncoderUnavailable(
            f"The cluster {address} cannot be reached: {_reason(error)}",
            "Give ray://HOST:10001 of its head, or ray://auto on one of its machines; `ray status` says how it is.",
        ) from error
    try:
        yield ray
    except ConnectionError as error:
        raise EncoderUnavailable(
            f"The connection to the cluster {address} is lost.", "Run the command again: encoded vectors are stored."
        ) from error
    finally:
        ray.shutdown()


def _init(ray: Any, address: str) -> None:
    """Connect, and try again where the head could not start the process that serves this client.

    That process sometimes dies as it is forked, in one of fourteen starts:
    https://github.com/ray-project/ray/issues/63202.
    """
    for attempt in range(1, CONNECTION_ATTEMPTS + 1):
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            return
        except ConnectionAbortedError as error:
            if attempt == CONNECTION_ATTEMPTS:
                raise
            logger.warning(
                "The cluster %s did not start a process for this client. Trying again: %s", address, _reason(error)
            )


def _reason(error: Exception) -> str:
    """Return the first and the last line of an error; a traceback of the head may stand between."""
    first, *others = str(error).strip().splitlines() or [type(error).__name__]
    return f"{first} {others[-1].strip()}" if others else first
