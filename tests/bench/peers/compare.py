"""Compare indexes at equal recall: the least effort that finds 0.995 of the ten best, and what a search then takes.

Each is built in a process of its own, and opened and searched in another, so that memory is what it needs to search,
and an end of one is no end of the others. Times are of the processor. Each peer's searches alternate with ours, so
that whatever else the machine does falls on both. Results are saved one by one: what was measured with the same rows
and versions of packages is not measured again, until its file `NAME.json` is deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import indexer.ann
from tests.bench.peers.limits import LIMITS, Limits, in_own_process, locked
from tests.bench.peers.steps import CONTESTANTS, OWN, contestant_of, files_of
from tests.bench.peers.table import table
from tests.bench.peers.workload import ROWS, Workload, digests

OWN_PACKAGES = ("faiss-cpu", "numpy")
Step = Callable[[str, str, Path, Limits], dict[str, Any]]


@dataclass(frozen=True)
class Options:
    """How to compare: limits of a step, a file whose lock each step holds, whether peers' files are left, and whom.

    Of peers that are not wanted, only what is saved is in the table.
    """

    limits: Limits = LIMITS
    lock: Path | None = None
    leave: bool = False
    peers: tuple[str, ...] = tuple(CONTESTANTS)


def add_options(parser: ArgumentParser) -> None:
    """Add the options of this part of the benchmark."""
    parser.add_argument("--rows", type=int, default=100_000, help="at most, of the comparison with peers")
    parser.add_argument("--workload", type=Path, help="compare on this folder's rows.npy and questions.npz instead")
    parser.add_argument("--peers", nargs="+", choices=CONTESTANTS, default=[*CONTESTANTS], help="measure only these")
    parser.add_argument("--step-seconds", type=int, default=LIMITS.seconds, help="of the processor, for a step")
    parser.add_argument("--step-memory", type=int, default=LIMITS.memory_gb, help="GB, for a step")
    parser.add_argument(
        "--part-seconds", type=float, default=LIMITS.part_seconds, help="for a peer's questions of a sort"
    )
    parser.add_argument("--lock", type=Path, help="a file whose lock each step of the comparison with peers holds")


def comparing(home: Path, folder: Path, arguments: Any) -> dict[str, Any]:
    """Every contestant's figures, or why it has none, on rows of a shop or on a saved workload."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that a step's process ends with this one
    limits = Limits(arguments.step_seconds, arguments.step_memory, arguments.part_seconds)
    options = Options(limits, arguments.lock, arguments.workload is not None, tuple(arguments.peers))
    if arguments.workload is None:
        Workload.of_shop(home, arguments.rows).save(folder)
    return comparing_all(arguments.workload or folder, options)


def comparing_all(folder: Path, options: Options, step: Step = in_own_process) -> dict[str, Any]:
    """Compare on the saved workload, one after the other, as far as that is not done."""
    rows, saved = (folder / ROWS).stat().st_size, digests(folder)
    report: dict[str, Any] = {"rows_mb": rows / 1e6}
    for name in (OWN, *CONTESTANTS):
        inputs = {**saved, **versions(name), **({"indexer/ann": own_digest()} if name == OWN else {})}
        figures = measured_before(folder, name, inputs, options.limits)
        if not figures and name in (OWN, *options.peers):
            figures = measured(folder, name, inputs, options, step)
            print(f"peers: {name}: {figures.get('skipped', 'measured')}", file=sys.stderr, flush=True)
            if name != OWN and not options.leave:
                shutil.rmtree(files_of(folder, name), ignore_errors=True)
        if name == OWN and "skipped" in figures:
            raise RuntimeError(f"there is nothing to compare with: {figures['skipped']}")
        if figures:
            report[name] = figures
    report["table"] = table(report, OWN)
    return report


def measured_before(folder: Path, name: str, inputs: dict[str, str], limits: Limits) -> dict[str, Any]:
    """Return the figures of a contestant that are saved for the same inputs, if any; failures only for these limits."""
    found = _read(_result(folder, name))
    if found.get("inputs") != inputs or ("skipped" in found and found["limits"] != str(limits)):
        return {}
    return found


def measured(folder: Path, name: str, inputs: dict[str, str], options: Options, step: Step) -> dict[str, Any]:
    """Measure a contestant, and save its figures."""
    with locked(options.lock):
        load = os.getloadavg()[0]
        figures = _built(folder, name, inputs, options, step)
    if "skipped" not in figures:
        with locked(options.lock):
            figures = figures | step("search", name, folder, options.limits)
    figures |= {"inputs": inputs, "versions": versions(name), "limits": str(options.limits), "commit": commit()}
    figures |= {"at": time.strftime("%Y-%m-%d %H:%M"), "load": [load, os.getloadavg()[0]]}
    _result(folder, name).write_text(json.dumps(figures))
    return figures


def _result(folder: Path, name: str) -> Path:
    return files_of(folder, name).with_suffix(".json")


def _built(folder: Path, name: str, inputs: dict[str, str], options: Options, step: Step) -> dict[str, Any]:
    """Return the figures of a build; files that are there for the same inputs are not made again."""
    path = files_of(folder, name) / "figures.json"
    found = _read(path)
    if found.pop("inputs", None) == inputs:
        return found
    figures = step("build", name, folder, options.limits)
    if path.parent.is_dir() and "skipped" not in figures:
        path.write_text(json.dumps(figures | {"inputs": inputs}))
    return figures


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def versions(name: str) -> dict[str, str]:
    """Return the versions of the packages that a contestant uses; "" where one is not installed."""
    found = {}
    for package in OWN_PACKAGES if name == OWN else contestant_of(name).packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = ""
    return found


def own_digest() -> str:
    """Return the digest of our index's code."""
    sources = sorted(Path(next(iter(indexer.ann.__path__))).glob("*.py"))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]


def commit() -> str:
    """Return the last commit that changed our index, or "" outside a repository."""
    folder = next(iter(indexer.ann.__path__))
    try:
        command = ["git", "-C", folder, "log", "-1", "--format=%h", "--", "."]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
