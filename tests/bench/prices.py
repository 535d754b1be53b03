"""What the history of prices costs: bytes of a weekly change on disk, time to read one product, time of a put."""

from __future__ import annotations

import random
import shutil
import statistics
import time
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalog.price_history.readings import lowest_before_reduction
from catalog.product import Picture, Product
from catalog.storage import price_rows, product_rows
from catalog.storage.catalogue import Catalogue

WEEK_S = 604_800
START = 1_650_000_000
READS = 2_000
PUT_PRODUCTS = 10_000


class _Clock:
    """The clock by which changes are recorded."""

    now = START

    def time(self) -> float:
        return self.now


def price_histories(home: Path, products: int, weeks: int) -> dict[str, Any]:
    """Give every product another price each week, with a promotion now and then; then read some."""
    shutil.rmtree(home, ignore_errors=True)
    path = home / "catalog.sqlite"
    with closing(Catalogue.open(path)):
        pass
    empty = path.stat().st_size
    seconds, changes = _write_weeks(path, products, weeks)
    size = path.stat().st_size - empty
    with closing(Catalogue.open(path)) as catalogue:
        chance, times = random.Random(2), []
        for _ in range(READS):
            product_id = f"sku-{chance.randrange(products):06}"
            begun = time.perf_counter()
            found = catalogue.price_history.changes(product_id)
            lowest_before_reduction(found, START + weeks * WEEK_S)
            times.append(1_000 * (time.perf_counter() - begun))
        begun = time.process_time()
        read = sum(len(found) for _, found in catalogue.price_history.of_all())
        whole = time.process_time() - begun
    assert read == changes
    return {
        "products": products,
        "weeks": weeks,
        "changes": changes,
        "bytes_a_change": round(size / changes, 2),
        "megabytes": round(size / 1e6, 1),
        "microseconds_a_change_recorded": round(1e6 * seconds / changes, 1),
        "read_one_product_ms": {
            "median": round(statistics.median(times), 3),
            "p95": round(statistics.quantiles(times, n=20)[-1], 3),
        },
        "read_all_seconds": round(whole, 1),
        "put": putting(home / "put"),
    }


def _write_weeks(path: Path, products: int, weeks: int) -> tuple[float, int]:
    """Record the changes as puts do, a week in one transaction; return the processor time and how many there are."""
    clock, system_clock = _Clock(), price_rows.time
    price_rows.time = clock  # type: ignore[assignment]
    try:
        with closing(Catalogue.open(path)) as catalogue:
            chance = random.Random(1)
            shop: list[Product | None] = [None] * products
            begun = time.process_time()
            changes = 0
            for week in range(weeks):
                clock.now = START + week * WEEK_S + chance.randrange(3_600)
                with catalogue._write() as db:
                    for number, old in enumerate(shop):
                        new = _changed(old or _product(number, chance), chance)
                        price_rows.record(db, old, new)
                        changes += old is None or (old.price, old.list_price) != (new.price, new.list_price)
                        shop[number] = new
            return time.process_time() - begun, changes
    finally:
        price_rows.time = system_clock  # type: ignore[assignment]


def _product(number: int, chance: random.Random) -> Product:
    price = Decimal(chance.randrange(99, 20_000)) / 100
    return Product(f"sku-{number:06}", f"Red mug {number}", (), price=price, currency="EUR")


def _changed(product: Product, chance: random.Random) -> Product:
    """Return a product at another price: on sale in one week of five, else up to 15 % dearer or cheaper."""
    usual = product.list_price or product.price or Decimal(1)
    if chance.random() < 0.2:
        price = (usual * chance.choice((70, 75, 80, 90)) / 100).quantize(Decimal("0.01"))
        return replace(product, price=price, list_price=usual)
    price = (usual * chance.randrange(85, 116) / 100).quantize(Decimal("0.01")) + Decimal("0.01")
    return replace(product, price=price, list_price=None)


def putting(home: Path) -> dict[str, Any]:
    """Compare the processor time of puts with and without the record of prices, in turn."""
    record = product_rows.price_rows.record
    seconds: dict[str, list[float]] = {}
    for _ in range(3):
        for name, used in (("with", record), ("without", lambda *_: None)):
            product_rows.price_rows.record = used
            try:
                shutil.rmtree(home, ignore_errors=True)
                with closing(Catalogue.open(home / "catalog.sqlite")) as catalogue:
                    shop = [replace(each, description="For tea.") for each in _shop(PUT_PRODUCTS)]
                    catalogue.put(shop)
                    seconds.setdefault(f"unchanged {name}", []).append(_timed(catalogue, shop))
                    dearer = [replace(each, price=(each.price or 0) + 1) for each in shop]
                    seconds.setdefault(f"changed {name}", []).append(_timed(catalogue, dearer))
            finally:
                product_rows.price_rows.record = record
    best = {name: min(values) for name, values in seconds.items()}
    ratios = {kind: round(best[f"{kind} with"] / best[f"{kind} without"], 2) for kind in ("changed", "unchanged")}
    return {"products": PUT_PRODUCTS, "ratio_of_processor_time": ratios}


def _shop(count: int) -> list[Product]:
    chance = random.Random(3)
    pictures = (Picture("/f/mug.jpg", "a" * 64, 40, 30),)
    return [replace(_product(number, chance), pictures=pictures, category="Home > Mugs") for number in range(count)]


def _timed(catalogue: Catalogue, products: list[Product]) -> float:
    begun = time.process_time()
    catalogue.put(products)
    return time.process_time() - begun
