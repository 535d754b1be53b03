"""The real products that catalogues of any size are drawn around: the fashion feed and its vectors of the starter.

Some are held out: no catalogue has them, and their pictures and titles are the questions.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from catalog.feeds.field_mapping import clean_title
from indexer.build.encoding_pipeline import PipelineOptions, encode_pictures, encode_titles
from indexer.cache.vector_cache import PICTURE_VECTORS, TITLE_VECTORS, VectorCache, cache_path, title_cache_key
from indexer.encoders.base import Encoder
from indexer.layout import RowLayout
from indexer.types import Floats

HELD_OUT = 400  # products, at most a fifth


@dataclass(frozen=True)
class RealProducts:
    """Feed rows with the files of their pictures, and vectors (n, encoder dim) and (n, text dim), float32."""

    rows: list[dict[str, str]]
    files: list[Path]
    pictures: Floats
    titles: Floats

    def part(self, numbers: np.ndarray) -> RealProducts:
        """Return some of them."""
        chosen = numbers.tolist()
        rows, files = [self.rows[at] for at in chosen], [self.files[at] for at in chosen]
        return RealProducts(rows, files, self.pictures[numbers], self.titles[numbers])


def read_real(data: Path, folder: Path, encoder: Encoder, count: int | None = None) -> RealProducts:
    """Read the first `count` products of the fashion feed, None for all.

    Vectors come from the caches in `folder`, and are encoded there the first time.
    """
    with (data / "fashion" / "products.csv").open(newline="", encoding="utf-8") as opened:
        rows = [row | {"title": clean_title(row["title"])} for row in islice(csv.DictReader(opened), count)]
    files = [data / "fashion" / row["image"] for row in rows]
    layout = RowLayout.of_encoder(encoder.blocks)
    fingerprint = encoder.fingerprint
    with VectorCache(cache_path(folder, fingerprint, PICTURE_VECTORS), fingerprint, encoder.dim) as cache:
        keys = [hashlib.sha256(file.read_bytes()).digest() for file in files]
        encode_pictures(
            [str(file) for file, key in zip(files, keys, strict=True) if cache.get(key) is None],
            encoder,
            cache,
            PipelineOptions(),
        )
        pictures = np.stack([cache.get(key) for key in keys])
    with VectorCache(cache_path(folder, fingerprint, TITLE_VECTORS), fingerprint, layout.blocks[-1].dim) as cache:
        encode_titles((row["title"] for row in rows), encoder, cache, PipelineOptions())
        titles = np.stack([cache.get(title_cache_key(row["title"])) for row in rows])
    return RealProducts(rows, files, pictures, titles)


def split_real(real: RealProducts, seed: int = 0) -> tuple[RealProducts, RealProducts]:
    """Return the products that catalogues are made of, and those held out."""
    order = np.random.default_rng(seed).permutation(len(real.rows))
    held_out = min(HELD_OUT, len(real.rows) // 5)
    return real.part(np.sort(order[held_out:])), real.part(np.sort(order[:held_out]))
