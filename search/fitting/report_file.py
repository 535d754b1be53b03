"""The report of the last fit: a JSON file that each fit replaces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.files.atomic import write_atomically


def write_report(path: Path, values: Mapping[str, Any]) -> None:
    """Write the JSON values of a report, over the one before."""
    text = json.dumps(values, indent=2) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def read_report(path: Path) -> dict[str, Any] | None:
    """Return the JSON values of the last report; None before the first, or where it cannot be read."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) else None
