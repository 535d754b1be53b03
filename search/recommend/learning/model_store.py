"""The versions of a shop's fitted models: published whole or not at all, checked on every open, rolled back at will."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from catalog.files.version_folders import VersionFolders
from catalog.home import ShopHome
from search.fitting import version_store
from search.fitting.version_store import Serving, StoredVersion, VersionStore
from search.recommend.learning.fitted_models import FittedModels, load_models, save_models
from search.recommend.learning.manifest import MANIFESTS, ModelManifest

MAX_VERSIONS = 3  # on disk, from the current one back
LOCK_TIMEOUT_S = version_store.LOCK_TIMEOUT_S
MODELS_NAME = "the recommender models"


def model_versions(home: Path) -> VersionFolders:
    """Return the folders of the versions."""
    shop = ShopHome(home)
    return VersionFolders(shop.recommender, shop.recommender_current, MAX_VERSIONS)


@contextmanager
def fit_lock(home: Path) -> Iterator[None]:
    """Keep other fits and rollbacks of this shop out. Raises TrainingError."""
    with version_store.fit_lock(ShopHome(home).recommender_lock, home, LOCK_TIMEOUT_S):
        yield


def publish(home: Path, fitted: FittedModels) -> FittedModels:
    """Store models as the next version and make it the current one; return them with its number.

    The caller must hold the lock. A crash leaves the former version current, or this one, and both are whole.
    """
    manifest = _store(home).publish(fitted.manifest, lambda folder: save_models(folder, fitted))
    return replace(fitted, manifest=manifest)


def rollback(home: Path, to: int | None = None) -> tuple[int, int]:
    """Make another version current, without `to` the one before; return the number that was left and the new one.

    Raises BadQuery when there is no such version, DamagedStore when it is damaged, TrainingError during a fit.
    """
    with fit_lock(home):
        return _store(home).rollback(to)


def open_version(home: Path, number: int) -> FittedModels:
    """Open a version and check every file. Raises DamagedStore, NewerStore."""
    return _store(home).open(number)


def open_current(home: Path) -> FittedModels | None:
    """Open the models to serve; None where none were fitted, or none is whole."""
    return open_serving(home).models


def open_serving(home: Path) -> Serving[FittedModels]:
    """Open the current version or, when that is damaged, the newest older one that is whole; else a newer one."""
    return _store(home).serving()


def stored_versions(home: Path) -> list[StoredVersion[ModelManifest]]:
    """Return the versions on disk, newest first; every file is checked, as on opening them."""
    return _store(home).stored()


def _store(home: Path) -> VersionStore[ModelManifest, FittedModels]:
    return VersionStore(model_versions(home), MANIFESTS, MODELS_NAME, load_models)
