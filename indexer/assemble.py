"""The catalogue and the caches into the row files of a generation, a page at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import GenerationError
from catalog.product import Product
from catalog.store import Catalogue
from indexer import generations
from indexer.cache import VectorCache, title_key
from indexer.encoders.base import Floats
from indexer.vectors import Layout

PAGE = 1_024


@dataclass(frozen=True, slots=True)
class RowFiles:
    """How many rows were written, of how many products."""

    count: int
    products: int


def write_rows(
    folder: Path, catalogue: Catalogue, layout: Layout, pictures: VectorCache, titles: VectorCache | None
) -> RowFiles:
    """Write rows.npy, products.npy and pictures.npy: one row for each picture of each product, in key order."""
    count = catalogue.pictures_count()
    rows = np.lib.format.open_memmap(folder / generations.ROWS, "w+", np.float16, (count, layout.dim))
    keys = np.zeros(count, np.int64)
    hashes = np.zeros(count, "S64")
    done = 0
    for page in _pages(_pictures_of(catalogue)):
        part = slice(done, done + len(page))
        keys[part] = [key for key, _, _ in page]
        hashes[part] = [sha256.encode() for _, sha256, _ in page]
        encoded = _vectors(pictures, (bytes.fromhex(sha256) for _, sha256, _ in page))
        words = None if titles is None else _vectors(titles, (title_key(title) for _, _, title in page))
        rows[part] = layout.rows(encoded, words)
        done += len(page)
    rows.flush()
    np.save(folder / generations.PRODUCTS, keys, allow_pickle=False)
    np.save(folder / generations.PICTURES, hashes, allow_pickle=False)
    return RowFiles(count, len(np.unique(keys)))


def _pictures_of(catalogue: Catalogue) -> Iterator[tuple[int, str, str]]:
    product: Product
    for key, product in catalogue.iterate():
        for picture in product.pictures:
            yield key, picture.sha256, product.title


def _pages(items: Iterable[tuple[int, str, str]]) -> Iterator[list[tuple[int, str, str]]]:
    iterator = iter(items)
    while page := list(itertools.islice(iterator, PAGE)):
        yield page


def _vectors(cache: VectorCache, keys: Iterable[bytes]) -> Floats:
    found = [cache.get(key) for key in keys]
    if any(vector is None for vector in found):
        raise GenerationError("A vector vanished from the cache while the index was built.", "Build again.")
    return np.stack([vector for vector in found if vector is not None])
