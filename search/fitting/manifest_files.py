"""Manifests of versions of fitted models: a JSON file with a digest of itself, written last and checked first."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, Generic, Protocol, TypeVar

from catalog.errors import DamagedStore, NewerStore
from catalog.files.atomic import FileRecord
from catalog.files.version_folders import damage, json_digest

MANIFEST_FILE = "manifest.json"


class VersionManifest(Protocol):
    """What a manifest has at least: it is a dataclass, whose `format` has a default."""

    @property
    def version(self) -> int:
        """The number of the version."""

    @property
    def files(self) -> Any:
        """The record of each file by its path in the version's folder."""


Kind = TypeVar("Kind", bound=VersionManifest)


@dataclass(frozen=True, slots=True)
class ManifestFiles(Generic[Kind]):
    """Reads and writes manifests of one class; `repair` is the hint that goes with each damage."""

    kind: type[Kind]
    repair: str

    def to_json(self, manifest: Kind) -> str:
        """Return the manifest as JSON, with a digest of itself."""
        body = json.loads(json.dumps(asdict(manifest)))  # type: ignore[call-overload]  # a dataclass, see VersionManifest
        return json.dumps(body | {"digest": json_digest(body)}, indent=2, sort_keys=True) + "\n"

    def from_json(self, text: str, where: Path) -> Kind:
        """Parse what `to_json` wrote; lists become tuples. Raises DamagedStore, NewerStore."""
        parts = {part.name: part for part in fields(self.kind)}  # type: ignore[arg-type]
        try:
            body = json.loads(text)
            digest = body.pop("digest")
            if body["format"] != parts["format"].default:
                raise NewerStore(f"{where} was written by another version of Windowshop.", self.repair)
            if digest != json_digest(body):
                raise ValueError("its digest does not match what it says")
            if body.keys() != parts.keys():
                raise ValueError("its fields are others")
            files = {name: FileRecord(**values) for name, values in body.pop("files").items()}
            if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in files):
                raise ValueError("it names a file outside its folder")
            values = {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
            return self.kind(**values, files=files)  # type: ignore[call-arg]  # a dataclass
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self.damaged(where, str(error)) from error

    def read(self, folder: Path) -> Kind:
        """Read the manifest of a version's folder. Raises DamagedStore, NewerStore."""
        path = folder / MANIFEST_FILE
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self.damaged(path, f"it cannot be read ({error})") from error
        manifest = self.from_json(text, path)
        if folder.name != f"{manifest.version:06d}":
            raise self.damaged(path, f"it belongs to version {manifest.version}")
        return manifest

    def verify(self, folder: Path) -> Kind:
        """Check every file of a version against its manifest. Raises DamagedStore naming the first that differs."""
        manifest = self.read(folder)
        if (found := damage(folder, manifest.files)) is not None:
            raise self.damaged(*found)
        return manifest

    def damaged(self, path: Path, reason: str) -> DamagedStore:
        """Return the error that names the damaged file and the command that repairs it."""
        return DamagedStore(f"{path} is damaged: {reason}.", self.repair)
