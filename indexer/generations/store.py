"""Store generations: numbered, immutable folders of one index each, and the pointer to the current one."""

from __future__ import annotations

import contextlib
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.errors import DamagedGeneration, GenerationError, NoGeneration
from catalog.files.atomic import sync
from catalog.files.version_folders import VersionFolders, records
from catalog.files.version_folders import seal as seal_folder
from catalog.home import ShopHome
from indexer.ann.faiss_index import VectorIndex
from indexer.ann.mmap_arrays import release_pages
from indexer.generations.manifest import MANIFEST_FILE, Manifest, check_files, damaged, read_manifest
from indexer.layout import RowLayout
from indexer.types import Floats, Ids, Mask
from indexer.vectors.conditions import RowCondition
from indexer.vectors.contract import GenerationVectors, RowArray
from indexer.vectors.embedded import EmbeddedVectors
from indexer.vectors.milvus.collections import RECORD_FILE
from indexer.vectors.milvus.generations import follow_pointer, open_generation_vectors

ROWS_FILE, PRODUCTS_FILE, PICTURES_FILE, INDEX_FILE = "rows.npy", "products.npy", "pictures.npy", "index.faiss"
MAX_GENERATIONS = 3  # on disk, from the current one back


@dataclass(frozen=True, slots=True)
class Generation:
    """One open index: row i is picture `picture_hashes[i]` of the product with key `product_keys[i]`.

    When the current generation is damaged and this one is served instead, `fallback_from` is the number of the damaged
    one (0 when the pointer itself is damaged) and `degraded` says why.
    """

    number: int
    folder: Path
    manifest: Manifest
    layout: RowLayout
    vectors: GenerationVectors
    product_keys: Ids
    picture_hashes: NDArray[np.bytes_]
    fallback_from: int | None = None
    degraded: str = ""

    @property
    def rows(self) -> RowArray:
        """The vectors (n, dim), float16."""
        return self.vectors.rows

    def search(
        self, query: Floats, k: int, allowed: Mask | None = None, condition: RowCondition | None = None
    ) -> tuple[Floats, Ids]:
        """Return exact scores, best first, and the numbers of the k best rows for a query vector (dim,).

        Ties are in order of row number. Only rows whose `allowed` (n,) is true are returned, which may be fewer than k.
        `condition` holds for all of them; an engine may use it to pass over the others.
        """
        return self.vectors.search(query, k, allowed, condition)

    def release_pages(self) -> None:
        """Release the memory of mapped rows, keys and hashes that were read."""
        for array in (self.rows, self.product_keys, self.picture_hashes):
            release_pages(array)


def open_current(home: Path, *, threads: int | None = None, mapped: bool = False) -> Generation:
    """Open the current generation and check every file. Raises NoGeneration, DamagedGeneration."""
    return open_generation(home, current_number(home), threads=threads, mapped=mapped)


def open_serving(home: Path, *, threads: int | None = None) -> Generation:
    """Open the current generation or, when that is damaged, the newest older one that is whole.

    Without an older one a newer one is opened: the shop may have been rolled back. Raises NoGeneration, or the current
    one's DamagedGeneration when no other is whole.
    """
    current = 0
    try:
        current = current_number(home)
        return open_generation(home, current, threads=threads)
    except (DamagedGeneration, NoGeneration) as error:
        others = [number for number in numbers(home) if number != current]
        for number in sorted(others, key=lambda number: (not current or number < current, number), reverse=True):
            with contextlib.suppress(GenerationError):
                generation = open_generation(home, number, threads=threads)
                unusable = f"generation {current}" if current else "the pointer to the current generation"
                reason = f"{unusable} cannot be used; generation {number} is served instead. {error.message}"
                return replace(generation, fallback_from=current, degraded=reason)
        raise


def open_generation(home: Path, number: int, *, threads: int | None = None, mapped: bool = False) -> Generation:
    """Open a generation and check every file; `mapped` maps all of it into memory. Raises DamagedGeneration."""
    manifest = verify(home, number)
    folder = ShopHome(home).generation(number)
    try:
        keys, hashes = _open_ids(folder, mapped)
        vectors = _open_vectors(folder, manifest, threads, mapped)
    except (OSError, ValueError, RuntimeError, MemoryError, EOFError, zipfile.BadZipFile) as error:
        raise damaged(str(folder), f"a file cannot be opened ({error})") from error
    layout = RowLayout(manifest.blocks)
    shapes: tuple[object, ...] = (vectors.rows.shape, vectors.rows.dtype, keys.shape, hashes.shape)
    count = manifest.rows
    if shapes != ((count, layout.dim), np.float16, (count,), (count,)):
        raise damaged(str(folder), f"its files do not fit together or the manifest: {shapes}")
    return Generation(number, folder, manifest, layout, vectors, keys, hashes)


def open_arrays(folder: Path, mapped: bool) -> tuple[NDArray[np.float16], Ids, NDArray[np.bytes_]]:
    """Return the rows of a generation's folder, always memory-mapped, its product keys and its picture hashes."""
    return np.load(folder / ROWS_FILE, mmap_mode="r", allow_pickle=False), *_open_ids(folder, mapped)


