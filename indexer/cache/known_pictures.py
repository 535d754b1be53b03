"""Which pictures the cache has a vector of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from catalog import images
from indexer.cache.file_stats import Content
from indexer.cache.vector_cache import VectorCache, colour_cache_key
from indexer.types import Floats


class KnownPictures:
    """Which pictures the cache has a vector of, in the colours that they have by their profile."""

    def __init__(self, cache: VectorCache) -> None:
        self.cache = cache
        self.coloured: set[bytes] = set()  # hashes of files read so far whose profile changes their colours

    def has_vector(self, key: bytes) -> bool:
        """Return whether the cache has the vector of a content."""
        if self.cache.get(key) is None:
            return False
        return key not in self.coloured or self.cache.get(colour_cache_key(key)) is not None

    def look_up(self, data: bytes) -> tuple[str, Content | None]:
        """Return a file's hash, and its content when it is known: it was decoded before, so this process may."""
        sha256 = images.content_hash(data)
        key = bytes.fromhex(sha256)
        if self.cache.get(key) is None:
            return sha256, None
        size, coloured = images.size_and_colours(data)
        if coloured:
            self.coloured.add(key)
            if self.cache.get(colour_cache_key(key)) is None:
                return sha256, None
        return sha256, Content(sha256, *size)

    def store(self, vectors: Mapping[bytes, Floats]) -> None:
        """Put vectors into the cache, of coloured pictures under both of their keys."""
        coloured = {colour_cache_key(key): vector for key, vector in vectors.items() if key in self.coloured}
        for rows in (vectors, coloured):
            if rows:
                self.cache.put(rows, np.stack(list(rows.values())))
