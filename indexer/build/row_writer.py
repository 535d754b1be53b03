"""The catalogue, the generation before and the caches into the row files of a generation, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from catalog.errors import GenerationError
from catalog.files.failpoints import failpoint
from catalog.storage.catalogue import Catalogue, PictureRow
from indexer.ann.faiss_index import Ids
from indexer.ann.mmap_arrays import release_pages
from indexer.cache.vector_cache import VectorCache, title_key
from indexer.generations import store
from indexer.layout import RowLayout
from indexer.types import Floats

Row16 = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """How many rows were written, of how many products, and how many were copied whole."""

    count: int
    products: int
    copied: int = 0


class ReusableRows:
    """The rows of the generation before, for products whose pictures and title are what they were.

    `touched` are the keys of products that changed since. Their pictures' vectors are reused where the picture is
    the same, but not the words.
    """

    def __init__(self, generation: store.Generation, touched: Iterable[int]) -> None:
        self._generation = generation
        self._touched = np.fromiter(set(touched), np.int64)

    def numbers(self, page: Sequence[PictureRow]) -> Ids:
        """For each picture the number of the row that can be copied whole, -1 where there is none."""
        keys = np.fromiter((each.key for each in page), np.int64, len(page))
        places = np.fromiter((each.position for each in page), np.int64, len(page))
        hashes = np.array([each.sha256.encode() for each in page], "S64")
        known = self._generation.product_keys
        numbers = np.searchsorted(known, keys).astype(np.int64) + places
        safe = np.minimum(numbers, len(known) - 1)
        same = (numbers == safe) & (known[safe] == keys) & (self._generation.picture_hashes[safe] == hashes)
        return np.where(same & ~np.isin(keys, self._touched), numbers, -1)

    def whole(self, numbers: Ids) -> Row16:
        """Those rows."""
        rows: Row16 = self._generation.rows[numbers]
        release_pages(self._generation.rows)
        return rows

    def picture(self, shown: PictureRow) -> Floats | None:
        """The vector of that picture, when the product had it before."""
        first, last = np.searchsorted(self._generation.product_keys, (shown.key, shown.key + 1))
        found = np.flatnonzero(self._generation.picture_hashes[first:last] == shown.sha256.encode())
        if not len(found):
            return None
        row = self._generation.rows[first + found[0], : self._generation.layout.encoder_dim]
        return np.asarray(row, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class VectorSources:
    """Where rows come from: the generation before if there is one of the same encoder, else the caches."""

    layout: RowLayout
    pictures: VectorCache
    titles: VectorCache | None
    kept: ReusableRows | None = None

    def picture(self, shown: PictureRow) -> Floats | None:
        """The vector of a picture; None when it has to be encoded."""
        found = None if self.kept is None else self.kept.picture(shown)
        return self.pictures.get(bytes.fromhex(shown.sha256)) if found is None else found

    def missing(self, catalogue: Catalogue) -> Iterator[PictureRow]:
        """The pictures that have to be encoded before rows can be written, and those whose title has to be."""
        for page in catalogue.shown():
            for shown in _to_make(page, self.kept)[1]:
                words = self.titles is None or self.titles.get(title_key(shown.title)) is not None
                if not words or self.picture(shown) is None:
                    yield shown


def write_rows(folder: Path, catalogue: Catalogue, sources: VectorSources) -> WrittenRows:
    """Write rows.npy, products.npy and pictures.npy: one row for each picture of each product, in key order."""
    count = catalogue.pictures_count()
    products = copied = last = 0
    with (
        _array_file(folder / store.ROWS, np.float16, (count, sources.layout.dim)) as rows_file,
        _array_file(folder / store.PRODUCTS, np.int64, (count,)) as keys_file,
        _array_file(folder / store.PICTURES, "S64", (count,)) as hashes_file,
    ):
        for page in filter(None, catalogue.shown()):
            rows, made = _rows(page, sources)
            keys = np.array([shown.key for shown in page], np.int64)
            rows_file.write(rows.data)
            keys_file.write(keys.data)
            hashes_file.write(np.array([shown.sha256.encode() for shown in page], "S64").data)
            products += int(np.count_nonzero(np.diff(keys, prepend=last)))  # a product's pictures stand together
            last = page[-1].key
            copied += len(page) - made
            failpoint("rows.page")
    failpoint("rows.written")
    return WrittenRows(count, products, copied)


@contextmanager
def _array_file(path: Path, kind: DTypeLike, shape: tuple[int, ...]) -> Iterator[BinaryIO]:
    """A file for `np.load` to read, for its content to be written to: a full disk is then an error, not a signal."""
    with path.open("wb") as file:
        header = {"descr": np.dtype(kind).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        yield file


def _rows(page: Sequence[PictureRow], sources: VectorSources) -> tuple[Row16, int]:
    """The rows of these pictures, and how many of them were not copied."""
    rows = np.empty((len(page), sources.layout.dim), np.float16)
    numbers, rest = _to_make(page, sources.kept)
    if sources.kept is not None and (numbers >= 0).any():
        rows[numbers >= 0] = sources.kept.whole(numbers[numbers >= 0])
    if rest:
        rows[numbers < 0] = _made(rest, sources)
    return rows, len(rest)


def _to_make(page: Sequence[PictureRow], kept: ReusableRows | None) -> tuple[Ids, list[PictureRow]]:
    """The numbers of rows to copy, -1 elsewhere, and the pictures whose rows are to be put together."""
    numbers = np.full(len(page), -1, np.int64) if kept is None else kept.numbers(page)
    return numbers, [page[i] for i in np.flatnonzero(numbers < 0).tolist()]


def _made(page: Sequence[PictureRow], sources: VectorSources) -> Floats:
    encoded = _stacked([sources.picture(shown) for shown in page])
    titles = sources.titles
    words = None if titles is None else _stacked([titles.get(title_key(shown.title)) for shown in page])
    return sources.layout.rows(encoded, words)


def _stacked(found: Sequence[Floats | None]) -> Floats:
    if any(vector is None for vector in found):
        raise GenerationError("A vector vanished from the cache while the index was built.", "Build again.")
    return np.stack([vector for vector in found if vector is not None])
