"""The versions of a shop's fitted models: published whole or not at all, checked on every open, rolled back at will."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import BadQuery, DamagedStore, StoreError, TrainingError
from catalog.files.locks import locked_file
from catalog.files.version_folders import VersionFolders, records, seal
from catalog.home import ShopHome
from search.recommend.learning.fitted_models import FittedModels, load_models, save_models
from search.recommend.learning.manifest import MANIFEST_FILE, ModelManifest, damaged, verify

MAX_VERSIONS = 3  # on disk, from the current one back
LOCK_TIMEOUT_S = 2.0  # `is_fitting` holds the lock for a moment


@dataclass(frozen=True, slots=True)
class ServedModels:
    """The models to serve; `degraded` says why they are not the current ones, or why there are none."""

    models: FittedModels | None = None
    degraded: str = ""


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version on disk: its manifest, or what is wrong with it."""

    version: int
    current: bool
    manifest: ModelManifest | None = None
    damaged: str = ""


def model_versions(home: Path) -> VersionFolders:
    """Return the folders of the versions."""
    shop = ShopHome(home)
    return VersionFolders(shop.recommender, shop.recommender_current, MAX_VERSIONS)


@contextmanager
def fit_lock(home: Path) -> Iterator[None]:
    """Keep other fits and rollbacks of this shop out. Raises TrainingError."""
    lock = ShopHome(home).recommender_lock
    lock.parent.mkdir(parents=True, exist_ok=True)
    with locked_file(lock, LOCK_TIMEOUT_S) as acquired:
        if not acquired:
            raise TrainingError(
                f"Another fit of {home} is running.", "Wait until it has ended, or stop it, and try again."
            )
        yield


def publish(home: Path, fitted: FittedModels) -> FittedModels:
    """Store models as the next version and make it the current one; return them with its number.

    The caller must hold the lock. A crash leaves the former version current, or this one, and both are whole.
    """
    versions = model_versions(home)
    number, building = versions.begin()
    manifest = replace(fitted.manifest, version=number)
    save_models(building, fitted)
    files = records(building)
    seal(building, files, MANIFEST_FILE, replace(manifest, files=files).to_json())
    versions.finalise(number)
    versions.make_current(number)
    return replace(fitted, manifest=replace(manifest, files=files))


def rollback(home: Path, to: int | None = None) -> tuple[int, int]:
    """Make another version current, without `to` the one before; return the number that was left and the new one.

    Raises BadQuery when there is no such version, DamagedStore when it is damaged, TrainingError during a fit.
    """
    with fit_lock(home):
        versions = model_versions(home)
        left = versions.current_or_none()
        numbers = versions.numbers()
        before = [number for number in numbers if number < (math.inf if left is None else left)]
        if to is None and not before:
            raise BadQuery("There is no earlier version of the models.", "One exists from the second fit on.")
        number = before[-1] if to is None else to
        if number == left:
            raise BadQuery(f"Version {number} is the current one already.", "Name another one.")
        if number not in numbers:
            known = ", ".join(map(str, numbers)) or "none"
            raise BadQuery(f"There is no version {number} of the models.", f"These are on the disk: {known}.")
        verify(versions.path(number))
        versions.move_pointer(number)
    return left or 0, number


def open_version(home: Path, number: int) -> FittedModels:
    """Open a version and check every file. Raises DamagedStore, NewerStore."""
    folder = model_versions(home).path(number)
    if not folder.is_dir():
        raise damaged(folder, "the folder is missing")
    return load_models(folder, verify(folder))


def open_current(home: Path) -> FittedModels | None:
    """Open the models to serve; None where none were fitted, or none is whole."""
    return open_serving(home).models


def open_serving(home: Path) -> ServedModels:
    """Open the current version or, when that is damaged, the newest older one that is whole; else a newer one."""
    versions = model_versions(home)
    current = 0
    try:
        current = versions.current()
        return ServedModels(open_version(home, current))
    except FileNotFoundError:
        if not versions.numbers():
            return ServedModels()  # none was ever fitted
        problem = "the pointer to the current version of the recommender models is missing"
    except (OSError, ValueError):
        problem = "the pointer to the current version of the recommender models cannot be read"
    except StoreError:
        problem = f"version {current} of the recommender models is damaged"
    others = [number for number in versions.numbers() if number != current]
    for number in sorted(others, key=lambda number: (not current or number < current, number), reverse=True):
        with suppress(StoreError):
            return ServedModels(open_version(home, number), f"{problem}; version {number} is served")
    return ServedModels(None, f"{problem}, and there is no other")


def stored_versions(home: Path) -> list[StoredVersion]:
    """Return the versions on disk, newest first; every file is checked, as on opening them."""
    versions = model_versions(home)
    current = versions.current_or_none()
    stored = []
    for number in reversed(versions.numbers()):
        try:
            stored.append(StoredVersion(number, number == current, verify(versions.path(number))))
        except (DamagedStore, StoreError) as error:
            stored.append(StoredVersion(number, number == current, damaged=error.message))
    return stored
