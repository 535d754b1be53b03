"""Files and words into the cache: read and decode beside the encoder, encode in batches, with bounded memory."""

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
from PIL import Image

from catalog import images
from catalog.errors import BadPicture, EncoderError
from catalog.files.failpoints import failpoint
from indexer.build.decode_pool import SECONDS, DecoderPool
from indexer.cache.file_stats import Content, FileStatCache, stamp_of
from indexer.cache.vector_cache import VectorCache, title_key
from indexer.encoders.base import Encoder
from indexer.layout import RowLayout
from indexer.numeric import chunks
from indexer.types import Floats, Pixels

BATCHES = 64  # encoded before what was seen of their files is written down

DECODE_MARGIN = 2  # decode big JPEGs at no less than twice the encoder's input, so that resizing still averages
FEW = 16  # pictures that one child has decoded before a second one has started
AHEAD = 2  # batches of decoded pictures that may wait for the encoder

Item = TypeVar("Item")
Result = TypeVar("Result")
Tick = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """How many pictures are encoded together, how many child processes decode meanwhile, and for how long at most one
    picture.
    """

    batch_size: int = 32
    decode_children: int = 2
    picture_seconds: float = SECONDS

    def decoders(self, pictures: int) -> DecoderPool:
        """The child processes for so many pictures, to be closed; none runs before there is something to decode."""
        return DecoderPool(min(self.decode_children, 1 + pictures // FEW), self.picture_seconds)

    def threads(self) -> ThreadPoolExecutor:
        """Threads that wait for the child processes: more than these, so that a child which has answered has work."""
        return ThreadPoolExecutor(2 * self.decode_children, thread_name_prefix="decode")


@dataclass(slots=True)
class PictureResults:
    """What became of the picture files: content hash and upright size by path, reason for the unusable, the work."""

    hashes: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    encoded: int = 0
    decoded: int = 0
    decode_seconds: float = 0.0
    encode_seconds: float = 0.0

    @property
    def reused(self) -> int:
        """How many different pictures the cache already had."""
        return len(set(self.hashes.values())) - self.encoded

    def note(self, loaded: Loaded) -> None:
        """Take in one file."""
        self.decode_seconds += loaded.seconds
        self.decoded += loaded.pixels is not None
        if loaded.broken:
            self.broken[loaded.path] = loaded.broken
        else:
            self.hashes[loaded.path] = loaded.sha256
            self.sizes[loaded.path] = loaded.size

    def add(self, other: PictureResults) -> None:
        """Take in what became of other files."""
        self.hashes |= other.hashes
        self.sizes |= other.sizes
        self.broken |= other.broken
        self.encoded += other.encoded
        self.decoded += other.decoded
        self.decode_seconds += other.decode_seconds
        self.encode_seconds += other.encode_seconds


@dataclass(frozen=True, slots=True)
class Loaded:
    """One file read: its content hash and size, and its pixels unless the cache has its vector or it is broken."""

    path: str
    sha256: str = ""
    size: tuple[int, int] = (0, 0)
    pixels: Pixels | None = None
    broken: str = ""
    seconds: float = 0.0


class PictureLoader:
    """Reads one picture file and makes it ready for the encoder; called from the decode threads."""

    def __init__(self, encoder: Encoder, cache: VectorCache | None, decoders: DecoderPool) -> None:
        self._encoder = encoder
        self._cache = cache
        self._decoders = decoders
        self._at_least = decode_side(encoder)

    def __call__(self, path: str) -> Loaded:
        """Read, hash and, when its vector is not known yet, decode. A bad file is told in `broken`."""
        start = time.perf_counter()
        try:
            if (known := self._known(path)) is not None:
                return known
            decoded = self._decoders.decode(path, self._at_least)
        except BadPicture as error:
            return Loaded(path, broken=error.message)
        pixels = self._encoder.prepare(decoded.picture)
        return Loaded(path, decoded.sha256, decoded.size, pixels, seconds=time.perf_counter() - start)

    def _known(self, path: str) -> Loaded | None:
        """The file, when the cache has its vector: then these bytes were decoded before, and can be met here."""
        if self._cache is None:
            return None
        data = images.read_file(Path(path))
        sha256 = images.content_hash(data)
        if self._cache.get(bytes.fromhex(sha256)) is None:
            return None
        return Loaded(path, sha256, images.size_of(data))


def encode_pictures(
    paths: Sequence[str], encoder: Encoder, cache: VectorCache, options: PipelineOptions, tick: Tick
) -> PictureResults:
    """Put the vector of every picture file into the cache; files with equal content are encoded once."""
    with options.decoders(len(paths)) as decoders:
        return encode_decoded(paths, encoder, cache, options, tick, decoders)


def encode_decoded(
    paths: Sequence[str],
    encoder: Encoder,
    cache: VectorCache,
    options: PipelineOptions,
    tick: Tick,
    decoders: DecoderPool,
) -> PictureResults:
    """As `encode_pictures`, with child processes that are there already."""
    facts = PictureResults()
    waiting: dict[bytes, Pixels] = {}
    load = PictureLoader(encoder, cache, decoders)
    with (
        options.threads() as pool,
        closing(ahead(pool, load, paths, AHEAD * options.batch_size)) as files,
    ):
        for loaded in files:
            facts.note(loaded)
            if loaded.pixels is not None:
                waiting[bytes.fromhex(loaded.sha256)] = loaded.pixels
            if len(waiting) == options.batch_size:
                _encode(encoder, waiting, cache, facts)
            tick(1)
        if waiting:
            _encode(encoder, waiting, cache, facts)
    return facts


def encode_titles(titles: Iterable[str], encoder: Encoder, cache: VectorCache, batch_size: int, tick: Tick) -> int:
    """Put the text block of every different title into the cache; returns how many were not there yet."""
    block = RowLayout(encoder.blocks).text_block
    assert block is not None, "the caller asks only encoders that read words"
    span = RowLayout(encoder.blocks).slice(block)
    known = {title for title in set(titles) if cache.get(title_key(title)) is None}
    missing = sorted(known, key=lambda title: (len(title), title))  # equal lengths waste no padding
    for part in chunks(len(missing), batch_size):
        batch = missing[part]
        cache.put(map(title_key, batch), _checked(encoder.encode_texts(batch)[:, span], encoder))
        failpoint("titles.encoded")
        tick(len(batch))
    return len(missing)


def prepared_file(path: Path, sha256: str, encoder: Encoder, at_least: int) -> Pixels:
    """A picture file, decoded here, as the encoder's input. Raises BadPicture, also when its content is another."""
    data = images.read_file(path)
    if images.content_hash(data) != sha256:
        raise BadPicture("Its file has changed since the catalogue knew it.", "Put the product again.")
    return encoder.prepare(images.decode(data, at_least=at_least))


def decode_side(encoder: Encoder) -> int:
    """The least pixels a side that a picture may be decoded to for this encoder."""
    return DECODE_MARGIN * pixel_size(encoder)


def pixel_size(encoder: Encoder) -> int:
    """How many pixels a side the encoder looks at."""
    return int(encoder.prepare(Image.new("RGB", (8, 8))).shape[0])


def ahead(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], depth: int
) -> Generator[Result]:
    """Results in order, with at most `depth` items at work or waiting; what has not begun is dropped on the way out."""
    window: deque[Future[Result]] = deque()
    try:
        for item in items:
            window.append(pool.submit(work, item))
            if len(window) >= depth:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()
    finally:
        for future in window:
            future.cancel()


def _encode(encoder: Encoder, waiting: dict[bytes, Pixels], cache: VectorCache, facts: PictureResults) -> None:
    start = time.perf_counter()
    fresh = {key: pixels for key, pixels in waiting.items() if cache.get(key) is None}
    waiting.clear()
    if fresh:
        vectors = _checked(encoder.encode_pixels(np.stack(list(fresh.values()))), encoder)
        failpoint("pictures.encoded")
        cache.put(fresh, vectors)
    facts.encoded += len(fresh)
    facts.encode_seconds += time.perf_counter() - start


def _checked(vectors: Floats, encoder: Encoder) -> Floats:
    if not np.isfinite(vectors).all():
        raise EncoderError(
            f"The encoder {encoder.spec.name!r} gave numbers that are not finite.", "Try --runtime torch."
        )
    return vectors


def encode_files(
    paths: Sequence[str],
    encoder: Encoder,
    cache: VectorCache,
    files: FileStatCache,
    options: PipelineOptions,
    tick: Tick,
) -> PictureResults:
    """As `encode_pictures`; the files are known from then on, however the run ends."""
    facts = PictureResults()
    with options.decoders(len(paths)) as decoders:
        for part in chunks(len(paths), BATCHES * options.batch_size):
            stamps = {path: stamp for path in paths[part] if (stamp := stamp_of(path)) is not None}
            seen = encode_decoded(paths[part], encoder, cache, options, tick, decoders)
            files.remember(stamps, contents(seen))
            failpoint("files.remembered")
            facts.add(seen)
    return facts


def look_at_files(paths: Sequence[str], encoder: Encoder, options: PipelineOptions, tick: Tick) -> PictureResults:
    """Read, hash and decode, but encode and remember nothing: what `encode_files` would find."""
    facts = PictureResults()
    with (
        options.decoders(len(paths)) as decoders,
        options.threads() as pool,
        closing(ahead(pool, PictureLoader(encoder, None, decoders), paths, AHEAD * options.batch_size)) as loaded,
    ):
        for each in loaded:
            facts.note(each)
            tick(1)
    return facts


def contents(facts: PictureResults) -> dict[str, Content]:
    """Hash and size of the files that are pictures."""
    return {path: Content(sha256, *facts.sizes[path]) for path, sha256 in facts.hashes.items()}
