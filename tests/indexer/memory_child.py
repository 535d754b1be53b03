"""python -m tests.indexer.memory_child WORK HOME FEED: builds or updates a shop whose rows are long."""

import hashlib
import sys
from pathlib import Path

import numpy as np

from indexer.build.build import UpdateOptions, build_index, update_index
from indexer.build.generation_builder import BuildOptions
from indexer.cache.vector_cache import PICTURE_VECTORS, VectorCache, cache_path
from indexer.types import Block
from tests.fake_encoder import FakeEncoder

DIM = 512
OLD = 2  # vectors in the cache for each product, of pictures that it does not show any more


class LongEncoder(FakeEncoder):
    """One block of many numbers that a picture's mean colour decides; reads no words."""

    def __init__(self):
        super().__init__(texts=False)
        self.blocks = (Block("colour", DIM),)

    def encode_pixels(self, pixels):
        mean = pixels.reshape(len(pixels), -1, 3).mean(axis=1)
        rows = np.stack([np.random.default_rng(np.rint(each).astype(int)).standard_normal(DIM) for each in mean])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def main(work, home, feed):
    encoder, options = LongEncoder(), BuildOptions(kind="ivf_sq8")
    if work == "update":
        report = update_index(home, encoder, UpdateOptions(feed, build=options))
        print(report.encoded, report.copied, report.rows)
        return
    products = sum(1 for _ in feed.open()) - 1
    with VectorCache(cache_path(home, encoder.fingerprint, PICTURE_VECTORS), encoder.fingerprint, DIM) as cache:
        keys = (hashlib.sha256(str(number).encode()).digest() for number in range(OLD * products))
        cache.put(keys, np.zeros((OLD * products, DIM), np.float32))
    build_index(home, feed, encoder, options)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
