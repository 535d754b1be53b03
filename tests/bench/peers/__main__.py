"""One step of the comparison in a process of its own: `python -m tests.bench.peers build|search NAME FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.bench.peers.compare import ANSWER, one_step

if __name__ == "__main__":
    step, name, folder = sys.argv[1:]
    print("\n" + ANSWER + json.dumps(one_step(step, name, Path(folder))), flush=True)
