"""make bench: what a daily update costs beside a full build, in seconds and memory, each step a process of its own.

A copy of the fashion feed is built; then two hundred of its pictures are altered, then as many prices, then all prices,
and the shop is updated after each. The change is the same for a small and a large catalogue.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from tests.memory import Watched, watch

ALTERED = 200
FINE = (0, 3)  # exit codes: all went well, some rows were rejected


def updating(data: Path, home: Path, encoder: str, count: int) -> dict[str, Any]:
    """A build, an update of 200 pictures, of 200 prices, and of all prices: seconds, ratio, work done, memory."""
    shutil.rmtree(home, ignore_errors=True)
    feed = Feed(data / "fashion", home / "feed", count)
    shop = home / "shop"
    feed.write()
    built = _run("build", shop, "--feed", str(feed.path), "--encoder", encoder)
    feed.alter_pictures()
    changed = _run("update", shop, "--json")
    feed.write(dearer=ALTERED)
    some = _run("update", shop, "--json")
    feed.write(dearer=count, price="12 EUR")
    every = _run("update", shop, "--json")
    size = _generation_mb(shop)
    shutil.rmtree(home)
    return {
        "encoder": encoder,
        "products": len(feed.rows),
        "build": _figures(built),
        "pictures": _figures(changed) | _work(changed),
        "prices": _figures(some) | _work(some),
        "all_prices": _figures(every) | _work(every),
        "update_to_build": round(changed.seconds / built.seconds, 4),
        "generation_mb": size,
    }


class Feed:
    """The first rows of the fashion feed with a price, its pictures linked; what is altered is altered only here."""

    def __init__(self, source: Path, folder: Path, count: int) -> None:
        self.path = folder / "products.csv"
        (folder / "images").mkdir(parents=True)
        with (source / "products.csv").open(newline="", encoding="utf-8") as opened:
            self.names, *self.rows = list(csv.reader(opened))[: count + 1]
        for row in self.rows:
            _link(source / row[-1], folder / row[-1])

    def write(self, dearer: int = 0, price: str = "11 EUR") -> None:
        """Write the feed; everything costs ten euros but for the first so many products."""
        with self.path.open("w", newline="", encoding="utf-8") as opened:
            writer = csv.writer(opened)
            writer.writerow([*self.names, "price"])
            writer.writerows([*row, price if place < dearer else "10 EUR"] for place, row in enumerate(self.rows))

    def alter_pictures(self) -> None:
        """Turn some pictures from all over the feed upside down."""
        for row in self.rows[:: len(self.rows) // ALTERED][:ALTERED]:
            path = self.path.parent / row[-1]
            picture = ImageOps.flip(Image.open(path).convert("RGB"))
            path.unlink()  # it is a link to the data set's own file
            picture.save(path, "JPEG", quality=90)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def _run(command: str, home: Path, *options: str) -> Watched:
    run = watch([sys.executable, "-m", "indexer", command, "--home", str(home), *options])
    if run.code not in FINE:
        raise SystemExit(f"{command} ended with {run.code}: {run.errors}")
    return run


def _figures(run: Watched) -> dict[str, float]:
    return {
        "seconds": round(run.seconds, 2),
        "cpu_seconds": round(run.cpu_seconds, 2),
        "resident_mb": round(run.resident_mb, 1),
        "own_memory_mb": round(run.own_mb, 1),
        "file_pages_mb": round(run.files_mb, 1),
    }


def _work(run: Watched) -> dict[str, Any]:
    report = json.loads(run.stdout)
    kept = ("encoded", "titles", "copied", "made", "rejected")
    changes = {kind: found["count"] for kind, found in report["changes"].items() if isinstance(found, dict)}
    return {name: report[name] for name in kept} | {"changes": {kind: n for kind, n in changes.items() if n}}


def _generation_mb(home: Path) -> float:
    folder = max((home / "generations").iterdir())
    return round(sum(path.stat().st_size for path in folder.iterdir()) / 2**20, 1)
