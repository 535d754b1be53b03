"""The manifest of a version of the recommender's models: written last and checked first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

from catalog.errors import DamagedStore, NewerStore
from catalog.files.atomic import FileRecord
from catalog.files.version_folders import damage, json_digest

MANIFEST_FILE = "manifest.json"
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

    def to_json(self) -> str:
        """Return the manifest as JSON, with a digest of itself."""
        body = json.loads(json.dumps(asdict(self)))
        return json.dumps(body | {"digest": json_digest(body)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str, where: Path) -> ModelManifest:
        """Parse what `to_json` wrote. Raises DamagedStore, NewerStore."""
        try:
            body = json.loads(text)
            digest = body.pop("digest")
            if body["format"] != MANIFEST_FORMAT:
                raise NewerStore(f"{where} was written by another version of Windowshop.", REPAIR)
            if digest != json_digest(body):
                raise ValueError("its digest does not match what it says")
            if body.keys() != {part.name for part in fields(cls)}:
                raise ValueError("its fields are others")
            files = {name: FileRecord(**values) for name, values in body.pop("files").items()}
            if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in files):
                raise ValueError("it names a file outside its folder")
            return cls(**(body | {"models": tuple(body["models"])}), files=files)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise damaged(where, str(error)) from error


def read_manifest(folder: Path) -> ModelManifest:
    """Read the manifest of a version's folder. Raises DamagedStore, NewerStore."""
    path = folder / MANIFEST_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(path, f"it cannot be read ({error})") from error
    manifest = ModelManifest.from_json(text, path)
    if folder.name != f"{manifest.version:06d}":
        raise damaged(path, f"it belongs to version {manifest.version}")
    return manifest


def verify(folder: Path) -> ModelManifest:
    """Check every file of a version against its manifest. Raises DamagedStore naming the first that differs."""
    manifest = read_manifest(folder)
    if (found := damage(folder, manifest.files)) is not None:
        raise damaged(*found)
    return manifest


def damaged(path: Path, reason: str) -> DamagedStore:
    """Return the error that names the damaged file and the command that repairs it."""
    return DamagedStore(f"{path} is damaged: {reason}.", REPAIR)
