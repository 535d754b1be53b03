"""The models that recommend in a shop, as one fit made them: what a version folder holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np

from search.recommend.events.interactions import Codes
from search.recommend.events.product_table import ProductTable
from search.recommend.learning.manifest import ModelManifest, damaged
from search.recommend.learning.model_files import load_arrays, load_table, save_arrays, save_table
from search.recommend.models.base import RecommenderModel
from search.recommend.models.together import Together
from search.recommend.outlook.features import NAMES
from search.recommend.outlook.outlook import Outlook
from search.recommend.ranking.blend import Blend
from search.recommend.ranking.candidate_ranker import CandidateRanker
from search.recommend.ranking.features import FEATURES
from search.recommend.ranking.two_stage import TwoStage

_TABLE_FOLDER = "table"


class ModelWithFiles(Protocol):
    """A model that writes files of its own, because it is more than arrays."""

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder."""

    @classmethod
    def load(cls, folder: Path) -> Any:
        """Read what `save` wrote."""


# Name -> class of what a version may hold. A version holds those that its shop's events were enough for.
# The features that the trees of models split on: a program that knows others cannot ask them.
FEATURE_NAMES = {TwoStage.name: list(FEATURES), Outlook.name: list(NAMES)}
STORED_MODELS: dict[str, type[Any]] = {kind.name: kind for kind in (TwoStage, Blend, Outlook)}


@dataclass(frozen=True, slots=True, eq=False)
class FittedModels:
    """The fitted models by name, the products that they know (`table`, whose codes are theirs), and their manifest.

    They hold facts of products alone: no visitor, and no visitor's id, is in them.
    """

    table: ProductTable
    models: Mapping[str, Any]
    manifest: ModelManifest

    @property
    def version(self) -> int:
        """The number of the version."""
        return self.manifest.version

    @property
    def fitted_at(self) -> int:
        """When the models were fitted, unix seconds."""
        return self.manifest.fitted_at

    @property
    def figures(self) -> Mapping[str, Any]:
        """What the evaluation of the fit measured, as JSON values."""
        return self.manifest.figures

    @property
    def ranking(self) -> CandidateRanker | None:
        """The model that ranks for a visitor, `Blend` where events were too few for trees; None where neither is."""
        model: CandidateRanker | None = self.models.get(TwoStage.name) or self.models.get(Blend.name)
        return model

    @property
    def together(self) -> Together | None:
        """The model of what is bought together, a part of the ranking model; None where that was not fitted."""
        return None if self.ranking is None else self.ranking.first.together

    @property
    def outlook(self) -> Outlook | None:
        """The models of what a visitor will buy next; None where the events were too few for them."""
        outlook: Outlook | None = self.models.get(Outlook.name)
        return outlook

    def codes(self, ids: Sequence[str]) -> Codes:
        """Return the position of each product in the table of the fit; -1 for a product that came later."""
        code_of = self.table.code_of
        return np.fromiter((code_of.get(product_id, -1) for product_id in ids), np.int32, len(ids))


def save_models(folder: Path, fitted: FittedModels) -> None:
    """Write the models and the products that they know into an empty folder."""
    (folder / _TABLE_FOLDER).mkdir()
    save_table(folder / _TABLE_FOLDER, fitted.table)
    for name, model in fitted.models.items():
        own = folder / name
        own.mkdir()
        if isinstance(model, RecommenderModel) and not hasattr(model, "save"):
            save_arrays(own, model.arrays())
        else:
            model.save(own)


def load_models(folder: Path, manifest: ModelManifest) -> FittedModels:
    """Read what `save_models` wrote, once its files were checked. Raises DamagedStore, also for other features."""
    features = manifest.settings.get("features", FEATURE_NAMES)
    if any(features.get(name) != FEATURE_NAMES.get(name) for name in manifest.models):
        raise damaged(folder, "its models were fitted on other features than this version of Windowshop has")
    try:
        table = load_table(folder / _TABLE_FOLDER)
        models = {name: _load(folder / name, STORED_MODELS[name]) for name in manifest.models if name in STORED_MODELS}
    except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile) as error:
        raise damaged(folder, f"a file cannot be opened ({error})") from error
    if len(table) != manifest.products:
        raise damaged(folder, "its products are not those of its manifest")
    return FittedModels(table, models, manifest)


def _load(folder: Path, kind: type[Any]) -> Any:
    if issubclass(kind, RecommenderModel) and not hasattr(kind, "load"):
        return kind.from_arrays(load_arrays(folder))
    return kind.load(folder)
