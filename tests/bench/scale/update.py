"""python -m tests.bench.scale.update SIZE DATA FOLDER [REAL]: update a copy of a home with a feed of which 1 % differs.

Half a percent of the products left, as many came (their pictures were encoded before, as everywhere here), and half a
percent has another price. Prints the report of the update as JSON, with the seconds of each step.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
import time
from itertools import islice
from pathlib import Path

from indexer.build.build import UpdateOptions, update_index
from indexer.encoders.registry import open_encoder
from tests.bench.scale.catalogues import CatalogueMaker
from tests.bench.scale.homes import home_name
from tests.bench.scale.measure import scratch_copy
from tests.bench.scale.texts import COLUMNS

PRICE = COLUMNS.index("price")


def main(size: int, data: Path, folder: Path, count: int | None) -> None:
    """Write the changed feed, and update."""
    encoder = open_encoder("starter")
    maker = CatalogueMaker.of(data, folder, encoder, count)
    home = scratch_copy(folder / home_name(size))
    changed = maker.folder / f"products-{size}-changed.csv"
    try:
        few = max(1, size // 200)
        whole = maker.prepare(home, size + few)
        write_changed(whole, changed, few)
        clock, cpu = time.perf_counter(), time.process_time()
        report = update_index(home, encoder, UpdateOptions(feed=changed))
        seconds = {"seconds": round(time.perf_counter() - clock, 2), "cpu_seconds": round(time.process_time() - cpu, 2)}
        print(json.dumps(report.body() | seconds | {"steps": {step.name: step.body() for step in report.steps}}))
    finally:
        shutil.rmtree(home)
        changed.unlink(missing_ok=True)
        (maker.folder / f"products-{size + few}.csv").unlink(missing_ok=True)


def write_changed(whole: Path, changed: Path, few: int) -> None:
    """Write a feed without its first products, and with other prices of the next ones."""
    with whole.open(encoding="utf-8", newline="") as opened, changed.open("w", encoding="utf-8", newline="") as out:
        rows, writer = csv.reader(opened), csv.writer(out)
        writer.writerow(next(rows))
        for row in islice(rows, few, 2 * few):
            writer.writerow([*row[:PRICE], "9.99 EUR", *row[PRICE + 1 :]])
        writer.writerows(rows)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else None)
