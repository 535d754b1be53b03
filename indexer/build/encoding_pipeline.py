"""Encode picture files and titles into the vector caches, in bounded memory.

Child processes decode while this process encodes in batches.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from catalog import images
from catalog.errors import BadPicture, EncoderError
from catalog.files.failpoints import failpoint
from indexer.build.decode_pool import PICTURE_TIMEOUT_S, DecoderPool
from indexer.cache.file_stats import Content, FileStatCache, stamp_of
from indexer.cache.vector_cache import VectorCache, title_key
from indexer.encoders.base import Encoder
from indexer.encoders.picture_input import decode_side
from indexer.layout import RowLayout
from indexer.numeric import chunks
from indexer.types import Floats, Pixels

BATCHES_PER_COMMIT = 64  # encoded before the stats of their files are stored
BATCHES_AHEAD = 2  # of decoded pictures that may wait for the encoder
PICTURES_PER_CHILD = 16  # decoded by one child before a second one starts

Item = TypeVar("Item")
Result = TypeVar("Result")
Tick = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """How many pictures are encoded together, how many children decode meanwhile, and how long one picture may take."""

    batch_size: int = 32
    decode_children: int = 2
    picture_seconds: float = PICTURE_TIMEOUT_S

    def decoders(self, pictures: int) -> DecoderPool:
        """Return a pool for so many pictures, to be closed; a child starts only when there is something to decode."""
        return DecoderPool(min(self.decode_children, 1 + pictures // PICTURES_PER_CHILD), self.picture_seconds)

    def threads(self) -> ThreadPoolExecutor:
        """Return threads that wait for the children: twice as many, so that a child that has answered has work."""
        return ThreadPoolExecutor(2 * self.decode_children, thread_name_prefix="decode")


@dataclass(slots=True)
class PictureResults:
    """Content hash and upright size of each picture file by path, the reason for each unusable one, and the work."""

    hashes: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    encoded: int = 0
    decoded: int = 0
    decode_seconds: float = 0.0
    encode_seconds: float = 0.0

    @property
    def distinct(self) -> int:
        """How many different contents the files have."""
        return len(set(self.hashes.values()))

    @property
    def reused(self) -> int:
        """How many different contents the cache had a vector of."""
        return self.distinct - self.encoded

    def add_file(self, loaded: LoadedPicture) -> None:
        """Add the result of one file."""
        self.decode_seconds += loaded.seconds
        self.decoded += loaded.pixels is not None
        if loaded.broken:
            self.broken[loaded.path] = loaded.broken
        else:
            self.hashes[loaded.path] = loaded.sha256
            self.sizes[loaded.path] = loaded.size

    def add(self, other: PictureResults) -> None:
        """Add the results of other files."""
        self.hashes |= other.hashes
        self.sizes |= other.sizes
        self.broken |= other.broken
        self.encoded += other.encoded
        self.decoded += other.decoded
        self.decode_seconds += other.decode_seconds
        self.encode_seconds += other.encode_seconds


@dataclass(frozen=True, slots=True)
class LoadedPicture:
    """One file read: its content hash and size, and its pixels unless the cache has its vector or it is broken."""

    path: str
    sha256: str = ""
    size: tuple[int, int] = (0, 0)
    pixels: Pixels | None = None
    broken: str = ""
    seconds: float = 0.0


class PictureLoader:
    """Reads one picture file into the encoder's input; the decode threads call it."""

    def __init__(self, encoder: Encoder, cache: VectorCache | None, decoders: DecoderPool) -> None:
        self._encoder = encoder
        self._cache = cache
        self._decoders = decoders
        self._at_least = decode_side(encoder)

    def __call__(self, path: str) -> LoadedPicture:
        """Read and hash a file, and decode it unless the cache has its vector. `broken` says why it is unusable."""
        start = time.perf_counter()
        try:
            if (cached := self._cached(path)) is not None:
                return cached
            decoded = self._decoders.decode(path, self._at_least)
        except BadPicture as error:
            return LoadedPicture(path, broken=error.message)
        pixels = self._encoder.prepare(decoded.picture)
        return LoadedPicture(path, decoded.sha256, decoded.size, pixels, seconds=time.perf_counter() - start)

    def _cached(self, path: str) -> LoadedPicture | None:
        """Return the file when the cache has its vector: these bytes were decoded before, so this process may."""
        if self._cache is None:
            return None
        data = images.read_file(Path(path))
        sha256 = images.content_hash(data)
        if self._cache.get(bytes.fromhex(sha256)) is None:
            return None
        return LoadedPicture(path, sha256, images.size_of(data))


