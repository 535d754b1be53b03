"""The manifest of a version of the recommender's models: written last and checked first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.files.atomic import FileRecord
from search.fitting.manifest_files import ManifestFiles

MANIFEST_FORMAT = 1
REPAIR = "Fit the models again: make recommend (windowshop recommend fit)."


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """What a version was fitted from and how good it was; it names no visitor.

    Times are unix seconds; the events are from `since` to before `until`. `models` are names in `STORED_MODELS`.
    `figures` are those of the evaluation, `settings` those of the fit.
    """

    version: int
    fitted_at: int
    since: int
    until: int
    events: int
    visitors: int
    products: int
    models: tuple[str, ...]
    settings: Mapping[str, Any]
    figures: Mapping[str, Any]
    files: Mapping[str, FileRecord] = field(default_factory=dict)
    format: int = MANIFEST_FORMAT


MANIFESTS = ManifestFiles(ModelManifest, REPAIR)
damaged = MANIFESTS.damaged
