"""Make catalogues of any size: a feed with a picture file of its own for each product, and their vectors in the caches.

The first products are the real ones. A further product shows the picture of its real one in a file that differs by a
comment, so it has a content hash of its own, for which the cache has the drawn vector: a build reads, hashes and looks
up every file as it does in a shop whose pictures were encoded before. All sizes share one folder, in which a smaller
catalogue is the beginning of a larger one.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from indexer.cache.vector_cache import (
    HEADER_BYTES,
    PICTURE_VECTORS,
    TITLE_VECTORS,
    VectorCache,
    cache_path,
    title_cache_key,
)
from indexer.encoders.base import Encoder
from indexer.layout import RowLayout
from indexer.types import Floats, Ids
from tests.bench.scale.drawing import Drawing, neighbours_of
from tests.bench.scale.real_products import RealProducts, read_real, split_real
from tests.bench.scale.texts import COLUMNS, Texts, picture_name

CHUNK = 10_000  # products drawn together, by a generator of their own: a catalogue is the same however it grew


@dataclass
class CatalogueMaker:
    """Grows one folder of pictures, feed and vectors, and gives homes of any size their beginning of it."""

    folder: Path
    encoder: Encoder
    drawing: Drawing
    held_out: RealProducts
    chunk: int = CHUNK

    @classmethod
    def of(cls, data: Path, folder: Path, encoder: Encoder, count: int | None = None) -> CatalogueMaker:
        """Read the first `count` real products, encoding them the first time, and find their neighbours."""
        layout = RowLayout.of_encoder(encoder.blocks)
        real, held_out = split_real(read_real(data, folder / "real", encoder, count))
        saved = folder / "real" / f"neighbours-{len(real.rows)}.npy"
        if not saved.exists():
            np.save(saved, neighbours_of(layout, real))
        return cls(folder / "catalogue", encoder, Drawing(layout, real, np.load(saved)), held_out)

    def prepare(self, home: Path, size: int) -> Path:
        """Fill the caches of a new home for a catalogue of `size` products; return its feed."""
        feed = self.feed(size)
        for kind, dim in self._kinds():
            target = cache_path(home, self.encoder.fingerprint, kind)
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy_start(self._cache_file(kind), target, HEADER_BYTES + size * _record_bytes(dim))
        return feed

    def feed(self, size: int) -> Path:
        """Return the feed of a catalogue of `size` products, which lies next to its pictures."""
        self._grow(size)
        feed = self.folder / f"products-{size}.csv"
        if not feed.exists():
            with self._feed.open(encoding="utf-8", newline="") as whole, feed.open("w", encoding="utf-8") as part:
                part.writelines(islice(whole, size + 1))
        return feed

    @property
    def _feed(self) -> Path:
        return self.folder / "products.csv"

    def _kinds(self) -> tuple[tuple[str, int], ...]:
        return (PICTURE_VECTORS, self.encoder.dim), (TITLE_VECTORS, self.drawing.layout.blocks[-1].dim)

    def _cache_file(self, kind: str) -> Path:
        return cache_path(self.folder, self.encoder.fingerprint, kind)

    def _grow(self, size: int) -> None:
        """Draw products, whole chunks of them, until there are `size`; what an interrupted run began is cut off."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = self.folder / "made.json"
        if not state.exists():
            with self._feed.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerow(COLUMNS)
            state.write_text(json.dumps({"products": 0, "bytes": self._feed.stat().st_size}))
        made = json.loads(state.read_text())
        os.truncate(self._feed, made["bytes"])
        for kind, dim in self._kinds():
            if (file := self._cache_file(kind)).exists():
                os.truncate(file, min(file.stat().st_size, HEADER_BYTES + made["products"] * _record_bytes(dim)))
        missing = range(made["products"], size, self.chunk)
        if not missing:
            return
        texts, files = Texts(self.drawing.real.rows), [file.read_bytes() for file in self.drawing.real.files]
        with ExitStack() as stack:
            opened = [self._open_cache(kind, dim) for kind, dim in self._kinds()]
            caches = [stack.enter_context(cache) for cache in opened]
            for start in missing:
                self._add_chunk(start, texts, files, caches)
                done = {"products": start + self.chunk, "bytes": self._feed.stat().st_size}
                state.write_text(json.dumps(done))

    def _add_chunk(self, start: int, texts: Texts, files: list[bytes], caches: list[VectorCache]) -> None:
        """Write picture files, feed rows and vectors of the products from `start`."""
        chance = np.random.default_rng([start, 1])
        sources, pictures, titles = self._drawn(start, chance)
        numbered = [(start + at, own, near) for at, (own, near) in enumerate(sources.tolist())]
        rows = [texts.row(number, own, near, chance) for number, own, near in numbered]
        hashes = [self._write_picture(number, files[own], own == near) for number, own, near in numbered]
        with self._feed.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        keys = [title_cache_key(row[COLUMNS.index("title")]) for row in rows]
        for cache, names, vectors in zip(caches, (hashes, keys), (pictures, titles), strict=True):
            cache.put(names, vectors)

    def _drawn(self, start: int, chance: np.random.Generator) -> tuple[Ids, Floats, Floats]:
        """Return the sources and vectors of a chunk: real products as they are, then drawn ones."""
        real = self.drawing.real
        own = np.arange(start, min(start + self.chunk, len(real.rows)))
        sources, pictures, titles = self.drawing.draw(self.chunk - len(own), chance)
        return (
            np.concatenate([np.stack([own, own], axis=1), sources]),
            np.concatenate([real.pictures[own], pictures]),
            np.concatenate([real.titles[own], titles]),
        )

    def _open_cache(self, kind: str, dim: int) -> VectorCache:
        return VectorCache(self._cache_file(kind), self.encoder.fingerprint, dim)

    def _write_picture(self, number: int, data: bytes, real: bool) -> bytes:
        """Write a product's picture file and return the hash of its bytes."""
        if not real:
            comment = str(number).encode()
            segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
            data = data[:2] + segment + data[2:]
        file = self.folder / picture_name(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return hashlib.sha256(data).digest()


def _record_bytes(dim: int) -> int:
    """Return the length of a record in a vector cache: key, float32 numbers, checksum."""
    return 32 + 4 * dim + 4


def _copy_start(source: Path, target: Path, length: int) -> None:
    with source.open("rb") as opened, target.open("wb") as written:
        while length > 0 and (data := opened.read(min(length, 1 << 24))):
            written.write(data)
            length -= len(data)