def encode_pictures(
    paths: Sequence[str], encoder: Encoder, cache: VectorCache, options: PipelineOptions, tick: Tick
) -> PictureResults:
    """Put the vector of every picture file into the cache; files with equal content are encoded once."""
    with options.decoders(len(paths)) as decoders:
        return _encode_with(decoders, paths, encoder, cache, options, tick)


def encode_files(
    paths: Sequence[str],
    encoder: Encoder,
    cache: VectorCache,
    files: FileStatCache,
    options: PipelineOptions,
    tick: Tick,
) -> PictureResults:
    """As `encode_pictures`, and store the files' stats on the way, so that an interrupted run keeps its work."""
    results = PictureResults()
    with options.decoders(len(paths)) as decoders:
        for part in chunks(len(paths), BATCHES_PER_COMMIT * options.batch_size):
            stamps = {path: stamp for path in paths[part] if (stamp := stamp_of(path)) is not None}
            done = _encode_with(decoders, paths[part], encoder, cache, options, tick)
            files.remember(stamps, {path: Content(sha256, *done.sizes[path]) for path, sha256 in done.hashes.items()})
            failpoint("files.remembered")
            results.add(done)
    return results


def inspect_files(paths: Sequence[str], encoder: Encoder, options: PipelineOptions, tick: Tick) -> PictureResults:
    """Return what `encode_files` would find: read, hash and decode, but encode and store nothing."""
    results = PictureResults()
    with (
        options.decoders(len(paths)) as decoders,
        closing(_loaded(PictureLoader(encoder, None, decoders), paths, options)) as pictures,
    ):
        for loaded in pictures:
            results.add_file(loaded)
            tick(1)
    return results


def encode_titles(titles: Iterable[str], encoder: Encoder, cache: VectorCache, batch_size: int, tick: Tick) -> int:
    """Put the text block of every different title into the cache; return how many were not there yet."""
    layout = RowLayout(encoder.blocks)
    assert layout.text_block is not None, "the caller passes only encoders that read text"
    span = layout.slice(layout.text_block)
    unknown = {title for title in set(titles) if cache.get(title_key(title)) is None}
    missing = sorted(unknown, key=lambda title: (len(title), title))  # equal lengths waste no padding
    for part in chunks(len(missing), batch_size):
        batch = missing[part]
        cache.put(map(title_key, batch), _require_finite(encoder.encode_texts(batch)[:, span], encoder))
        failpoint("titles.encoded")
        tick(len(batch))
    return len(missing)


def map_ahead(
    pool: ThreadPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item], depth: int
) -> Generator[Result]:
    """Yield results in order, at most `depth` items being worked on or waiting; closing cancels what has not begun."""
    window: deque[Future[Result]] = deque()
    try:
        for item in items:
            window.append(pool.submit(function, item))
            if len(window) >= depth:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        for future in window:
            future.cancel()


def _loaded(load: PictureLoader, paths: Sequence[str], options: PipelineOptions) -> Generator[LoadedPicture]:
    with (
        options.threads() as pool,
        closing(map_ahead(pool, load, paths, BATCHES_AHEAD * options.batch_size)) as pictures,
    ):
        yield from pictures


def _encode_with(
    decoders: DecoderPool,
    paths: Sequence[str],
    encoder: Encoder,
    cache: VectorCache,
    options: PipelineOptions,
    tick: Tick,
) -> PictureResults:
    results = PictureResults()
    waiting: dict[bytes, Pixels] = {}
    with closing(_loaded(PictureLoader(encoder, cache, decoders), paths, options)) as pictures:
        for loaded in pictures:
            results.add_file(loaded)
            if loaded.pixels is not None:
                waiting[bytes.fromhex(loaded.sha256)] = loaded.pixels
            if len(waiting) == options.batch_size:
                _encode_batch(encoder, waiting, cache, results)
            tick(1)
        if waiting:
            _encode_batch(encoder, waiting, cache, results)
    return results


def _encode_batch(encoder: Encoder, waiting: dict[bytes, Pixels], cache: VectorCache, results: PictureResults) -> None:
    start = time.perf_counter()
    fresh = {key: pixels for key, pixels in waiting.items() if cache.get(key) is None}
    waiting.clear()
    if fresh:
        vectors = _require_finite(encoder.encode_pixels(np.stack(list(fresh.values()))), encoder)
        failpoint("pictures.encoded")
        cache.put(fresh, vectors)
    results.encoded += len(fresh)
    results.encode_seconds += time.perf_counter() - start


def _require_finite(vectors: Floats, encoder: Encoder) -> Floats:
    if not np.isfinite(vectors).all():
        raise EncoderError(
            f"The encoder {encoder.spec.name!r} gave numbers that are not finite.", "Try --runtime torch."
        )
    return vectors
