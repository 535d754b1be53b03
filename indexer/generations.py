"""Numbered, immutable folders of one index each, and the pointer that says which of them is current."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.errors import DamagedGeneration, GenerationError, NoGeneration
from indexer.encoders.base import Floats
from indexer.manifest import NAME as MANIFEST
from indexer.manifest import Manifest, check_files, damaged, read_manifest, record
from indexer.row_search import RowSearch
from indexer.vector_index import Ids, Mask, VectorIndex
from indexer.vectors import Layout

FOLDER = "generations"
CURRENT = "current"
BUILDING = ".building-"
ROWS, PRODUCTS, PICTURES, INDEX = "rows.npy", "products.npy", "pictures.npy", "index.faiss"
KEPT = 3
_NUMBER = re.compile(r"\d{6,}")


@dataclass(frozen=True, slots=True)
class Generation:
    """One index, open: row i is picture `picture_hashes[i]` of the product with key `product_keys[i]`."""

    number: int
    folder: Path
    manifest: Manifest
    layout: Layout
    index: VectorIndex
    rows: NDArray[np.float16]
    product_keys: Ids
    picture_hashes: NDArray[np.bytes_]

    def search(self, query: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Ids]:
        """The k best rows for a query vector (dim,): exact scores, best first, ties by row number, and the row numbers.

        Only rows whose `allowed` (n,) is true come back; fewer than k when there are not so many.
        """
        record = self.manifest.index
        return RowSearch(self.index, self.rows, record.nprobe, record.overfetch).search(query, k, allowed)


def open_current(home: Path, *, threads: int | None = None) -> Generation:
    """The shop's current generation, every file checked. Raises NoGeneration, DamagedGeneration."""
    return open_generation(home, current_number(home), threads=threads)


def open_generation(home: Path, number: int, *, threads: int | None = None) -> Generation:
    """That generation, every file checked. Raises DamagedGeneration."""
    manifest = verify(home, number)
    folder = folder_of(home, number)
    try:
        rows = np.load(folder / ROWS, mmap_mode="r", allow_pickle=False)
        keys = np.load(folder / PRODUCTS, allow_pickle=False)
        hashes = np.load(folder / PICTURES, allow_pickle=False)
        index = VectorIndex.load(folder / INDEX, threads)
    except (OSError, ValueError, RuntimeError) as error:
        raise damaged(str(folder), f"a file cannot be opened ({error})") from error
    layout = Layout(manifest.blocks)
    shapes = (rows.shape, rows.dtype, keys.shape, hashes.shape, index.size, index.dim)
    count = manifest.rows
    if shapes != ((count, layout.dim), np.float16, (count,), (count,), count, layout.dim):
        raise damaged(str(folder), f"its files do not fit together or the manifest: {shapes}")
    return Generation(number, folder, manifest, layout, index, rows, keys, hashes)


def verify(home: Path, number: int) -> Manifest:
    """Check every file of a generation against its manifest. Raises DamagedGeneration naming the first bad one."""
    folder = folder_of(home, number)
    if not folder.is_dir():
        raise damaged(str(folder), "the folder is missing")
    manifest = read_manifest(folder)
    missing = {ROWS, PRODUCTS, PICTURES, INDEX} - manifest.files.keys()
    if missing:
        raise damaged(str(folder / MANIFEST), f"it does not list {', '.join(sorted(missing))}")
    check_files(folder, manifest)
    return manifest


def current_number(home: Path) -> int:
    """The number in `current`. Raises NoGeneration before the first build, DamagedGeneration when unreadable."""
    try:
        text = (home / CURRENT).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        hint = "Index a feed first: make index FEED=... (python -m indexer build --home DIR --feed FEED)."
        raise NoGeneration(f"There is no index in {home}.", hint) from None
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(str(home / CURRENT), f"it cannot be read ({error})") from error
    if not _NUMBER.fullmatch(text):
        raise damaged(str(home / CURRENT), "it does not hold a generation's number")
    return int(text)


def current_encoder(home: Path) -> str | None:
    """The name of the encoder that made the current generation; None when there is none that can be read."""
    try:
        return read_manifest(folder_of(home, current_number(home))).encoder.name
    except GenerationError:
        return None


def folder_of(home: Path, number: int) -> Path:
    """Where that generation lives."""
    return home / FOLDER / f"{number:06d}"


def numbers(home: Path) -> list[int]:
    """The generations on disk, oldest first."""
    folder = home / FOLDER
    return sorted(int(p.name) for p in folder.iterdir() if _NUMBER.fullmatch(p.name)) if folder.is_dir() else []


def begin(home: Path) -> tuple[int, Path]:
    """The next number and an empty folder to build it in; what an interrupted build left behind is swept away."""
    parent = home / FOLDER
    parent.mkdir(parents=True, exist_ok=True)
    for leftover in parent.glob(f"{BUILDING}*"):
        shutil.rmtree(leftover)
    taken = numbers(home)
    with contextlib.suppress(NoGeneration, DamagedGeneration):  # the first build, or the one that repairs
        taken.append(current_number(home))
    number = max(taken, default=0) + 1
    folder = parent / f"{BUILDING}{number:06d}"
    folder.mkdir()
    return number, folder


def publish(home: Path, building: Path, manifest: Manifest) -> Path:
    """Seal a building folder with its manifest and make it the current generation.

    Every byte is on disk before the folder gets its name, and the folder before the pointer moves: a crash leaves
    the old generation or the new one current, never a mixture.
    """
    final = seal(home, building, manifest)
    make_current(home, manifest.number)
    return final


def seal(home: Path, building: Path, manifest: Manifest) -> Path:
    """Write the manifest (its `files` are filled in here) into a building folder and give it its name."""
    files = {path.name: record(path) for path in sorted(building.iterdir())}
    for name in files:
        _sync(building / name)
    write_atomically(building / MANIFEST, lambda path: path.write_text(replace(manifest, files=files).to_json()))
    final = folder_of(home, manifest.number)
    building.rename(final)
    _sync(final.parent)
    return final


def make_current(home: Path, number: int) -> None:
    """Move the pointer to a sealed generation, and sweep away those that are too old to keep."""
    write_atomically(home / CURRENT, lambda path: path.write_text(f"{number:06d}\n"))
    _prune(home)


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file, then put it in place of `path` in one step that survives a crash."""
    temporary = path.with_name(f".{path.name}.tmp")
    write(temporary)
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prune(home: Path) -> None:
    keep = {*numbers(home)[-KEPT:], current_number(home)}
    for number in numbers(home):
        if number not in keep:
            shutil.rmtree(folder_of(home, number), ignore_errors=True)
