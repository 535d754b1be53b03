"""Back up a shop while it is served, and restore a shop from a backup.

The generation is copied before the catalogue: every server can bring an older index up to date with a newer catalogue,
but not the other way round. A backup leaves out what can be made again: vectors, thumbnails, reports.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from catalog.errors import DamagedGeneration, GenerationError
from catalog.files.atomic import FileRecord, record, sync, write_atomically
from catalog.files.failpoints import failpoint
from catalog.files.locks import shared_lock
from catalog.files.version_folders import VersionFolders
from catalog.home import ShopHome
from catalog.storage.catalogue import Catalogue
from catalog.storage.opening import SETTING, open_catalogue, require_catalogue, shares_catalogue
from catalog.storage.sqlite import copy_database
from indexer.generations import store
from indexer.maintenance.model_versions import model_folders

BACKUP_MANIFEST = "backup.json"
BACKUP_FORMAT = 1
MAX_ATTEMPTS = 3
_NAMES = ShopHome(Path())
_DATABASES = (_NAMES.catalogue, *_NAMES.side_databases)
_LIVE_DATABASES = {f"{path}{suffix}" for path in _DATABASES for suffix in ("", "-wal", "-shm", "-journal")}
_OF_THIS_HOME = {_NAMES.home_id.name, _NAMES.shared_catalogue.name}
_LEFT_OUT = _LIVE_DATABASES | _OF_THIS_HOME | {_NAMES.build_lock.name, _NAMES.current.name}


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup's manifest: its generation, the catalogue's last change, and every file but the manifest itself."""

    generation: int
    seq: int
    created: str
    home: str
    files: dict[str, FileRecord]
    format: int = BACKUP_FORMAT

    @property
    def bytes(self) -> int:
        """Return the size of all files."""
        return sum(file.bytes for file in self.files.values())


def backup(home: Path, to: Path) -> Backup:
    """Copy a shop into an empty folder; servers and builds go on meanwhile. Raises GenerationError.

    Links files that never change where the file system can, so the copy is fast and small; move it to another disk
    to survive the loss of this one.
    """
    _require_empty(to, "Name another folder for the backup.")
    require_catalogue(home)
    to.mkdir(parents=True, exist_ok=True)
    number = _copy_generation(home, to)
    failpoint("backup.generation-taken")
    pictures = ShopHome(home).pictures
    # The pictures that the copied catalogue names must not be removed meanwhile.
    with shared_lock(pictures) if pictures.is_dir() else nullcontext():
        with closing(open_catalogue(home)) as opened:
            opened.copy_to(ShopHome(to).catalogue)
        for path in ShopHome(home).side_databases:
            _copy_database(path, to / path.name)
        failpoint("backup.catalogue-copied")
        for name in _small_files(home):
            _link_or_copy(home / name, to / name)
    _copy_models(home, to)
    _copy_policies(home, to)
    ShopHome(to).current.write_text(f"{number:06d}\n")
    failpoint("backup.files-taken")
    with closing(Catalogue.open(ShopHome(to).catalogue)) as copied:
        seq = copied.seq
    names = sorted(path.relative_to(to).as_posix() for path in to.rglob("*") if path.is_file())
    files = {name: record(to / name) for name in names if not name.startswith(f"{_NAMES.catalogue}-")}
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    manifest = Backup(number, seq, created, str(home.absolute()), files)
    text = json.dumps(asdict(manifest), indent=2) + "\n"
    write_atomically(to / BACKUP_MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))
    failpoint("backup.sealed")
    return manifest


def restore(source: Path, home: Path) -> Backup:
    """Restore a shop from a backup, checking every file; the home must be absent or empty. Raises GenerationError."""
    if shares_catalogue():
        raise GenerationError(
            f"A backup has its catalogue in a file, and {SETTING} names a database, which a restored shop would use.",
            f"Unset {SETTING}, restore, and copy the catalogue to a schema of its own: windowshop catalogue copy.",
        )
    _require_empty(home, "Name a home that does not exist yet, or move that one away.")
    manifest = read_backup(source)
    _check_files(source, manifest)
    draft = home.absolute().with_name(f".{home.name}.restoring")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name in manifest.files:
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, draft / name)
        failpoint("restore.file-copied")
    _check_files(draft, manifest)
    with closing(Catalogue.open(ShopHome(draft).catalogue)) as catalogue:
        # Pictures of single products have moved with the shop; others will be fetched again to the new home.
        for folder in (_NAMES.pictures, _NAMES.fetched):
            old, new = Path(manifest.home) / folder, home.absolute() / folder
            catalogue.move_pictures(f"{old}/", f"{new}/")
    for path in [*draft.rglob("*"), draft]:
        sync(path)
    failpoint("restore.checked")
    if home.is_dir():
        home.rmdir()
    draft.rename(home)
    failpoint("restore.renamed")
    sync(home.absolute().parent)
    return manifest


