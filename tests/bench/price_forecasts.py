"""How long a shop's prices take from history to forecasts: python -m tests.bench.price_forecasts --products 10000.

The prices are drawn: half of the products are calm and change twice a year, a third are in a promotion every few weeks,
the others drift. A first process draws the shop, a second one reads and fits it, so that its peak of memory is that of
a fit alone. Give processor time besides wall time, since other work on the machine adds to the latter.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from catalog.files.child_environment import child_environment
from catalog.home import ShopHome
from catalog.price_history import segments
from catalog.price_history.price_change import PriceChange
from catalog.product import Product
from catalog.storage.catalogue import Catalogue
from indexer.types import Floats
from search.pricing.learning.price_fit import fit_prices
from search.pricing.learning.price_models import PriceModels
from search.pricing.learning.shop_forecasters import shop_price_options
from search.pricing.series.weekly_prices import week_of, week_start

CALM, PROMOTED = 0.5, 0.85  # shares of the products, the second with the first
CATEGORIES = 40
BATCH = 5_000
QUESTIONS = 20_000
_INSERT = "INSERT OR REPLACE INTO price_segments VALUES (?, ?, ?)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--home", type=Path, default=Path("var/bench-price-forecasts"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.home), indent=2))
        return
    shutil.rmtree(options.home, ignore_errors=True)
    make_shop(options.home, options.products, options.weeks)
    command = [sys.executable, "-m", "tests.bench.price_forecasts", "--measure", "--home", str(options.home)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(options.threads))
    subprocess.run(command, env=child_environment(**threads), check=True)


def make_shop(home: Path, products: int, weeks: int, seed: int = 0) -> None:
    """A catalogue of products with drawn prices, and the history of the weeks until now."""
    home.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    first = week_of(int(time.time())) - weeks + 1
    path = ShopHome(home).catalogue
    for start in range(0, products, BATCH):
        prices = drawn_prices(min(BATCH, products - start), weeks, rng)
        ids = [f"item-{start + row:06d}" for row in range(len(prices))]
        kinds = rng.integers(0, CATEGORIES, len(prices)).tolist()
        with closing(Catalogue.open(path)) as catalogue:
            catalogue.put(
                Product(name, f"Item {name}", (), f"Shop > Aisle {kind // 8} > Shelf {kind}", price, currency="EUR")
                for name, kind, price in zip(ids, kinds, map(_decimal, prices[:, -1].tolist()), strict=True)
            )
        with closing(sqlite3.connect(path)) as db, db:
            for name, row in zip(ids, prices, strict=True):
                packed = enumerate(segments.split(list(_changes(row, first))))
                db.executemany(_INSERT, [(name, number, segment) for number, segment in packed])


def drawn_prices(products: int, weeks: int, rng: np.random.Generator) -> Floats:
    """Return prices (n, w) of calm, promoted and drifting products."""
    base = np.exp(rng.normal(2.5, 1.0, (products, 1)))
    steps = np.zeros((products, weeks))
    sort = rng.random(products)
    calm, drifts = sort < CALM, sort >= PROMOTED
    changes = rng.random((products, weeks)) < 2 / 52
    steps[~drifts] = (changes * rng.normal(0, 0.06, changes.shape))[~drifts]
    steps[drifts] = rng.normal(0, 0.015, (int(drifts.sum()), weeks))
    prices = base * np.exp(steps.cumsum(axis=1))
    every = rng.integers(4, 9, products)[:, None]
    depth = rng.uniform(0.1, 0.4, products)[:, None]
    shift = rng.integers(0, 9, products)[:, None] + (rng.random((products, weeks)) < 0.1)
    on = ((np.arange(weeks) + shift) % every == 0) & ~calm[:, None] & ~drifts[:, None]
    return np.round(np.maximum(prices * np.where(on, 1 - depth, 1), 0.05), 2).astype(np.float32)


def measured(home: Path) -> dict[str, Any]:
    """Return times in seconds, wall and processor, sizes in MiB, and what the fit found."""
    options = shop_price_options()
    began = time.monotonic(), time.process_time()
    weekly = options.read_series(home)
    read = time.monotonic() - began[0], time.process_time() - began[1]
    products, weeks = weekly.prices.shape
    product_ids = list(weekly.product_ids)
    del weekly
    report = fit_prices(home, options)
    models = PriceModels.open(home)
    names = [product_ids[row] for row in np.random.default_rng(1).integers(0, products, QUESTIONS).tolist()]
    times = []
    for name in names:
        start = time.perf_counter()
        models.forecast(name)
        times.append(1e6 * (time.perf_counter() - start))
    folder = ShopHome(home).prices
    return {
        "products": products,
        "weeks": weeks,
        "cores": len(os.sched_getaffinity(0)),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "load": os.getloadavg(),
        "read_series": {"wall_s": round(read[0], 1), "cpu_s": round(read[1], 1)},
        "fit_with_reading": {"wall_s": report.seconds, "cpu_s": report.cpu_seconds},
        "forecaster": report.forecaster,
        "figures": report.figures,
        "stored": report.products,
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "version_mib": round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20, 1),
        "forecast_us": {"p50": float(np.median(times)), "p95": float(np.percentile(times, 95))},
    }


def _changes(prices: Floats, first: int) -> Iterator[PriceChange]:
    before: Decimal | None = None
    for week, price in enumerate(map(_decimal, prices.tolist())):
        if price != before:
            yield PriceChange(week_start(first + week), price, None, "EUR")
        before = price


def _decimal(price: float) -> Decimal:
    return Decimal(f"{price:.2f}")


if __name__ == "__main__":
    main()
