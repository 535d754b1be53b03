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
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np

from catalog import images
from catalog.errors import BadPicture, EncoderError
from catalog.files.failpoints import failpoint
from indexer.build.decode_pool import PICTURE_TIMEOUT_S, DecoderPool
from indexer.cache.file_stats import Content, FileStatCache, stamp_of
from indexer.cache.vector_cache import VectorCache, colour_cache_key, title_cache_key
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.encoders.picture_input import decode_side
from indexer.layout import RowLayout
from indexer.numeric import batches, chunks
from indexer.progress import progress
from indexer.types import Floats, Pixels

BATCHES_PER_COMMIT = 64  # encoded before the stats of their files are stored
BATCHES_AHEAD = 2  # batches of decoded pictures that may wait for the encoder
LOADED_TOGETHER = 8  # picture files that one thread reads in a turn
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


@dataclass(slots=True)
class PictureResults:
    """The content of each picture file by path, the reason for each unusable one, and the work."""

    contents: dict[str, Content] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    encoded: int = 0
    decoded: int = 0
    decode_seconds: float = 0.0
    encode_seconds: float = 0.0

    @property
    def distinct(self) -> int:
        """How many different contents the files have."""
        return len({content.sha256 for content in self.contents.values()})

    @property
    def reused(self) -> int:
        """How many different contents the cache had a vector of."""
        return self.distinct - self.encoded

    def add(self, other: PictureResults) -> None:
        """Add the results of other files."""
        self.contents |= other.contents
        self.broken |= other.broken
        self.encoded += other.encoded
        self.decoded += other.decoded
        self.decode_seconds += other.decode_seconds
        self.encode_seconds += other.encode_seconds


class PictureLoader:
    """Reads one picture file into the encoder's input; the decode threads call it."""

    def __init__(self, encoder: Encoder, cache: VectorCache | None, decoders: DecoderPool) -> None:
        self.encoder = encoder
        self.cache = cache
        self._decoders = decoders
        self.coloured: set[bytes] = set()  # hashes of files read so far whose profile changes their colours
        self._at_least = decode_side(encoder)

    def vector_is_cached(self, key: bytes) -> bool:
        """Return whether the cache has the vector of a content, in the colours that it has by its profile."""
        if self.cache is None or self.cache.get(key) is None:
            return False
        return key not in self.coloured or self.cache.get(colour_cache_key(key)) is not None

    def __call__(self, path: str) -> tuple[PictureResults, Pixels | None]:
        """Return a file's results, and the encoder's input when the file has to be encoded."""
        start = time.perf_counter()
        try:
            if (cached := self._cached(path)) is not None:
                return PictureResults({path: cached}), None
            decoded = self._decoders.decode(path, self._at_least)
        except BadPicture as error:
            return PictureResults(broken={path: error.message}), None
        pixels = None if self.cache is None else self.encoder.prepare(decoded.picture)
        if decoded.coloured:
            self.coloured.add(bytes.fromhex(decoded.sha256))
        results = PictureResults({path: Content(decoded.sha256, *decoded.size)}, decoded=1)
        results.decode_seconds = time.perf_counter() - start
        return results, pixels

    def load_some(self, paths: Sequence[str]) -> list[tuple[PictureResults, Pixels | None]]:
        """Return what the calls for these files do, those without pixels as one: for each alone, turns cost more."""
        known, found = PictureResults(), []
        for path in paths:
            results, pixels = self(path)
            if pixels is None:
                known.add(results)
            else:
                found.append((results, pixels))
        return [(known, None), *found]

    def _cached(self, path: str) -> Content | None:
        """Return a file's content when the cache has its vector: it was decoded before, so this process may."""
        if self.cache is None:
            return None
        data = images.read_file(Path(path))
        sha256 = images.content_hash(data)
        key = bytes.fromhex(sha256)
        if self.cache.get(key) is None:
            return None
        size, coloured = images.size_and_colours(data)
        if coloured:
            self.coloured.add(key)
            if self.cache.get(colour_cache_key(key)) is None:
                return None
        return Content(sha256, *size)


