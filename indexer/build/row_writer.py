"""Write the row files of a generation, a page at a time, from the generation before and the vector caches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from catalog.errors import GenerationError
from catalog.files.failpoints import failpoint
from catalog.storage.catalogue import Catalogue, PictureRow
from indexer.ann.mmap_arrays import release_pages
from indexer.cache.vector_cache import VectorCache, title_cache_key
from indexer.generations import store
from indexer.layout import RowLayout
from indexer.types import Floats, Ids

Row16 = NDArray[np.float16]


class ReusableRows:
    """The rows of the generation before, for products whose pictures and title did not change.

    `changed` are the keys of products that changed since. The vector of a picture that they still show is reused, the
    vector of their title is not.
    """

    def __init__(self, generation: store.Generation, changed: Iterable[int]) -> None:
        self._generation = generation
        self._changed = np.fromiter(set(changed), np.int64)

    def numbers(self, page: Sequence[PictureRow]) -> Ids:
        """Return for each picture the number of the row that can be copied, -1 where there is none."""
        keys = np.fromiter((row.key for row in page), np.int64, len(page))
        positions = np.fromiter((row.position for row in page), np.int64, len(page))
        hashes = np.array([row.sha256.encode() for row in page], "S64")
        known = self._generation.product_keys
        numbers = np.searchsorted(known, keys).astype(np.int64) + positions
        safe = np.minimum(numbers, len(known) - 1)
        same = (numbers == safe) & (known[safe] == keys) & (self._generation.picture_hashes[safe] == hashes)
        return np.where(same & ~np.isin(keys, self._changed), numbers, -1)

    def copy(self, numbers: Ids) -> Row16:
        """Return a copy of the rows with these numbers."""
        rows: Row16 = self._generation.rows[numbers]
        release_pages(self._generation.rows)
        return rows

    def picture(self, row: PictureRow) -> Floats | None:
        """Return the vector of that picture when the product showed it before, else None."""
        first, last = np.searchsorted(self._generation.product_keys, (row.key, row.key + 1))
        same = np.flatnonzero(self._generation.picture_hashes[first:last] == row.sha256.encode())
        if not len(same):
            return None
        vector = self._generation.rows[first + same[0], : self._generation.layout.encoder_dim]
        return np.asarray(vector, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class VectorSources:
    """Where vectors come from: the generation before if it has the same encoder, else the caches."""

    layout: RowLayout
    pictures: VectorCache
    titles: VectorCache | None
    reusable: ReusableRows | None = None

    def picture(self, row: PictureRow) -> Floats | None:
        """Return the vector of a picture; None when it has to be encoded."""
        vector = None if self.reusable is None else self.reusable.picture(row)
        return self.pictures.get(bytes.fromhex(row.sha256)) if vector is None else vector

    def missing(self, catalogue: Catalogue, but: Set[int] = frozenset()) -> Iterator[PictureRow]:
        """Yield the pictures that have to be encoded before rows can be written, and those whose title has to be.

        Leaves out the products with the keys `but`.
        """
        for page in catalogue.iter_picture_rows():
            for row in _split_page([row for row in page if row.key not in but], self.reusable)[1]:
                title_known = self.titles is None or self.titles.get(title_cache_key(row.title)) is not None
                if not title_known or self.picture(row) is None:
                    yield row


def write_rows(folder: Path, catalogue: Catalogue, sources: VectorSources) -> Ids:
    """Write rows.npy, products.npy and pictures.npy: one row for each picture of each product, in key order.

    Returns for each row the number of the one that was copied from the generation before, -1 for composed ones.
    """
    count = catalogue.pictures_count()
    copied: list[Ids] = []
    with (
        _array_file(folder / store.ROWS_FILE, np.float16, (count, sources.layout.dim)) as rows_file,
        _array_file(folder / store.PRODUCTS_FILE, np.int64, (count,)) as keys_file,
        _array_file(folder / store.PICTURES_FILE, "S64", (count,)) as hashes_file,
    ):
        for page in filter(None, catalogue.iter_picture_rows()):
            rows, numbers = _rows(page, sources)
            rows_file.write(rows.data)
            keys_file.write(np.array([row.key for row in page], np.int64).data)
            hashes_file.write(np.array([row.sha256.encode() for row in page], "S64").data)
            copied.append(numbers)
            failpoint("rows.page")
    failpoint("rows.written")
    return np.concatenate([*copied, np.zeros(0, np.int64)])


@contextmanager
def _array_file(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> Iterator[BinaryIO]:
    """Open a file that `np.load` reads, and write its header. Unlike a mapped file, a full disk raises OSError here."""
    with path.open("wb") as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        yield file


def _rows(page: Sequence[PictureRow], sources: VectorSources) -> tuple[Row16, Ids]:
    """Return the rows of these pictures, and the numbers of those that were copied, -1 elsewhere."""
    rows = np.empty((len(page), sources.layout.dim), np.float16)
    numbers, rest = _split_page(page, sources.reusable)
    if sources.reusable is not None and (numbers >= 0).any():
        rows[numbers >= 0] = sources.reusable.copy(numbers[numbers >= 0])
    if rest:
        pictures, titles = _stack([sources.picture(row) for row in rest]), None
        if sources.titles is not None:
            titles = _stack([sources.titles.get(title_cache_key(row.title)) for row in rest])
        rows[numbers < 0] = sources.layout.rows(pictures, titles)
    return rows, numbers


def _split_page(page: Sequence[PictureRow], reusable: ReusableRows | None) -> tuple[Ids, list[PictureRow]]:
    """Return the numbers of rows to copy, -1 elsewhere, and the pictures whose rows have to be composed."""
    numbers = np.full(len(page), -1, np.int64) if reusable is None else reusable.numbers(page)
    return numbers, [page[i] for i in np.flatnonzero(numbers < 0).tolist()]


def _stack(vectors: Sequence[Floats | None]) -> Floats:
    if any(vector is None for vector in vectors):
        raise GenerationError("A vector vanished from the cache while the index was built.", "Build again.")
    return np.stack([vector for vector in vectors if vector is not None])
