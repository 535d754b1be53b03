"""List the files of a shop's cache, and prune the vectors, files and pictures that nothing needs."""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import GenerationError
from catalog.files.atomic import sync
from catalog.files.failpoints import failpoint
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import open_catalogue, require_catalogue
from indexer.cache.file_stats import FileStatCache
from indexer.cache.vector_cache import (
    PICTURE_VECTORS,
    TITLE_VECTORS,
    VectorCache,
    cache_path,
    colour_cache_key,
    title_cache_key,
)
from indexer.generations import store
from indexer.generations.manifest import Manifest, read_manifest
from indexer.generations.publishing import build_lock
from indexer.layout import WORDS, RowLayout
from indexer.maintenance.picture_pruning import PictureUsage, RemovedPictures, picture_usage, remove_unused_pictures
from indexer.numeric import chunks

BATCH_SIZE = 1_024


@dataclass(frozen=True, slots=True)
class CacheFile:
    """One file of the cache; `current` when the encoder of the current index uses it."""

    name: str
    bytes: int
    current: bool


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What `prune` did: files removed, vectors remaining and removed, bytes of the cache before and after, pictures."""

    files: int
    remaining: int
    removed: int
    before: int
    after: int
    pictures: RemovedPictures


def cache_files(home: Path) -> list[CacheFile]:
    """List every file of the cache. Raises NoGeneration, DamagedGeneration."""
    shop = ShopHome(home)
    prefixes = cache_path(home, _manifest(home).fingerprint, "").name, shop.file_stats.name, shop.feed_rows.name
    paths = sorted(path for path in shop.cache.glob("*") if path.is_file())
    return [CacheFile(path.name, path.stat().st_size, path.name.startswith(prefixes)) for path in paths]


def own_picture_usage(home: Path) -> list[PictureUsage]:
    """Return how many of the shop's own pictures are used. Raises NoGeneration before the first build."""
    with closing(open_catalogue(home)) as catalogue:
        return picture_usage(home, catalogue)


def prune(home: Path) -> PruneReport:
    """Remove the vectors of pictures and titles outside the catalogue, files of other encoders, and unused pictures.

    Replaces each cache file in one step. Raises GenerationError when the catalogue is not the shop's newest, because
    much would then seem unused.
    """
    require_catalogue(home)
    with build_lock(home):
        manifest = _manifest(home)
        before = _size(home)
        with closing(open_catalogue(home)) as catalogue:
            _refuse_older(catalogue, manifest)
            files = _remove_other_encoders(home)
            pictures, titles, paths = set[bytes](), set[bytes](), set[str]()
            for row in itertools.chain.from_iterable(catalogue.iter_picture_rows()):
                key = bytes.fromhex(row.sha256)
                pictures.update((key, colour_cache_key(key)))
                titles.add(title_cache_key(row.title))
                paths.add(row.path)
            removed_pictures = remove_unused_pictures(home, catalogue)
        layout = RowLayout(manifest.blocks)
        remaining, removed = _rewrite(home, manifest, PICTURE_VECTORS, layout.encoder_dim, pictures)
        if layout.text_block is not None:
            span = layout.slice(WORDS)
            title_counts = _rewrite(home, manifest, TITLE_VECTORS, span.stop - span.start, titles)
            remaining, removed = remaining + title_counts[0], removed + title_counts[1]
        with FileStatCache(home) as stats:
            stats.keep_only(paths)
        return PruneReport(files, remaining, removed, before, _size(home), removed_pictures)


def _refuse_older(catalogue: Catalogue, manifest: Manifest) -> None:
    if catalogue.seq < manifest.seq:
        raise GenerationError(
            f"The catalogue's last change is {catalogue.seq:,}, but the index was made at {manifest.seq:,}: it is an"
            " older one, so nothing was removed.",
            "Restore the newer catalogue, or index the feed again.",
        )


def _rewrite(home: Path, manifest: Manifest, kind: str, dim: int, wanted: set[bytes]) -> tuple[int, int]:
    """Replace a cache file by one with the wanted keys only; return how many vectors remain and were removed."""
    path = cache_path(home, manifest.fingerprint, kind)
    if not path.is_file():
        return 0, 0
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)
    with VectorCache(path, manifest.fingerprint, dim) as old:
        keys = [key for key in sorted(wanted) if old.get(key) is not None]
        with VectorCache(draft, manifest.fingerprint, dim) as new:
            for part in chunks(len(keys), BATCH_SIZE):
                vectors = [vector for key in keys[part] if (vector := old.get(key)) is not None]
                new.put(keys[part], np.stack(vectors))
        failpoint("prune.rewritten")
        draft.replace(path)
        failpoint("prune.replaced")
        sync(path.parent)
        return len(keys), len(old) - len(keys)


def _remove_other_encoders(home: Path) -> int:
    others = [file for file in cache_files(home) if not file.current]
    for file in others:
        (ShopHome(home).cache / file.name).unlink()
    return len(others)


def _manifest(home: Path) -> Manifest:
    return read_manifest(ShopHome(home).generation(store.current_number(home)))


def _size(home: Path) -> int:
    return sum(file.bytes for file in cache_files(home))