def encode_pictures(
    paths: Sequence[str],
    encoder: Encoder,
    cache: VectorCache | None,
    options: PipelineOptions,
    files: FileStatCache | None = None,
) -> PictureResults:
    """Put the vector of every picture file into the cache; files with equal content are encoded once.

    Stores the stats in `files` on the way, so that an interrupted run keeps its work. Without a cache, the pictures are
    read, hashed and decoded only.
    """
    results = PictureResults()
    children = min(options.decode_children, 1 + len(paths) // PICTURES_PER_CHILD)
    with DecoderPool(children, options.picture_seconds) as decoders, progress("pictures", len(paths)) as tick:
        load = PictureLoader(encoder, cache, decoders)
        for part in chunks(len(paths), BATCHES_PER_COMMIT * options.batch_size):
            stamps = {path: stamp for path in paths[part] if (stamp := stamp_of(path)) is not None}
            done = _encode_part(load, paths[part], options, tick)
            results.add(done)
            if files is not None:
                files.remember(stamps, done.contents)
                failpoint("files.remembered")
    return results


def encode_titles(titles: Iterable[str], encoder: Encoder, cache: VectorCache | None, batch_size: int) -> int:
    """Put the text block of every different title into the cache, if there is one; return how many were new.

    Encodes as many at once as the encoder wants, at least `batch_size`; an interruption loses no more than these.
    """
    if cache is None:
        return 0
    layout = RowLayout(encoder.blocks)
    assert layout.text_block is not None, "there is a cache of titles only for an encoder that reads text"
    span = layout.slice(layout.text_block)
    distinct = set(titles)
    unknown = [title for title in distinct if cache.get(title_cache_key(title)) is None]
    missing = sorted(unknown, key=lambda title: (len(title), title))  # equal lengths waste no padding
    if isinstance(encoder, BaseEncoder):
        batch_size = max(batch_size, encoder.text_batch_size)
    with progress("titles", len(distinct)) as tick:
        for part in chunks(len(missing), batch_size):
            batch = missing[part]
            cache.put(map(title_cache_key, batch), _require_finite(encoder.encode_texts(batch)[:, span], encoder))
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


def _encode_part(load: PictureLoader, paths: Sequence[str], options: PipelineOptions, tick: Tick) -> PictureResults:
    results = PictureResults()
    depth = max(1, BATCHES_AHEAD * options.batch_size // LOADED_TOGETHER)
    waiting: dict[bytes, Pixels] = {}
    with (
        ThreadPoolExecutor(2 * options.decode_children, "decode") as pool,  # a child that has answered has work waiting
        closing(map_ahead(pool, load.load_some, batches(paths, LOADED_TOGETHER), depth)) as pictures,
    ):
        for loaded, pixels in chain.from_iterable(pictures):
            results.add(loaded)
            if pixels is not None:
                (content,) = loaded.contents.values()
                waiting[bytes.fromhex(content.sha256)] = pixels
            if len(waiting) == options.batch_size:
                _encode_batch(load, waiting, results)
            tick(len(loaded.contents) + len(loaded.broken))
        _encode_batch(load, waiting, results)
    return results


def _encode_batch(load: PictureLoader, waiting: dict[bytes, Pixels], results: PictureResults) -> None:
    if load.cache is None or not waiting:
        return
    start = time.perf_counter()
    fresh = {key: pixels for key, pixels in waiting.items() if not load.vector_is_cached(key)}
    waiting.clear()
    if fresh:
        vectors = _require_finite(load.encoder.encode_pixels(np.stack(list(fresh.values()))), load.encoder)
        failpoint("pictures.encoded")
        load.cache.put(fresh, vectors)
        coloured = [number for number, key in enumerate(fresh) if key in load.coloured]
        if coloured:
            keys = list(fresh)
            load.cache.put([colour_cache_key(keys[number]) for number in coloured], vectors[coloured])
    results.encoded += len(fresh)
    results.encode_seconds += time.perf_counter() - start


def _require_finite(vectors: Floats, encoder: Encoder) -> Floats:
    if not np.isfinite(vectors).all():
        raise EncoderError(
            f"The encoder {encoder.spec.name!r} gave numbers that are not finite.", "Try --runtime torch."
        )
    return vectors
