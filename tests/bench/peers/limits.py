"""Run a step in a process of its own, within limits of time and memory."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")  # lancedb builds for ever on one of its own
SURROUNDINGS = {**dict.fromkeys(THREADS, "1"), "LANCE_LOG": "error"}
ANSWER = "figures: "  # begins the line that a step's process prints
CLOCK = 6  # times the seconds of the processor, for a process that waits for ever or shares the machine
WAIT_S = 0.5
GB = 10**9


@dataclass(frozen=True)
class Limits:
    """What one step may take: seconds of the processor, and GB of memory that is in no file.

    A search step asks a peer so many questions of a sort that tuning and measuring take about `part_seconds`.
    """

    seconds: int = 600
    memory_gb: int = 10
    part_seconds: float = 3

    def __str__(self) -> str:
        return f"{self.seconds} s, {self.memory_gb} GB"


LIMITS = Limits()


def in_own_process(step: str, name: str, folder: Path, limits: Limits = LIMITS) -> dict[str, Any]:
    """Run a step in another process; return its figures, or that it ended without any."""
    command = [sys.executable, "-m", "tests.bench.peers", step, name, str(folder)]
    command += [str(limits.memory_gb), str(limits.part_seconds)]
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, env={**os.environ, **SURROUNDINGS}, stdout=printed)
        try:
            over = _watched(process, limits.seconds)
        finally:
            process.kill()
            process.wait()
        printed.seek(0)
        lines = printed.read().splitlines()
    if over:
        return {"skipped": f"did not finish to {step} in {over}"}
    if process.returncode:
        return {"skipped": f"failed to {step}: the process ended with {process.returncode}"}
    for line in reversed(lines):  # libraries print lines of their own, some at exit
        if line.startswith(ANSWER):
            figures: dict[str, Any] = json.loads(line.removeprefix(ANSWER))
            return figures
    return {"skipped": f"failed to {step}: the process gave no figures"}


def _watched(process: subprocess.Popen[bytes], seconds: float) -> str:
    """Wait until a process ends or has used up its seconds; return which, or "" where it ended by itself.

    Not by RLIMIT_CPU: under it Linux counts a process's time in whole ticks of 4 ms.
    """
    started = time.monotonic()
    while True:
        try:
            process.wait(WAIT_S)
            return ""
        except subprocess.TimeoutExpired:
            if _processor_seconds(process.pid) > seconds:
                return f"{seconds} s of the processor"
            if time.monotonic() - started > CLOCK * seconds:
                return f"{CLOCK * seconds} s by the clock"


def _processor_seconds(pid: int) -> float:
    """Return the seconds of the processor that a process has used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def limit_memory(memory_gb: int) -> None:
    """Hold this process to so much memory that is in no file."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory_gb * GB,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def locked(path: Path | None) -> Iterator[None]:
    """Hold the lock of a file, if any, so that other measurements on this machine wait."""
    if path is None:
        yield
        return
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
