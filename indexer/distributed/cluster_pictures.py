"""Encode picture files on workers: this process reads and hashes the files, and sends each unknown content once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from catalog import images
from catalog.errors import BadPicture
from indexer.build.encoding_pipeline import (
    BATCHES_PER_COMMIT,
    PictureResults,
    PipelineOptions,
    Tick,
    require_finite,
)
from indexer.cache.file_stats import Content, FileStatCache, stamp_of
from indexer.cache.known_pictures import KnownPictures
from indexer.cache.vector_cache import VectorCache
from indexer.distributed.encoding_worker import PictureBatch
from indexer.distributed.worker_pool import WorkerCall, WorkerPool
from indexer.encoders.base import Encoder
from indexer.numeric import chunks
from indexer.progress import progress

MAX_BATCH_BYTES = 2**24  # of picture files in one batch, unless one file has more


class ClusterPictures:
    """Puts the vectors of picture files into the cache, as `encode_pictures` does."""

    def __init__(self, pool: WorkerPool, encoder: Encoder, cache: VectorCache, options: PipelineOptions) -> None:
        self._pool = pool
        self._encoder = encoder
        self._cache = cache
        self._known = KnownPictures(cache)
        self._batch_size = options.batch_size
        self._paths: dict[str, list[str]] = {}  # by the hash of a content that is at a worker

    def encode(self, paths: Sequence[str], files: FileStatCache | None) -> PictureResults:
        """Encode the files. Stores the stats of files on the way, so that an interrupted run keeps its work."""
        results = PictureResults()
        with progress("pictures", len(paths)) as tick:
            for part in chunks(len(paths), BATCHES_PER_COMMIT * self._batch_size):
                stamps = {path: stamp for path in paths[part] if (stamp := stamp_of(path)) is not None}
                done = self._encode_part(paths[part], tick)
                results.add(done)
                if files is not None:
                    files.remember(stamps, done.contents)
        return results

    def _encode_part(self, paths: Sequence[str], tick: Tick) -> PictureResults:
        results = PictureResults()
        for job, batch in self._pool.run(self._jobs(paths, results, tick)):
            self._store(job.tag, batch, results, tick)
        return results

    def _jobs(self, paths: Sequence[str], results: PictureResults, tick: Tick) -> Iterator[WorkerCall]:
        """Yield batches of contents that the cache lacks; note the others, and files that cannot be read."""
        hashes: list[str] = []
        contents: list[bytes] = []
        for path in paths:
            try:
                data = images.read_file(Path(path))
                sha256, content = self._known.look_up(data)
            except BadPicture as error:
                results.broken[path] = error.message
                tick(1)
                continue
            if content is not None:
                results.contents[path] = content
                tick(1)
            elif sha256 in self._paths:
                self._paths[sha256].append(path)
            else:
                self._paths[sha256] = [path]
                hashes.append(sha256)
                contents.append(data)
            if len(hashes) == self._batch_size or sum(map(len, contents)) >= MAX_BATCH_BYTES:
                yield WorkerCall("encode_pictures", contents, hashes)
                hashes, contents = [], []
        if hashes:
            yield WorkerCall("encode_pictures", contents, hashes)

    def _store(self, hashes: Sequence[str], batch: PictureBatch, results: PictureResults, tick: Tick) -> None:
        """Put a batch's vectors into the cache, and note each file's content or what is wrong with it."""
        vectors = require_finite(np.asarray(batch.vectors, np.float32), self._encoder)
        good: list[bytes] = []
        for sha256, answer in zip(hashes, batch.answers, strict=True):
            key = bytes.fromhex(sha256)
            if not answer.broken:
                good.append(key)
                if answer.coloured:
                    self._known.coloured.add(key)
            for path in self._paths.pop(sha256):
                if answer.broken:
                    results.broken[path] = answer.broken
                else:
                    results.contents[path] = Content(sha256, *answer.size)
                tick(1)
        self._known.store(dict(zip(good, vectors, strict=True)))
        results.encoded += len(good)
        results.decoded += len(good)
        results.decode_seconds += batch.decode_seconds
        results.encode_seconds += batch.encode_seconds
