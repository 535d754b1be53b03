"""How recommendations scale: logs of millions of events drawn from a log of purchases, each step in its own process.

A drawn log has copies of households: all baskets of a copy are moved by the same hours, up to three days, so that
a household's rhythm and what is bought together stay as they are.
"""

from __future__ import annotations

import csv
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from search.recommend.events.event_columns import read_history, read_interactions
from search.recommend.events.event_import import EventImport
from search.recommend.events.event_log import EventLog
from search.recommend.events.event_rows import open_event_file
from search.recommend.events.purchase_log import read_products
from search.recommend.models.base import Context
from search.recommend.ranking.two_stage import TwoStage

STEPS = ("import", "load", "history", "fit")
HISTORIES = 500
MAX_HOURS = 72


def scaling(data: Path, home: Path, count: int, steps: tuple[str, ...] = STEPS) -> dict[str, Any]:
    """Return seconds, processor seconds and peak memory of each step for a log of some `count` events."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    draw_log(data / "events.csv.gz", home / "drawn.csv", count)
    found: dict[str, Any] = {"events": count}
    for step in steps:
        command = [sys.executable, "-m", "tests.bench.recommend", str(data), str(home), step]
        found[step] = json.loads(subprocess.check_output(command, text=True))
    return found


def draw_log(source: Path, target: Path, count: int) -> None:
    """Write about `count` events: the households of a log again and again, each copy moved in time, copy after copy."""
    with open_event_file(source) as file:
        rows = [cells[:6] for _, cells in file.cells() if not isinstance(cells, str)]
    rng = np.random.default_rng(0)
    copies = -(-count // len(rows))
    households = sorted({row[0] for row in rows})
    share = count / (copies * len(rows))
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("visitor", "time", "type", "product_id", "quantity", "price"))
        for copy in range(copies):
            hours = dict(zip(households, rng.integers(-MAX_HOURS, MAX_HOURS, len(households)).tolist(), strict=True))
            drawn = {household for household in households if rng.random() < share}
            for visitor, at, *rest in rows:
                if visitor in drawn:
                    moved = datetime.fromisoformat(at) + timedelta(hours=hours[visitor])
                    writer.writerow((f"{visitor}-{copy}", moved.isoformat(), *rest))


def run_step(data: Path, home: Path, step: str) -> dict[str, Any]:
    """Run one step in this process, and return what it took."""
    began, worked = time.perf_counter(), time.process_time()
    figures = {"import": _import, "load": _load, "history": _history, "fit": _fit}[step](data, home)
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(time.process_time() - worked, 1),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        **figures,
    }


def _import(data: Path, home: Path) -> dict[str, Any]:
    log = EventLog.open(home)
    known = set(read_products(data / "products.csv").ids)
    report = EventImport(log, known, home / "rejected.csv").run(home / "drawn.csv")
    return {"added": report.added, "rejected": report.rejected, "mb": round(log.overview().bytes / 1e6)}


def _load(data: Path, home: Path) -> dict[str, Any]:
    events = read_interactions(EventLog.open(home), read_products(data / "products.csv"))
    return {"events": len(events), "visitors": len(events.visitor_ids)}


def _history(data: Path, home: Path) -> dict[str, Any]:
    log, table = EventLog.open(home), read_products(data / "products.csv")
    with (home / "drawn.csv").open(encoding="utf-8") as file:
        names = sorted({line.split(",", 1)[0] for line in file} - {"visitor"})
    drawn = np.random.default_rng(1).choice(names, HISTORIES).tolist()
    times = [_milliseconds(lambda name=name: read_history(log, table, name)) for name in drawn]
    return {"p50_ms": round(float(np.median(times)), 2), "p95_ms": round(float(np.quantile(times, 0.95)), 2)}


def _fit(data: Path, home: Path) -> dict[str, Any]:
    table = read_products(data / "products.csv")
    events = read_interactions(EventLog.open(home), table)
    model = TwoStage.fit(events, table, events.end)
    return {"scored": len(model.scores(events.history(0), Context(events.end)))}


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1_000


if __name__ == "__main__":
    print(json.dumps(run_step(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))
