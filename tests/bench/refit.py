"""How much slower shoppers are answered while models are fitted: python -m tests.bench.refit --shop HOME --log FOLDER.

Searches run one after another, in turns of some seconds with and without the fit: its process is stopped and goes on
(SIGSTOP, SIGCONT), so that whatever else the machine does falls on both alike. The fit is of the log's most bought
products. Measure on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from catalog.files.child_environment import child_environment
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from search.engine import SearchEngine
from search.fitting.priority import THREADS
from search.query.terms import Query, TextTerm
from search.recommend.events.event_log import EVENT_KINDS, Event, EventLog
from search.recommend.events.purchase_log import read_events, read_products
from search.recommend.events.retention import EventLimits

WORDS = ("red mug", "blue shirt", "lamp", "bowl for soup", "black shoes", "teapot", "white dress", "jug under 30")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", type=Path, required=True, help="the shop that is searched; a copy")
    parser.add_argument("--log", type=Path, required=True, help="the folder that holds events.csv.gz and products.csv")
    parser.add_argument("--home", type=Path, default=Path("var/bench-refit"), help="the shop that is fitted")
    parser.add_argument("--products", type=int, default=3_000)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=8.0, help="of a turn")
    options = parser.parse_args()
    if not options.home.is_dir():
        make_shop(options.home, options.log, options.products)
    print(json.dumps(measured(options.shop, options.home, options.turns, options.seconds), indent=2))


def make_shop(home: Path, log: Path, count: int) -> None:
    """A catalogue of the most bought products of a log, with its events on them."""
    home.mkdir(parents=True)
    table = read_products(log / "products.csv")
    events = read_events(log / "events.csv.gz", table)
    most = np.argsort(-np.bincount(events.products, minlength=len(table)), kind="stable")[:count].tolist()
    paths = table.category_paths
    with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
        catalogue.put(
            Product(table.ids[i], table.titles[i], (), paths[table.categories[i, -1]], Decimal("1")) for i in most
        )
    chosen = np.zeros(len(table), np.bool_)
    chosen[most] = True
    events = events.where(chosen[events.products])
    names = [name.decode() for name in events.visitor_ids]
    with closing(EventLog.open(home, EventLimits(0, 0))) as stored:
        for now in np.unique(events.times // 86_400).tolist():
            rows = np.flatnonzero(events.times // 86_400 == now).tolist()
            kinds, codes, who = events.columns.kinds, events.products, events.visitors
            stored.add(
                [Event(EVENT_KINDS[kinds[row]], table.ids[codes[row]], names[who[row]]) for row in rows],
                now=now * 86_400,
            )


def measured(shop: Path, home: Path, turns: int, seconds: float) -> dict[str, Any]:
    """Latencies with and without the fit, in milliseconds, and the ratio of their 95th percentiles."""
    shutil.rmtree(home / "recommend", ignore_errors=True)
    command = [sys.executable, "-m", "search.recommend.learning.fit_process", str(home)]
    found: dict[bool, list[float]] = {False: [], True: []}
    with SearchEngine.open(shop) as engine:
        engine.warm_up()
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=child_environment(**THREADS))
        try:
            for turn in range(2 * turns):
                fitting = bool(turn % 2)
                process.send_signal(signal.SIGCONT if fitting else signal.SIGSTOP)
                end, asked = time.monotonic() + seconds, 0
                while (began := time.monotonic()) < end:
                    engine.search(Query((TextTerm(WORDS[asked % len(WORDS)]),), timeout_ms=20_000))
                    found[fitting].append(1_000 * (time.monotonic() - began))
                    asked += 1
                if process.poll() is not None:
                    break
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait()
    p95 = {fitting: float(np.percentile(values, 95)) for fitting, values in found.items()}
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg(),
        "searches": {"without": len(found[False]), "with_fit": len(found[True])},
        "p50_ms": {"without": float(np.median(found[False])), "with_fit": float(np.median(found[True]))},
        "p95_ms": {"without": p95[False], "with_fit": p95[True]},
        "p95_ratio": p95[True] / p95[False],
        "fit_ended": process.returncode == 0,
    }


if __name__ == "__main__":
    main()
