"""The manifest of a generation: written last and checked first, so that a damaged generation is never served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from catalog.errors import DamagedGeneration, GenerationError
from catalog.files.atomic import FileRecord
from catalog.files.version_folders import damage, json_digest
from indexer.generations.match_curve import MatchCalibration
from indexer.types import Block, EncoderSpec, IndexRecord, Recall

MANIFEST_FORMAT = 1
MANIFEST_FILE = "manifest.json"
REPAIR = "Build the index again: make index FEED=... (python -m indexer build); pictures already encoded are reused."


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything needed to open a generation and to know what it was made from.

    `match` is None when the catalogue has too little to fit it, and in manifests of earlier versions.
    """

    number: int
    created: str
    encoder: EncoderSpec
    fingerprint: str
    preprocessing: Mapping[str, Any]
    blocks: tuple[Block, ...]
    rows: int
    products: int
    seq: int
    index: IndexRecord
    weights: Mapping[str, Mapping[str, float]]
    words_gate: float
    recall: Recall
    files: Mapping[str, FileRecord]
    format: int = MANIFEST_FORMAT
    match: MatchCalibration | None = None

    def body(self) -> dict[str, Any]:
        """Return the manifest as JSON values."""
        return asdict(self) | {"match": None if self.match is None else self.match.body()}

    def to_json(self) -> str:
        """Return the manifest as JSON, with a digest of itself so that a flipped bit in it is noticed too."""
        body = self.body()
        return json.dumps(body | {"digest": json_digest(body)}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Manifest:
        """Parse what `to_json` wrote. Raises DamagedGeneration, or GenerationError for another format."""
        try:
            body = json.loads(text)
            digest = body.pop("digest")
            if body["format"] != MANIFEST_FORMAT:
                found = f"{where} has format {body['format']!r}; this version reads format {MANIFEST_FORMAT}."
                raise GenerationError(found, REPAIR)
            if digest != json_digest(body):
                raise damaged(where, "its digest does not match what it says")
            return _from_body(body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise damaged(where, f"it cannot be read ({error!r})") from error


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a generation's folder. Raises DamagedGeneration."""
    path = folder / MANIFEST_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(str(path), f"it cannot be read ({error})") from error
    manifest = Manifest.from_json(text, str(path))
    if folder.name != f"{manifest.number:06d}":
        raise damaged(str(path), f"it belongs to generation {manifest.number:06d}")
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with the manifest. Raises DamagedGeneration naming the first that differs."""
    if (found := damage(folder, manifest.files)) is not None:
        path, reason = found
        raise damaged(str(path), reason)


def damaged(path: str, reason: str) -> DamagedGeneration:
    """Return the error that names the damaged file and the command that repairs it."""
    return DamagedGeneration(f"{path} is damaged: {reason}.", REPAIR)


def _from_body(body: dict[str, Any]) -> Manifest:
    unknown = body.keys() - {field.name for field in fields(Manifest)}
    if unknown:
        raise KeyError(f"unknown fields {sorted(unknown)}")
    spec = body["encoder"] | {"blocks": tuple(body["encoder"]["blocks"])}
    files = {name: FileRecord(**file) for name, file in body["files"].items()}
    if any(Path(name).name != name for name in files):
        raise ValueError("a file name that is a path")
    typed = {
        "encoder": EncoderSpec(**spec),
        "blocks": tuple(Block(**block) for block in body["blocks"]),
        "index": IndexRecord(**body["index"]),
        "recall": Recall(**body["recall"]),
        "files": files,
        "match": None if body.get("match") is None else MatchCalibration.from_body(body["match"]),
    }
    return Manifest(**(body | typed))