def verify(home: Path, number: int) -> Manifest:
    """Check every file of a generation against its manifest. Raises DamagedGeneration naming the first bad one."""
    folder = ShopHome(home).generation(number)
    if not folder.is_dir():
        raise damaged(str(folder), "the folder is missing")
    manifest = read_manifest(folder)
    vectors = {RECORD_FILE} if RECORD_FILE in manifest.files else {ROWS_FILE, INDEX_FILE}
    missing = {PRODUCTS_FILE, PICTURES_FILE, *vectors} - manifest.files.keys()
    if missing:
        raise damaged(str(folder / MANIFEST_FILE), f"it does not list {', '.join(sorted(missing))}")
    check_files(folder, manifest)
    return manifest


def current_number(home: Path) -> int:
    """Return the number in `current`. Raises NoGeneration before the first build, DamagedGeneration when unreadable."""
    try:
        return _versions(home).current()
    except FileNotFoundError:
        hint = "Index a feed first: make index FEED=... (python -m indexer build --home DIR --feed FEED)."
        raise NoGeneration(f"There is no index in {home}.", hint) from None
    except (OSError, ValueError) as error:
        raise damaged(str(ShopHome(home).current), f"it cannot be read ({error})") from error


def current_manifest(home: Path) -> Manifest:
    """Return the manifest of the current generation. Raises NoGeneration, DamagedGeneration."""
    return read_manifest(ShopHome(home).generation(current_number(home)))


def current_number_or_none(home: Path) -> int | None:
    """Return the number in `current`; None when there is none that can be read."""
    return _versions(home).current_or_none()


def newest_encoder(home: Path) -> str | None:
    """Return the encoder of the current index, or of the newest that can be read, so that a run never changes it."""
    name = current_encoder(home)
    for number in reversed(numbers(home)):
        with contextlib.suppress(GenerationError):
            name = name or read_manifest(ShopHome(home).generation(number)).encoder.name
    return name


def current_encoder(home: Path) -> str | None:
    """Return the name of the current generation's encoder; None when there is none that can be read."""
    with contextlib.suppress(GenerationError):
        return current_manifest(home).encoder.name
    return None


def numbers(home: Path) -> list[int]:
    """Return the numbers of the generations on disk, oldest first."""
    return _versions(home).numbers()


def is_on_disk(home: Path, number: int) -> bool:
    """Return whether the folder of a generation is here, published or sealed to be."""
    return _versions(home).exists(number)


def begin(home: Path) -> tuple[int, Path]:
    """Return the next number and an empty folder to build it in; remove what an interrupted build left."""
    return _versions(home).begin()


def remove_unfinished(home: Path) -> None:
    """Remove generations that were begun and not published."""
    _versions(home).remove_unfinished()


def with_records(building: Path, manifest: Manifest) -> Manifest:
    """Return the manifest with length and digest of every file in a building folder; sync them, which takes long."""
    files = records(building)
    for name in files:
        sync(building / name)
    return replace(manifest, files=files)


def seal(building: Path, manifest: Manifest) -> None:
    """Write the manifest, which `with_records` made, into a building folder, and sync every file.

    Every byte is on disk before `finalise` names the folder, and the folder before `make_current` moves the pointer: a
    crash leaves the old generation or the new one current, never a mixture.
    """
    seal_folder(building, manifest.files, MANIFEST_FILE, manifest.to_json())


def finalise(home: Path, number: int) -> None:
    """Give a sealed building folder its final name, unless it has it."""
    _versions(home).finalise(number)


def move_pointer(home: Path, number: int) -> None:
    """Make a generation current, and remove none."""
    _versions(home).move_pointer(number)
    follow_pointer(home, number)


def make_current(home: Path, number: int) -> None:
    """Move the pointer to a generation, and remove those that are too old or were rolled back from."""
    _versions(home).make_current(number)
    follow_pointer(home, number)


def previous_number(home: Path) -> int:
    """Return the number of the generation before the current one. Raises GenerationError when there is none."""
    current = current_number(home)
    if older := [number for number in numbers(home) if number < current]:
        return older[-1]
    raise GenerationError(
        f"There is no generation before {current} to go back to.",
        "An earlier generation exists from the second build on; index the feed you want to go back to.",
    )


def oldest_seq(home: Path) -> int:
    """Return the change that the oldest readable generation on disk was built at; 0 when none is readable."""
    seqs = []
    for number in numbers(home):
        with contextlib.suppress(GenerationError):
            seqs.append(read_manifest(ShopHome(home).generation(number)).seq)
    return min(seqs, default=0)


def _open_ids(folder: Path, mapped: bool) -> tuple[Ids, NDArray[np.bytes_]]:
    keys, hashes = (
        np.load(folder / name, mmap_mode="r" if mapped else None, allow_pickle=False)
        for name in (PRODUCTS_FILE, PICTURES_FILE)
    )
    return keys, hashes


def _open_vectors(folder: Path, manifest: Manifest, threads: int | None, mapped: bool) -> GenerationVectors:
    """Open the vectors where the generation's folder says they are. Raises OSError, ValueError, RuntimeError."""
    if RECORD_FILE in manifest.files:
        return open_generation_vectors(folder, manifest.index)
    rows = np.load(folder / ROWS_FILE, mmap_mode="r", allow_pickle=False)
    index = VectorIndex.load(folder / INDEX_FILE, threads, mapped)
    if (index.size, index.dim) != rows.shape:
        raise ValueError(f"the index is of {index.size} rows of {index.dim} numbers, the rows are {rows.shape}")
    return EmbeddedVectors(index, rows, manifest.index)


def _versions(home: Path) -> VersionFolders:
    shop = ShopHome(home)
    return VersionFolders(shop.generations, shop.current, MAX_GENERATIONS)
