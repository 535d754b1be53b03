"""A command run and watched: how long it took, and how much memory it had, its own apart from pages of files.

Pages of files that are mapped count as resident too, but the kernel takes them back when others need memory; what a
process needs is its anonymous memory.
"""

import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

EVERY_SECONDS = 0.004


@dataclass(frozen=True)
class Watched:
    """How a command ended, how long it took, and its peaks in MiB: all resident memory, its own, and of mapped files.

    `cpu_seconds` are of all its threads and children, and tell more than the clock where others are at work too.
    """

    code: int
    output: str
    errors: str
    seconds: float
    cpu_seconds: float
    resident_mb: float
    own_mb: float
    files_mb: float


def watch(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> Watched:
    """Run a command to its end and look at its memory every few milliseconds; Linux only."""
    peaks = {"VmHWM": 0, "RssAnon": 0, "RssFile": 0}
    began, used = time.perf_counter(), _cpu()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors, cwd=cwd, env=env)
        while process.poll() is None:
            for name, kib in _status(process.pid).items():
                peaks[name] = max(peaks[name], kib)
            time.sleep(EVERY_SECONDS)
        seconds, used = time.perf_counter() - began, _cpu() - used
        texts = []
        for stream in (output, errors):
            stream.seek(0)
            texts.append(stream.read())
    resident, own, files = (peaks[name] / 1024 for name in ("VmHWM", "RssAnon", "RssFile"))
    return Watched(process.returncode, texts[0], texts[1], seconds, used, resident, own, files)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _status(pid: int) -> dict[str, int]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    wanted = (line.split() for line in lines if line.startswith(("VmHWM:", "RssAnon:", "RssFile:")))
    return {words[0].rstrip(":"): int(words[1]) for words in wanted}
