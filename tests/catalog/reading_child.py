"""Read feeds in a process of its own, and report the memory of each: python -m tests.catalog.reading_child.

Reads one path per line; writes one JSON object per line.
"""

import json
import sys
import time
from pathlib import Path

from catalog.errors import BadFeed
from catalog.feeds.reader import read_feed
from catalog.product import Rejected


def memory(name):
    """VmRSS (now) or VmHWM (the most since it was last reset) in kilobytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0])


def tell(path, before):
    Path("/proc/self/clear_refs").write_text("5")  # the most memory used starts again from what is used now
    start = time.process_time()
    outcome = {"products": [], "rejected": 0, "reasons": [], "error": None}
    try:
        for entry in read_feed(path):
            if isinstance(entry, Rejected):
                outcome["rejected"] += 1
                outcome["reasons"] = [*outcome["reasons"], f"{entry.line}: {entry.reason[:300]}"][:10]
            else:
                outcome["products"] = [*outcome["products"], entry.id][:10]
    except BadFeed as error:
        outcome["error"] = str(error)
    return outcome | {"grown": memory("VmHWM") - before, "seconds": time.process_time() - start}


if __name__ == "__main__":
    at_start = memory("VmRSS")
    for line in sys.stdin:
        print(json.dumps(tell(Path(line.rstrip("\n")), at_start)), flush=True)
