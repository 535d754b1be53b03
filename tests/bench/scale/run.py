"""make bench: what a shop of 20,000, 200,000 and a million products costs, each part in a process of its own.

Writes a JSON file for each size, from which the report with its curves is made, so that sizes can be measured apart.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.scale.homes import home_name
from tests.bench.scale.report import write_report
from tests.memory import Watched, watch

SIZES = (20_000, 200_000, 1_000_000)


def scaling_catalogues(data: Path, folder: Path, sizes: list[int], count: int | None = None) -> dict[str, Any]:
    """Build what is missing, measure each size, and write FOLDER/report.html; return what was measured by size."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        saved = folder / f"{home_name(size)}.json"
        found = json.loads(saved.read_text()) if saved.exists() else {}
        if not (folder / home_name(size) / "current").exists():
            found["build"] = run_part("homes", size, data, folder, count)
            saved.write_text(json.dumps(found, indent=2))
        found["served"] = run_part("measure", size, data, folder, count)
        saved.write_text(json.dumps(found, indent=2))
        found["update"] = run_part("update", size, data, folder, count)
        saved.write_text(json.dumps(found, indent=2))
    return write_report(folder)


def run_part(part: str, size: int, data: Path, folder: Path, count: int | None) -> dict[str, Any]:
    """Run one part for one size and return what it prints, with what the process took."""
    command = [sys.executable, "-m", f"tests.bench.scale.{part}", str(size), str(data), str(folder)]
    run: Watched = watch([*command, *([str(count)] if count else [])])
    if run.code:
        raise SystemExit(f"{part} of {size:,} products ended with {run.code}: {run.errors[-2000:]}")
    process = {name: value for name, value in asdict(run).items() if name not in ("output", "errors", "code")}
    return json.loads(run.output.splitlines()[-1]) | {"process": process}
