"""Make rows for products that changed after the index was built: look up known vectors, encode the rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from catalog.errors import BadPicture, EncoderError, GenerationError
from catalog.product import Picture, Product
from indexer.cache.vector_cache import (
    PICTURE_VECTORS,
    TITLE_VECTORS,
    VectorCache,
    cache_path,
    read_vectors,
    title_cache_key,
)
from indexer.encoders.base import Encoder
from indexer.encoders.picture_input import decode_side, prepared_file
from indexer.layout import RowLayout
from indexer.numeric import chunks
from indexer.types import Floats, Pixels
from search.state.live_rows import ProductRows
from search.state.snapshot import Snapshot

BATCH_SIZE = 32
MAX_WITHOUT_LOOKUP = 8  # vectors; so few are encoded faster than a big cache file is searched
MAX_IN_MEMORY = 2_000  # vectors
MAX_CACHE_BYTES = 2**27  # a larger cache of live vectors is started again
MAX_ROUNDING = 2e-3  # largest change of a number by float16 or by another batch

log = logging.getLogger(__name__)


class RowEncoder:
    """Makes rows with one encoder. Threads may share it.

    Vectors come from the product's current rows, from memory, from the caches of builds and servers, and from the
    encoder, in that order. `save` writes those that were encoded for the next start.
    """

    def __init__(self, home: Path, encoder: Encoder) -> None:
        self._home = home
        self._encoder = encoder
        self._layout = RowLayout.of_encoder(encoder.blocks)
        self._at_least = decode_side(encoder)
        self._dims = {PICTURE_VECTORS: encoder.dim}
        if self._layout.text_block is not None:
            span = self._layout.slice(self._layout.text_block)
            self._dims[TITLE_VECTORS] = span.stop - span.start
        self._memory: dict[str, dict[bytes, Floats]] = {kind: {} for kind in self._dims}
        self._unsaved: dict[str, dict[bytes, Floats]] = {kind: {} for kind in self._dims}
        self._lock = threading.Lock()

    def rows(self, products: Mapping[int, Product], snapshot: Snapshot) -> dict[int, ProductRows]:
        """Return the rows of each product, by key; a picture that cannot be read is logged and has none."""
        pictures = self._pictures(products, snapshot)
        titles = self._titles({product.title for product in products.values()})
        rows = {}
        for key, product in products.items():
            hashes = tuple(dict.fromkeys(picture.sha256 for picture in product.pictures if picture.sha256 in pictures))
            vectors = np.zeros((0, self._layout.dim), np.float32)
            if hashes:
                words = None if titles is None else np.stack([titles[product.title]] * len(hashes))
                vectors = self._layout.rows(np.stack([pictures[sha256] for sha256 in hashes]), words)
            rows[key] = ProductRows(hashes, vectors.astype(np.float16))
        return rows

    def save(self) -> None:
        """Write encoded vectors into the cache of live vectors; the next time if another process writes it now."""
        for kind, dim in self._dims.items():
            with self._lock:
                fresh, self._unsaved[kind] = self._unsaved[kind], {}
            if not fresh:
                continue
            path = self._live_path(kind)
            try:
                if path.is_file() and path.stat().st_size > MAX_CACHE_BYTES:
                    path.unlink(missing_ok=True)
                with VectorCache(path, self._encoder.fingerprint, dim) as cache:
                    cache.put(fresh, np.stack(list(fresh.values())))
            except (GenerationError, OSError) as error:
                log.info("Vectors of changed products stay in memory for now: %s", error)
                with self._lock:
                    self._unsaved[kind] = fresh | self._unsaved[kind] if len(fresh) < MAX_IN_MEMORY else {}

    def _pictures(self, products: Mapping[int, Product], snapshot: Snapshot) -> dict[str, Floats]:
        known: dict[str, Floats] = {}
        span = self._layout.encoder_dim
        for key in products:
            rows = snapshot.rows_of(key)
            known.update(zip(rows.hashes, rows.vectors[:, :span].astype(np.float32), strict=True))
        pictures = [picture for product in products.values() for picture in product.pictures if picture.sha256]
        missing = {bytes.fromhex(picture.sha256): picture for picture in pictures if picture.sha256 not in known}
        vectors = self._look_up(PICTURE_VECTORS, missing)
        vectors |= self._encode_pictures({key: picture for key, picture in missing.items() if key not in vectors})
        return known | {key.hex(): vector for key, vector in vectors.items()}

    def _titles(self, titles: Collection[str]) -> dict[str, Floats] | None:
        block = self._layout.text_block
        if block is None:
            return None
        span = self._layout.slice(block)
        keys = {title_cache_key(title): title for title in sorted(titles, key=lambda title: (len(title), title))}
        found = self._look_up(TITLE_VECTORS, keys)
        missing = [key for key in keys if key not in found]
        for part in chunks(len(missing), BATCH_SIZE):
            batch = missing[part]
            vectors = self._encoder.encode_texts([keys[key] for key in batch])[:, span]
            found.update(self._remember(TITLE_VECTORS, batch, vectors))
        return {title: found[key] for key, title in keys.items()}

    def _look_up(self, kind: str, keys: Iterable[bytes]) -> dict[bytes, Floats]:
        memory = self._memory[kind]
        found = {key: vector for key in keys if (vector := memory.get(key)) is not None}
        missing = [key for key in keys if key not in found]
        if len(missing) <= MAX_WITHOUT_LOOKUP:
            return found
        for path in (self._live_path(kind), cache_path(self._home, self._encoder.fingerprint, kind)):
            found.update(read_vectors(path, self._dims[kind], missing))
            missing = [key for key in missing if key not in found]
        return found

    def _encode_pictures(self, pictures: Mapping[bytes, Picture]) -> dict[bytes, Floats]:
        encoded: dict[bytes, Floats] = {}
        items = list(pictures.items())
        for part in chunks(len(items), BATCH_SIZE):
            prepared: dict[bytes, Pixels] = {}
            for key, picture in items[part]:
                try:
                    prepared[key] = prepared_file(Path(picture.path), picture.sha256, self._encoder, self._at_least)
                except BadPicture as error:
                    log.warning("The picture %s of a changed product is left out: %s", picture.sha256, error)
            if prepared:
                vectors = self._encoder.encode_pixels(np.stack(list(prepared.values())))
                encoded.update(self._remember(PICTURE_VECTORS, list(prepared), vectors))
        return encoded

    def _remember(self, kind: str, keys: Sequence[bytes], vectors: Floats) -> dict[bytes, Floats]:
        if not np.isfinite(vectors).all():
            raise EncoderError(f"The encoder {self._encoder.spec.name!r} returned numbers that are not finite.")
        encoded = dict(zip(keys, np.asarray(vectors, dtype=np.float32), strict=True))
        with self._lock:
            memory = self._memory[kind]
            memory.update(encoded)
            for key in list(memory)[: max(0, len(memory) - MAX_IN_MEMORY)]:
                del memory[key]
            self._unsaved[kind].update(encoded)
        return encoded

    def _live_path(self, kind: str) -> Path:
        return cache_path(self._home, self._encoder.fingerprint, f"live-{kind}")


def same_rows(rows: ProductRows, other: ProductRows) -> bool:
    """Return whether two products' rows have the same pictures, and numbers that differ by rounding only."""
    return rows.hashes == other.hashes and bool(np.allclose(rows.vectors, other.vectors, rtol=0.0, atol=MAX_ROUNDING))
