"""Encode picture files and titles into the vector caches, in bounded memory.

Child processes decode while this process encodes in batches.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from catalog import images
from catalog.errors import BadPicture, EncoderError
from catalog.files.failpoints import failpoint
from indexer.build.decode_pool import PICTURE_TIMEOUT_S, DecoderPool
from indexer.cache.file_stats import Content, FileStatCache, stamp_of
from indexer.cache.known_pictures import KnownPictures
from indexer.cache.vector_cache import VectorCache, title_cache_key
from indexer.encoders.base import BaseEncoder, Encoder
from indexer.encoders.picture_input import decode_side
from indexer.layout import RowLayout
from indexer.numeric import batches, chunks
from indexer.progress import progress
from indexer.types import Floats, Pixels

BATCHES_PER_COMMIT = 64  # encoded before the stats of their files are stored
TITLES_PER_WORKER = 512  # in one batch on a cluster; a worker that is lost loses so many
BATCHES_AHEAD = 2  # batches of decoded pictures that may wait for the encoder
LOADED_TOGETHER = 8  # picture files that one thread reads in a turn
PICTURES_PER_CHILD = 16  # decoded by one child before a second one starts

Item = TypeVar("Item")
Result = TypeVar("Result")
Tick = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """How many pictures are encoded together, how many children decode meanwhile, and how long one picture may take.

    `workers` encode instead of this process.
    """

    batch_size: int = 32
    decode_children: int = 2
    picture_seconds: float = PICTURE_TIMEOUT_S
    workers: Workers | None = None


class Workers(Protocol):
    """What encodes pictures and titles elsewhere, with the vectors and messages of a local run."""

    def encode_pictures(
        self,
        paths: Sequence[str],
        encoder: Encoder,
        cache: VectorCache,
        options: PipelineOptions,
        files: FileStatCache | None,
    ) -> PictureResults:
        """Put the vector of every picture file into the cache, as the function of that name does."""

    def encode_texts(self, batches: Iterable[Sequence[str]]) -> Iterator[tuple[Sequence[str], Floats]]:
        """Yield each batch with its rows, float32 (n, dim), in any order."""


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

    def __init__(self, encoder: Encoder, known: KnownPictures | None, decoders: DecoderPool) -> None:
        self.encoder = encoder
        self.known = known
        self._decoders = decoders
        self._at_least = decode_side(encoder)

    def __call__(self, path: str) -> tuple[PictureResults, Pixels | None]:
        """Return a file's results, and the encoder's input when the file has to be encoded."""
        start = time.perf_counter()
        try:
            if self.known is not None:
                _, content = self.known.look_up(images.read_file(Path(path)))
                if content is not None:
                    return PictureResults({path: content}), None
            decoded = self._decoders.decode(path, self._at_least)
        except BadPicture as error:
            return PictureResults(broken={path: error.message}), None
        pixels = None
        if self.known is not None:
            pixels = self.encoder.prepare(decoded.picture)
            if decoded.coloured:
                self.known.coloured.add(bytes.fromhex(decoded.sha256))
        results = PictureResults({path: Content(decoded.sha256, *decoded.size)}, decoded=1)
        results.decode_seconds = time.perf_counter() - start
        return results, pixels

    def encode(self, pictures: Mapping[bytes, Pixels]) -> tuple[Mapping[bytes, Floats], float, float]:
        """Return the vectors of prepared pictures by content, and when that began and ended. Raises EncoderError."""
        start = time.perf_counter()
        vectors = require_finite(self.encoder.encode_pixels(np.stack(list(pictures.values()))), self.encoder)
        return dict(zip(pictures, vectors, strict=True)), start, time.perf_counter()

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
    if options.workers is not None and cache is not None:
        return options.workers.encode_pictures(paths, encoder, cache, options, files)
    results = PictureResults()
    children = min(options.decode_children, 1 + len(paths) // PICTURES_PER_CHILD)
    with DecoderPool(children, options.picture_seconds) as decoders, progress("pictures", len(paths)) as tick:
        load = PictureLoader(encoder, None if cache is None else KnownPictures(cache), decoders)
        for part in chunks(len(paths), BATCHES_PER_COMMIT * options.batch_size):
            stamps = {path: stamp for path in paths[part] if (stamp := stamp_of(path)) is not None}
            done = _encode_part(load, paths[part], options, tick)
            results.add(done)
            if files is not None:
                files.remember(stamps, done.contents)
                failpoint("files.remembered")
    return results


def encode_titles(titles: Iterable[str], encoder: Encoder, cache: VectorCache | None, options: PipelineOptions) -> int:
    """Put the text block of every different title into the cache, if there is one; return how many were new.

    Encodes as many at once as the encoder wants, at least the batch size; an interruption loses no more than these.
    """
    if cache is None:
        return 0
    layout = RowLayout(encoder.blocks)
    assert layout.text_block is not None, "there is a cache of titles only for an encoder that reads text"
    span = layout.slice(layout.text_block)
    distinct = set(titles)
    unknown = [title for title in distinct if cache.get(title_cache_key(title)) is None]
    missing = sorted(unknown, key=lambda title: (len(title), title))  # equal lengths waste no padding
    with progress("titles", len(distinct)) as tick:
        for batch, rows in _encoded_texts(missing, encoder, options):
            cache.put(map(title_cache_key, batch), require_finite(rows[:, span], encoder))
            failpoint("titles.encoded")
            tick(len(batch))
    return len(missing)


def _encoded_texts(
    texts: Sequence[str], encoder: Encoder, options: PipelineOptions
) -> Iterator[tuple[Sequence[str], Floats]]:
    if options.workers is not None and texts:
        return options.workers.encode_texts(texts[part] for part in chunks(len(texts), TITLES_PER_WORKER))
    wanted = encoder.text_batch_size if isinstance(encoder, BaseEncoder) else 0
    parts = chunks(len(texts), max(options.batch_size, wanted))
    return ((texts[part], encoder.encode_texts(texts[part])) for part in parts)


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
    at_once = min(load.encoder.batches_at_once, options.batch_size)
    size = options.batch_size // at_once  # a run that is killed encodes no more than one whole batch again
    with (
        ThreadPoolExecutor(2 * options.decode_children, "decode") as pool,  # a child that has answered has work waiting
        ThreadPoolExecutor(at_once, "encode") as encoders,
        closing(map_ahead(pool, load.load_some, batches(paths, LOADED_TOGETHER), depth)) as loaded,
        closing(_unknown(load, chain.from_iterable(loaded), size, results, tick)) as unknown,
        closing(map_ahead(encoders, load.encode, unknown, at_once)) as encoded,
    ):
        spans = []
        for vectors, *span in encoded:
            assert load.known is not None, "nothing is unknown where there is no cache"
            failpoint("pictures.encoded")
            load.known.store(vectors)
            results.encoded += len(vectors)
            spans.append(span)
    results.encode_seconds = covered(spans)
    return results


def covered(spans: Iterable[Sequence[float]]) -> float:
    """Return the seconds within any of these spans of a beginning and an end, in the order of their beginnings."""
    seconds, until = 0.0, 0.0
    for start, end in spans:
        seconds += max(0.0, end - max(start, until))
        until = max(until, end)
    return seconds


def _unknown(
    load: PictureLoader,
    loaded: Iterable[tuple[PictureResults, Pixels | None]],
    batch_size: int,
    results: PictureResults,
    tick: Tick,
) -> Generator[dict[bytes, Pixels]]:
    """Yield batches of prepared pictures that the cache lacks, each content once; add what was read to `results`."""
    batch: dict[bytes, Pixels] = {}
    seen: set[bytes] = set()  # the vectors of batches that are being encoded are not in the cache yet
    for found, pixels in loaded:
        results.add(found)
        tick(len(found.contents) + len(found.broken))
        if pixels is None or load.known is None:
            continue
        (content,) = found.contents.values()
        key = bytes.fromhex(content.sha256)
        if key not in seen and not load.known.has_vector(key):
            seen.add(key)
            batch[key] = pixels
        if len(batch) == batch_size:
            yield batch
            batch = {}
    if batch:
        yield batch


def require_finite(vectors: Floats, encoder: Encoder) -> Floats:
    """Return the vectors. Raises EncoderError when a number is not finite."""
    if not np.isfinite(vectors).all():
        raise EncoderError(
            f"The encoder {encoder.spec.name!r} gave numbers that are not finite.", "Try --runtime torch."
        )
    return vectors
