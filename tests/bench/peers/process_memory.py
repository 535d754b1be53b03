"""Memory of this process, and the size of files."""

from __future__ import annotations

import ctypes
import gc
import resource
from pathlib import Path

MB_OF_KIB = 1024 / 1e6  # the system counts in KiB


def own_memory() -> float:
    """Return the MB of this process that are in no file; 0 where the system does not say."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc: memory that was freed does not count
    if trim is not None:
        trim(0)
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) * MB_OF_KIB


def peak_mb() -> float:
    """Return the highest memory of this process so far, pages of mapped files included, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MB_OF_KIB


def disk_mb(folder: Path) -> float:
    """Return the size of the files of a folder, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
