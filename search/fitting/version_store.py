"""The versions of a shop's fitted models: published whole or not at all, checked on every open, rolled back at will."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from catalog.errors import BadQuery, StoreError, TrainingError
from catalog.files.locks import locked_file
from catalog.files.version_folders import VersionFolders, records, seal
from search.fitting.manifest_files import MANIFEST_FILE, Kind, ManifestFiles

LOCK_TIMEOUT_S = 2.0  # a look at whether a fit is running holds the lock for a moment
Opened = TypeVar("Opened")


@dataclass(frozen=True, slots=True)
class Serving(Generic[Opened]):
    """The models to serve; `degraded` says why they are not the current ones, or why there are none.

    `version` is the number of what is served, 0 for nothing.
    """

    models: Opened | None = None
    degraded: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class StoredVersion(Generic[Kind]):
    """A version on disk: its manifest, or what is wrong with it."""

    version: int
    current: bool
    manifest: Kind | None = None
    damaged: str = ""

    @property
    def label(self) -> str:
        """The number, with what a list says of it: "3 (served)", "2 (damaged)"."""
        if self.manifest is None:
            return f"{self.version} (current, damaged)" if self.current else f"{self.version} (damaged)"
        return f"{self.version} (served)" if self.current else str(self.version)

    def to_dict(self, *names: str) -> dict[str, Any]:
        """Return JSON values, with these fields of the manifest where it can be read."""
        values = {"version": self.version, "current": self.current, "damaged": self.damaged}
        return values | {name: getattr(self.manifest, name) for name in names if self.manifest is not None}


@contextmanager
def fit_lock(lock: Path, home: Path, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Keep other fits and rollbacks of the same models out. Raises TrainingError."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with locked_file(lock, timeout_s) as acquired:
        if not acquired:
            raise TrainingError(
                f"Another fit of {home} is running.", "Wait until it has ended, or stop it, and try again."
            )
        yield


@dataclass(frozen=True, slots=True)
class VersionStore(Generic[Kind, Opened]):
    """The versions of one sort of models of a shop. `name` is what they are in a sentence: "the recommender models".

    `load` opens the folder of a version whose files were checked; it may raise DamagedStore.
    """

    folders: VersionFolders
    manifests: ManifestFiles[Kind]
    name: str
    load: Callable[[Path, Kind], Opened]

    def publish(self, manifest: Kind, save: Callable[[Path], object]) -> Kind:
        """Store models as the next version and make it the current one; return its manifest. `save` fills a folder.

        The caller must hold the lock. A crash leaves the former version current, or this one, and both are whole.
        """
        number, building = self.folders.begin()
        save(building)
        changes: dict[str, Any] = {"version": number, "files": records(building)}
        published: Kind = replace(manifest, **changes)  # type: ignore[type-var]  # a dataclass, see VersionManifest
        seal(building, published.files, MANIFEST_FILE, self.manifests.to_json(published))
        self.folders.finalise(number)
        self.folders.make_current(number)
        return published

    def rollback(self, to: int | None = None) -> tuple[int, int]:
        """Make another version current, without `to` the one before; return the number that was left and the new one.

        The caller must hold the lock. Raises BadQuery when there is no such version, DamagedStore when it is damaged.
        """
        left = self.folders.current_or_none()
        numbers = self.folders.numbers()
        before = [number for number in numbers if number < (math.inf if left is None else left)]
        if to is None and not before:
            raise BadQuery("There is no earlier version of the models.", "One exists from the second fit on.")
        number = before[-1] if to is None else to
        if number == left:
            raise BadQuery(f"Version {number} is the current one already.", "Name another one.")
        if number not in numbers:
            known = ", ".join(map(str, numbers)) or "none"
            raise BadQuery(f"There is no version {number} of the models.", f"These are on the disk: {known}.")
        self.manifests.verify(self.folders.path(number))
        self.folders.move_pointer(number)
        return left or 0, number

    def open(self, number: int) -> Opened:
        """Open a version and check every file. Raises DamagedStore, NewerStore."""
        folder = self.folders.path(number)
        if not folder.is_dir():
            raise self.manifests.damaged(folder, "the folder is missing")
        return self.load(folder, self.manifests.verify(folder))

    def serving(self) -> Serving[Opened]:
        """Open the current version or, when that is damaged, the newest older one that is whole; else a newer one."""
        current = 0
        try:
            current = self.folders.current()
            return Serving(self.open(current), version=current)
        except FileNotFoundError:
            if not self.folders.numbers():
                return Serving()  # none was ever fitted
            problem = f"the pointer to the current version of {self.name} is missing"
        except (OSError, ValueError):
            problem = f"the pointer to the current version of {self.name} cannot be read"
        except StoreError:
            problem = f"version {current} of {self.name} is damaged"
        others = [number for number in self.folders.numbers() if number != current]
        for number in sorted(others, key=lambda number: (not current or number < current, number), reverse=True):
            with suppress(StoreError):
                return Serving(self.open(number), f"{problem}; version {number} is served", number)
        return Serving(None, f"{problem}, and there is no other")

    def stored(self) -> list[StoredVersion[Kind]]:
        """Return the versions on disk, newest first; every file is checked, as on opening them."""
        current = self.folders.current_or_none()
        versions: list[StoredVersion[Kind]] = []
        for number in reversed(self.folders.numbers()):
            try:
                manifest = self.manifests.verify(self.folders.path(number))
                versions.append(StoredVersion(number, number == current, manifest))
            except StoreError as error:
                versions.append(StoredVersion(number, number == current, damaged=error.message))
        return versions
