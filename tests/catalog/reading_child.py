"""Reads feeds in a process of its own, and tells how much memory each took: python -m tests.catalog.reading_child.

One path a line comes in, one JSON object a line goes out.
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
    told = {"products": [], "rejected": 0, "reasons": [], "error": None}
    try:
        for entry in read_feed(path):
            if isinstance(entry, Rejected):
                told["rejected"] += 1
                told["reasons"] = [*told["reasons"], f"{entry.line}: {entry.reason[:300]}"][:10]
            else:
                told["products"] = [*told["products"], entry.id][:10]
    except BadFeed as error:
        told["error"] = str(error)
    return told | {"grown": memory("VmHWM") - before, "seconds": time.process_time() - start}


if __name__ == "__main__":
    at_start = memory("VmRSS")
    for line in sys.stdin:
        print(json.dumps(tell(Path(line.rstrip("\n")), at_start)), flush=True)
