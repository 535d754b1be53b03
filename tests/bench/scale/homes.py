"""python -m tests.bench.scale.homes SIZE DATA FOLDER [REAL]: make one home, in a process that `tests.memory` can watch.

Prints the report of the build as JSON. The home is FOLDER/20k for 20,000 products.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from tests.bench.scale.catalogues import CatalogueMaker


def home_name(size: int) -> str:
    """Return "20k" for 20,000, "1m" for a million."""
    if size % 1_000_000 == 0:
        return f"{size // 1_000_000}m"
    return f"{size // 1_000}k" if size % 1_000 == 0 else str(size)


def main(size: int, data: Path, folder: Path, count: int | None) -> None:
    """Draw the catalogue and build its home."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("indexer.step_times").setLevel(logging.DEBUG)  # a million takes long
    home = folder / home_name(size)
    encoder = open_encoder("starter")
    began = time.process_time()
    feed = CatalogueMaker.of(data, folder, encoder, count).prepare(home, size)
    made = time.process_time() - began
    report = build_index(home, feed, encoder)
    print(json.dumps({"made_cpu_seconds": round(made, 1)} | report.body()))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else None)
