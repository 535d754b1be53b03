"""One step of the comparison: `python -m tests.bench.peers build|search NAME FOLDER GB PART_SECONDS`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.bench.peers.limits import ANSWER, Limits, limit_memory
from tests.bench.peers.steps import one_step

if __name__ == "__main__":
    step, name, folder, memory_gb, part_seconds = sys.argv[1:]
    limit_memory(int(memory_gb))
    figures = one_step(step, name, Path(folder), Limits(part_seconds=float(part_seconds)))
    print("\n" + ANSWER + json.dumps(figures), flush=True)
