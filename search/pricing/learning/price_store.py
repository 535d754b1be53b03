"""The versions of a shop's stored forecasts: published whole or not at all, checked on every open, rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from catalog.files.atomic import FileRecord
from catalog.files.version_folders import VersionFolders
from catalog.home import ShopHome
from search.fitting import version_store
from search.fitting.fit_progress import ProgressFile
from search.fitting.manifest_files import ManifestFiles
from search.fitting.version_store import Serving, StoredVersion, VersionStore
from search.pricing.flags.measured_flags import MeasuredFlags
from search.pricing.forecasting.base import HORIZON
from search.pricing.learning.forecast_files import ForecastTable

MAX_VERSIONS = 3  # on disk, from the current one back
LOCK_TIMEOUT_S = version_store.LOCK_TIMEOUT_S
FORECASTS_NAME = "the price forecasts"
MANIFEST_FORMAT = 1
REPAIR = "Fit again: windowshop prices fit."
_TABLE, _MODELS = "forecasts", "models"


@dataclass(frozen=True, slots=True)
class PriceManifest:
    """What forecasts were made from, and how good their forecaster was.

    `fitted_at` is in unix seconds; `first_week` is the number of the first week that is forecast, `history_weeks` how
    many weeks came before. `products` counts the forecasts. `figures` are those of every measured forecaster by name.
    """

    version: int
    fitted_at: int
    first_week: int
    history_weeks: int
    products: int
    currencies: tuple[str, ...]
    forecaster: str
    settings: Mapping[str, Any]
    figures: Mapping[str, Any]
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    format: int = MANIFEST_FORMAT

    @property
    def end_week(self) -> int:
        """The number of the week after the last one that is forecast."""
        return self.first_week + HORIZON


MANIFESTS = ManifestFiles(PriceManifest, REPAIR)


@dataclass(frozen=True, eq=False)
class PriceForecasts:
    """One version: its manifest, and the forecasts of its products."""

    manifest: PriceManifest
    table: ForecastTable

    @cached_property
    def flags(self) -> MeasuredFlags:
        """How often the flags of prices were right in this shop, as of the fit."""
        try:
            return MeasuredFlags.from_json(self.manifest.settings["flags"])
        except (KeyError, TypeError, ValueError):  # of a version that an older or newer program made
            return MeasuredFlags()


def price_versions(home: Path) -> VersionFolders:
    """Return the folders of the versions."""
    shop = ShopHome(home)
    return VersionFolders(shop.prices, shop.prices_current, MAX_VERSIONS)


@contextmanager
def price_fit_lock(home: Path) -> Iterator[None]:
    """Keep other fits and rollbacks of this shop's forecasts out. Raises TrainingError."""
    with version_store.fit_lock(ShopHome(home).prices_lock, home, LOCK_TIMEOUT_S):
        yield


def price_fit_progress(home: Path) -> ProgressFile:
    """Return the file that says how far a fit is."""
    shop = ShopHome(home)
    return ProgressFile(shop.prices_progress, shop.prices_lock)


def publish_forecasts(home: Path, forecasts: PriceForecasts, save_models: Callable[[Path], object]) -> PriceManifest:
    """Store forecasts as the next version, and make it the current one; return its manifest.

    `save_models` writes what made them into a folder.

    The caller must hold the lock. A crash leaves the former version current, or this one, and both are whole.
    """

    def save(folder: Path) -> None:
        for name in (_TABLE, _MODELS):
            (folder / name).mkdir()
        forecasts.table.save(folder / _TABLE)
        save_models(folder / _MODELS)

    table = forecasts.table
    manifest = replace(forecasts.manifest, products=len(table), currencies=table.currencies)
    return _store(home).publish(manifest, save)


def rollback_forecasts(home: Path, to: int | None = None) -> tuple[int, int]:
    """Make another version current, without `to` the one before; return the number that was left and the new one.

    Raises BadQuery when there is no such version, DamagedStore when it is damaged, TrainingError during a fit.
    """
    with price_fit_lock(home):
        return _store(home).rollback(to)


def serving_forecasts(home: Path) -> Serving[PriceForecasts]:
    """Open the current version or, when that is damaged, the newest older one that is whole; else a newer one."""
    return _store(home).serving()


def stored_forecast_versions(home: Path) -> list[StoredVersion[PriceManifest]]:
    """Return the versions on disk, newest first; every file is checked, as on opening them."""
    return _store(home).stored()


def _load(folder: Path, manifest: PriceManifest) -> PriceForecasts:
    try:
        table = ForecastTable.load(folder / _TABLE, manifest.currencies)
    except (OSError, ValueError, EOFError) as error:
        raise MANIFESTS.damaged(folder, f"a file cannot be opened ({error})") from error
    if len(table) != manifest.products:
        raise MANIFESTS.damaged(folder, "its products are not those of its manifest")
    return PriceForecasts(manifest, table)


def _store(home: Path) -> VersionStore[PriceManifest, PriceForecasts]:
    return VersionStore(price_versions(home), MANIFESTS, FORECASTS_NAME, _load)
