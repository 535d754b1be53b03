"""The versions of a shop's model of demand: published whole or not at all, and checked on every open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.files.atomic import FileRecord
from catalog.files.version_folders import VersionFolders
from catalog.home import ShopHome
from search.fitting import version_store
from search.fitting.manifest_files import ManifestFiles
from search.fitting.version_store import Serving, StoredVersion, VersionStore
from search.pricing.demand.demand_model import DemandFacts, DemandModel
from search.pricing.demand.regression.category_tree import CategoryTree

MAX_VERSIONS = 2  # on disk, from the current one back
DEMAND_NAME = "the model of demand"
REPAIR = "Fit again: windowshop prices fit."
_TEXTS_FILE = "texts.json"
_MODEL_ARRAYS = (
    "level", "level_variance", "centre", "effects", "covariance", "sources", "dispersion",
    "node_effects", "node_covariance", "node_sources",
)  # fmt: skip
_TREE_ARRAYS = ("parents", "depths", "leaves")
_FACT_ARRAYS = tuple(part.name for part in fields(DemandFacts))


@dataclass(frozen=True, slots=True)
class DemandManifest:
    """What a version was fitted on, and how good it was. `fitted_at` is in unix seconds; `figures` are those of
    `evaluate_demand` on the last weeks.
    """

    version: int
    fitted_at: int
    weeks: int
    products: int
    figures: Mapping[str, Any]
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    format: int = 1


MANIFESTS = ManifestFiles(DemandManifest, REPAIR)


@dataclass(frozen=True, slots=True, eq=False)
class StoredDemand:
    """One version: its manifest, and its model."""

    manifest: DemandManifest
    model: DemandModel


@contextmanager
def demand_lock(home: Path) -> Iterator[None]:
    """Keep other fits of this shop's demand out. Raises TrainingError."""
    with version_store.fit_lock(ShopHome(home).demand_lock, home):
        yield


def publish_demand(home: Path, demand: StoredDemand) -> DemandManifest:
    """Store a model as the next version, and make it the current one; the caller must hold the lock."""
    return _store(home).publish(demand.manifest, lambda folder: save_demand(folder, demand.model))


def serving_demand(home: Path) -> Serving[StoredDemand]:
    """Open the current version or, when that is damaged, another one that is whole."""
    return _store(home).serving()


def rollback_demand(home: Path, to: int | None = None) -> tuple[int, int]:
    """Make another version current, without `to` the one before; return the number that was left and the new one.

    Raises BadQuery when there is no such version, DamagedStore when it is damaged, TrainingError during a fit.
    """
    with demand_lock(home):
        return _store(home).rollback(to)


def stored_demand_versions(home: Path) -> list[StoredVersion[DemandManifest]]:
    """Return the versions on disk, newest first; every file is checked, as on opening them."""
    return _store(home).stored()


def save_demand(folder: Path, model: DemandModel) -> None:
    """Write a model into an empty folder, as arrays and JSON."""
    texts = {
        "names": model.names,
        "product_ids": list(model.product_ids),
        "currencies": list(model.currencies),
        "paths": model.tree.paths,
        "aggregation": model.aggregation,
        "product_variance": model.product_variance,
        "fitted_week": model.fitted_week,
    }
    (folder / _TEXTS_FILE).write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    for owner, names in ((model, _MODEL_ARRAYS), (model.tree, _TREE_ARRAYS), (model.facts, _FACT_ARRAYS)):
        for name in names:
            np.save(folder / f"{name}.npy", getattr(owner, name), allow_pickle=False)


def load_demand(folder: Path) -> DemandModel:
    """Read what `save_demand` wrote. Raises OSError, ValueError, KeyError."""
    texts = json.loads((folder / _TEXTS_FILE).read_text(encoding="utf-8"))
    tree, facts, arrays = (_arrays(folder, names) for names in (_TREE_ARRAYS, _FACT_ARRAYS, _MODEL_ARRAYS))
    counts = {len(texts["product_ids"]), len(texts["currencies"]), len(tree["leaves"]), len(arrays["effects"])}
    if len(counts) != 1:
        raise ValueError("the columns of the products differ in length")
    return DemandModel(
        names=tuple(texts["names"]),
        product_ids=tuple(texts["product_ids"]),
        currencies=tuple(texts["currencies"]),
        tree=CategoryTree(tuple(texts["paths"]), **tree),
        facts=DemandFacts(**facts),
        aggregation=float(texts["aggregation"]),
        product_variance=float(texts["product_variance"]),
        fitted_week=int(texts["fitted_week"]),
        **arrays,
    )


def _arrays(folder: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    return {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in names}


def _load(folder: Path, manifest: DemandManifest) -> StoredDemand:
    try:
        model = load_demand(folder)
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise MANIFESTS.damaged(folder, f"a file cannot be opened ({error})") from error
    if len(model) != manifest.products:
        raise MANIFESTS.damaged(folder, "its products are not those of its manifest")
    return StoredDemand(manifest, model)


def _store(home: Path) -> VersionStore[DemandManifest, StoredDemand]:
    shop = ShopHome(home)
    folders = VersionFolders(shop.demand, shop.demand_current, MAX_VERSIONS)
    return VersionStore(folders, MANIFESTS, DEMAND_NAME, _load)
