"""python -m tests.bench.scale.encode SIZE DATA FOLDER [REAL]: build a home of which nothing was encoded before.

Every picture and title is encoded by the build itself, on as many threads as a build takes by default. Prints the
report of the build as JSON, with the seconds by the clock and of the processor. The home is FOLDER/20k-encoded for
20,000 products; a home that exists is refused, as its caches would be used.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
from pathlib import Path

from indexer.build.build import build_index
from indexer.encoders.registry import open_encoder
from tests.bench.scale.catalogues import CatalogueMaker
from tests.bench.scale.homes import home_name


def main(size: int, data: Path, folder: Path, count: int | None) -> None:
    """Draw the catalogue, leave its vectors out, and build."""
    home = folder / f"{home_name(size)}-encoded"
    if home.exists():
        raise SystemExit(
            f"{home} exists: what it encoded would not be encoded again. Remove it, or name another folder."
        )
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("indexer.step_times").setLevel(logging.DEBUG)  # a million takes long
    encoder = open_encoder("starter")
    feed = CatalogueMaker.of(data, folder, encoder, count).feed(size)
    load, clock, cpu = os.getloadavg(), time.perf_counter(), cpu_seconds()
    report = build_index(home, feed, encoder)
    took = {"clock_seconds": time.perf_counter() - clock, "cpu_seconds": cpu_seconds() - cpu, "load_before": load}
    print(json.dumps(took | report.body()))


def cpu_seconds() -> float:
    """Return the processor time of this process and of its decoders that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else None)
