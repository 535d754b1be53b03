"""Check the files of the stored models of a shop against their manifests; every finding says what to do about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catalog.files.atomic import FileRecord
from catalog.files.version_folders import VersionFolders, damage, json_digest
from catalog.home import ShopHome
from indexer.maintenance.consistency import Findings

# Folder of the home -> what its versions are, and how to make a new one.
_MODELS = {
    "recommend": ("recommender models", "windowshop recommend fit (make recommend)"),
    "prices": ("price forecasts", "windowshop prices fit"),
    "demand": ("models of demand", "windowshop prices fit"),
}


def check_models(home: Path, findings: Findings, *, deep: bool) -> None:
    """Compare the length of every file of each version with its manifest; with `deep` its digest too."""
    for versions in model_folders(home):
        name, repair = _MODELS[versions.folder.name]
        for number in versions.numbers():
            if fault := _fault(versions.path(number), deep):
                findings.add(name, f"version {number} is damaged: {fault}", repair)
        current = versions.current_or_none()
        if versions.numbers() and (current is None or current not in versions.numbers()):
            findings.add(name, f"{versions.pointer} names no version on the disk", repair)


def model_folders(home: Path) -> list[VersionFolders]:
    """Return the versions of each sort of models that fits of a shop store; `retained` means nothing here."""
    shop = ShopHome(home)
    pairs = [
        (shop.recommender, shop.recommender_current),
        (shop.prices, shop.prices_current),
        (shop.demand, shop.demand_current),
    ]
    return [VersionFolders(folder, pointer, retained=1) for folder, pointer in pairs]


def _fault(folder: Path, deep: bool) -> str:
    path = folder / "manifest.json"
    try:
        files = _recorded(json.loads(path.read_text(encoding="utf-8")))
        sizes = {name: (folder / name).stat().st_size for name in files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{path} or a file that it names cannot be read ({error})"
    for name, size in sizes.items():
        if size != files[name].bytes:
            return f"{folder / name} has {size:,} bytes where the manifest says {files[name].bytes:,}"
    if deep and (found := damage(folder, files)) is not None:
        return f"{found[0]}: {found[1]}"
    return ""


def _recorded(body: dict[str, Any]) -> dict[str, FileRecord]:
    """Return the files that a manifest lists. Raises ValueError where its digest of itself does not match."""
    digest = body.pop("digest")
    if digest != json_digest(body):
        raise ValueError("its digest does not match what it says")
    return {name: FileRecord(**values) for name, values in body["files"].items()}
