"""The process on a cluster that holds an encoder: picture files and titles as bytes in, vectors out.

This module knows nothing of Ray. Every machine of the cluster has the same version of Windowshop installed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from catalog.errors import BadPicture, WindowshopError
from catalog.home import ShopHome
from indexer.build.decode_pool import Decoded, DecoderPool
from indexer.encoders.base import Encoder
from indexer.encoders.picture_input import decode_side
from indexer.encoders.registry import open_encoder
from indexer.types import Floats


@dataclass(frozen=True, slots=True)
class EncoderSource:
    """How a worker opens the encoder: its name, its runtime, and the heads of an encoder that the shop trained."""

    name: str
    runtime: str = "auto"
    heads: bytes | None = None

    def open(self) -> Encoder:
        """Open the encoder. Raises UnknownEncoder, EncoderUnavailable, ParityError."""
        if self.heads is None:
            return open_encoder(self.name, runtime=self.runtime)
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            file = ShopHome(home).encoders / f"{self.name}.safetensors"
            file.parent.mkdir(parents=True)
            file.write_bytes(self.heads)
            return open_encoder(self.name, runtime=self.runtime, home=home)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a worker cannot do its work: the class of the error, its message and its hint."""

    error: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class PictureAnswer:
    """What a worker found out about one picture: size and whether its profile changes colours, or what is wrong."""

    size: tuple[int, int] = (0, 0)
    coloured: bool = False
    broken: str = ""


@dataclass(frozen=True, slots=True)
class PictureBatch:
    """The answers to a batch of pictures, the vectors (n, dim) of those that are not broken, and the time it took."""

    answers: tuple[PictureAnswer, ...]
    vectors: Floats
    decode_seconds: float
    encode_seconds: float


class EncodingWorker:
    """An encoder in a process of its own. Decodes in child processes, as a local build does."""

    def __init__(self, source: EncoderSource, threads: int, picture_seconds: float) -> None:
        self._source = source
        self._threads = threads
        self._decoders = DecoderPool(threads, picture_seconds)
        self._encoder: Encoder | None = None

    def open(self) -> str | Refusal:
        """Open the encoder and return its fingerprint."""
        try:
            self._encoder = self._source.open()
        except WindowshopError as error:
            return _refusal(error)
        return self._encoder.fingerprint

    def encode_pictures(self, files: Sequence[bytes]) -> PictureBatch | Refusal:
        """Decode and encode the contents of picture files."""
        assert self._encoder is not None, "the pool opens a worker first"
        start = time.perf_counter()
        try:
            with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(self._threads) as pool:
                paths = [Path(folder) / str(number) for number in range(len(files))]
                loaded = list(pool.map(self._decode, paths, files))
            decoded = time.perf_counter()
            pixels = [self._encoder.prepare(picture) for _, picture in loaded if picture is not None]
            vectors = np.zeros((0, self._encoder.dim), np.float32)
            if pixels:
                vectors = self._encoder.encode_pixels(np.stack(pixels))
        except WindowshopError as error:
            return _refusal(error)
        answers = tuple(answer for answer, _ in loaded)
        return PictureBatch(answers, vectors, decoded - start, time.perf_counter() - decoded)

    def encode_texts(self, texts: Sequence[str]) -> Floats | Refusal:
        """Return the rows of texts, float32 (n, dim)."""
        assert self._encoder is not None, "the pool opens a worker first"
        try:
            return self._encoder.encode_texts(texts)
        except WindowshopError as error:
            return _refusal(error)

    def _decode(self, path: Path, data: bytes) -> tuple[PictureAnswer, Image.Image | None]:
        assert self._encoder is not None
        path.write_bytes(data)  # a decoder opens files only
        try:
            decoded: Decoded = self._decoders.decode(str(path), decode_side(self._encoder))
        except BadPicture as error:
            return PictureAnswer(broken=error.message), None
        finally:
            path.unlink()
        return PictureAnswer(decoded.size, decoded.coloured), decoded.picture


def _refusal(error: WindowshopError) -> Refusal:
    return Refusal(type(error).__name__, error.message, error.hint)
