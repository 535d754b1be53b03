"""What the vector caches and the shop's own pictures hold, and how to make them small again."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import GenerationError
from catalog.files.atomic import sync
from catalog.files.failpoints import failpoint
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from indexer.cache.file_stats import FileStatCache
from indexer.cache.vector_cache import PICTURE_VECTORS, TITLE_VECTORS, VectorCache, cache_path, title_key
from indexer.generations import store
from indexer.generations.manifest import Manifest, read_manifest
from indexer.generations.publishing import build_lock
from indexer.layout import WORDS, RowLayout
from indexer.maintenance.picture_pruning import PictureUsage, RemovedPictures, picture_stock, sweep_pictures
from indexer.numeric import chunks

BATCH = 1_024
_KEPT = ("files.sqlite",)


@dataclass(frozen=True, slots=True)
class CacheFile:
    """One file of the cache: `current` when it belongs to the encoder of the current index."""

    name: str
    bytes: int
    current: bool


@dataclass(frozen=True, slots=True)
class Pruned:
    """What `prune` did: files removed, vectors kept and dropped, bytes before and after; and to the pictures."""

    files: int
    kept: int
    dropped: int
    before: int
    after: int
    pictures: RemovedPictures


def cache_files(home: Path) -> list[CacheFile]:
    """Every file of the cache. Raises NoGeneration, DamagedGeneration."""
    mark = _marks(_manifest(home))
    paths = sorted(path for path in ShopHome(home).cache.glob("*") if path.is_file())
    return [CacheFile(path.name, path.stat().st_size, path.name.startswith((mark, *_KEPT))) for path in paths]


def own_pictures(home: Path) -> list[PictureUsage]:
    """The shop's own pictures. Raises NoGeneration before the first build."""
    with closing(Catalogue.open(ShopHome(home).require_catalogue())) as catalogue:
        return picture_stock(home, catalogue)


def prune(home: Path) -> Pruned:
    """Drop the vectors of no picture or title of the catalogue, the files of other encoders, and needless pictures.

    Each file is written anew beside the old one and put in its place in one step. Raises GenerationError when the
    catalogue is not the shop's newest: much would seem needless then.
    """
    catalogue_file = ShopHome(home).require_catalogue()
    with build_lock(home):
        manifest = _manifest(home)
        before = _size(home)
        with closing(Catalogue.open(catalogue_file)) as catalogue:
            _refuse_older(catalogue, manifest)
            files = _drop_others(home, manifest)
            pictures: set[bytes] = set()
            titles: set[bytes] = set()
            paths: set[str] = set()
            for page in catalogue.shown():
                pictures.update(bytes.fromhex(shown.sha256) for shown in page)
                titles.update(title_key(shown.title) for shown in page)
                paths.update(shown.path for shown in page)
            swept = sweep_pictures(home, catalogue)
        layout = RowLayout(manifest.blocks)
        kept, dropped = _rewrite(home, manifest, PICTURE_VECTORS, layout.encoder_dim, pictures)
        if layout.text_block is not None:
            span = layout.slice(WORDS)
            more = _rewrite(home, manifest, TITLE_VECTORS, span.stop - span.start, titles)
            kept, dropped = kept + more[0], dropped + more[1]
        with FileStatCache(home) as known:
            known.keep_only(paths)
        return Pruned(files, kept, dropped, before, _size(home), swept)


def _refuse_older(catalogue: Catalogue, manifest: Manifest) -> None:
    if catalogue.seq < manifest.seq:
        raise GenerationError(
            f"The catalogue's last change is {catalogue.seq:,}, but the index was made at {manifest.seq:,}: it is an"
            " older one, and nothing is dropped by what it says.",
            "Restore the newer catalogue, or index the feed again.",
        )


def _rewrite(home: Path, manifest: Manifest, kind: str, dim: int, wanted: set[bytes]) -> tuple[int, int]:
    path = cache_path(home, manifest.fingerprint, kind)
    if not path.is_file():
        return 0, 0
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)
    with VectorCache(path, manifest.fingerprint, dim) as old:
        found = [key for key in sorted(wanted) if old.get(key) is not None]
        with VectorCache(draft, manifest.fingerprint, dim) as new:
            for part in chunks(len(found), BATCH):
                vectors = [vector for key in found[part] if (vector := old.get(key)) is not None]
                new.put(found[part], np.stack(vectors))
        failpoint("prune.rewritten")
        os.replace(draft, path)  # noqa: PTH105
        failpoint("prune.replaced")
        sync(path.parent)
        return len(found), len(old) - len(found)


def _drop_others(home: Path, manifest: Manifest) -> int:
    mark, dropped = _marks(manifest), 0
    for path in ShopHome(home).cache.glob("*"):
        if path.is_file() and not path.name.startswith((mark, *_KEPT)):
            path.unlink()
            dropped += 1
    return dropped


def _marks(manifest: Manifest) -> str:
    """How the names of the current encoder's files begin."""
    return cache_path(Path(), manifest.fingerprint, "").name


def _manifest(home: Path) -> Manifest:
    return read_manifest(store.folder_of(home, store.current_number(home)))


def _size(home: Path) -> int:
    return sum(path.stat().st_size for path in ShopHome(home).cache.glob("*") if path.is_file())