def read_backup(folder: Path) -> Backup:
    """Read a backup's manifest. Raises DamagedGeneration."""
    path = folder / BACKUP_MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        files = {name: FileRecord(**fields) for name, fields in values.pop("files").items()}
        manifest = Backup(**values, files=files)
    except FileNotFoundError:
        raise DamagedGeneration(
            f"{folder} is not a complete backup: {BACKUP_MANIFEST} is missing.", "Use another backup."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"it cannot be read ({error})") from error
    if manifest.format != BACKUP_FORMAT:
        raise _damaged(path, f"it has format {manifest.format!r}, this version reads {BACKUP_FORMAT}")
    if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in files):
        raise _damaged(path, "it names a file outside the backup")
    if not {_NAMES.catalogue.name, _NAMES.current.name} <= files.keys():
        raise _damaged(path, "it lists no catalogue or no current generation")
    return manifest


def _copy_generation(home: Path, to: Path) -> int:
    """Link or copy the current generation, or its successor when an update removes it meanwhile; return its number."""
    attempt = 1
    while True:
        number = store.current_number(home)
        folder = ShopHome(to).generation(number)
        try:
            for path in sorted(ShopHome(home).generation(number).iterdir()):
                _link_or_copy(path, folder / path.name)
            store.verify(to, number)
            return number
        except (OSError, DamagedGeneration):
            shutil.rmtree(folder, ignore_errors=True)
            if attempt == MAX_ATTEMPTS or store.current_number(home) == number:
                raise
            attempt += 1


def _copy_models(home: Path, to: Path) -> None:
    """Link or copy the served versions of fitted models; none when it is removed or damaged meanwhile."""
    for versions, copies in zip(model_folders(home), model_folders(to), strict=True):
        _copy_version(versions, copies)


def _copy_version(versions: VersionFolders, copies: VersionFolders) -> None:
    for _ in range(MAX_ATTEMPTS):
        number = versions.current_or_none()
        if number is None:
            return
        folder = versions.path(number)
        copied = copies.folder / folder.name
        try:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                _link_or_copy(path, copied / path.relative_to(folder))
        except OSError:  # a fit has removed it: there is a newer one
            shutil.rmtree(copied, ignore_errors=True)
            continue
        if versions.current_or_none() == number and copied.is_dir():
            copies.pointer.write_text(f"{number:06d}\n")
            return
        shutil.rmtree(copied, ignore_errors=True)


def _copy_policies(home: Path, to: Path) -> None:
    """Copy the texts that the owner writes by hand. They are not linked: an editor may change a file in place."""
    for path in sorted(ShopHome(home).policies.glob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            ShopHome(to).policies.mkdir(exist_ok=True)
            shutil.copyfile(path, ShopHome(to).policies / path.name)


def _small_files(home: Path) -> Iterator[str]:
    for path in sorted(home.iterdir()):
        if path.is_file() and path.name not in _LEFT_OUT and not path.name.endswith(".tmp"):
            yield path.name
    for folder in (ShopHome(home).encoders, ShopHome(home).pictures, ShopHome(home).review_photos):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith(".") and "unfinished" not in path.parts:
                yield path.relative_to(home).as_posix()


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database as of one moment, while others write it; skip an absent one. Raises DamagedGeneration."""
    if not source.is_file():
        return
    try:
        with closing(sqlite3.connect(source)) as live:
            copy_database(live, target)
    except sqlite3.Error as error:
        raise DamagedGeneration(
            f"{source} cannot be copied: {error}.", "Move the file away, and back up again; the shop keeps running."
        ) from error


def _link_or_copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(source, target)


def _check_files(folder: Path, manifest: Backup) -> None:
    for name, expected in manifest.files.items():
        try:
            actual = record(folder / name)
        except OSError as error:
            raise _damaged(folder / name, f"it cannot be read ({error.strerror})") from error
        if actual != expected:
            raise _damaged(folder / name, "its length or SHA-256 is not the one in the backup's manifest")


def _require_empty(folder: Path, hint: str) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise GenerationError(f"{folder} is not empty.", hint)


def _damaged(path: Path, reason: str) -> DamagedGeneration:
    return DamagedGeneration(f"{path} is damaged: {reason}.", "Use another backup.")
