"""Import a file of past prices: product by product, each price once, and bad rows into a report."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

from catalog.feeds.rows.raw_bytes import open_bytes
from catalog.files.failpoints import failpoint
from catalog.price_history.merging import Conflict
from catalog.price_history.price_change import PriceChange
from catalog.price_history.price_history import PriceHistory
from catalog.product import Rejected
from catalog.text.csv_export import write_csv
from indexer.progress import progress
from search.importing.import_counts import ImportCounts
from search.pricing.past_prices.past_price_rows import PastPrice, read_past_prices

BATCH_PRODUCTS = 200  # in one transaction
REJECTED_COLUMNS = ("line", "reason")
_TICK_ROWS = 10_000

_CREATE = """CREATE TABLE rows (product_id TEXT, at INTEGER, line INTEGER, price TEXT, list_price TEXT, currency TEXT,
    in_stock INTEGER, present INTEGER)"""
_INSERT = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT * FROM rows ORDER BY product_id, at, line"


@dataclass(slots=True)
class PastPriceReport(ImportCounts):
    """What an import did with the rows of a file.

    `repeated` rows have the product and time of a later row, which counts.
    """

    corrected: int = 0
    already_stored: int = 0
    repeated: int = 0
    products: int = 0


@dataclass(slots=True)
class _ProductRows:
    """The rows of one product in the order of time: what they say, and their lines by time."""

    product_id: str
    changes: list[PriceChange]
    lines: dict[int, int]


class PastPriceImport:
    """Imports files into a history; `rejected` is where bad rows are listed.

    The rows of a file may stand in any order. A price that is stored already is not added again, so an import that was
    interrupted is run again.
    """

    def __init__(self, history: PriceHistory, rejected: Path) -> None:
        self._history = history
        self._rejected = rejected
        self._file: TextIO | None = None

    def run(self, path: Path, encoding: str = "") -> PastPriceReport:
        """Import a file; memory is bounded. Raises BadFeed, StoreError."""
        report = PastPriceReport()
        self._rejected.parent.mkdir(parents=True, exist_ok=True)
        self._rejected.unlink(missing_ok=True)
        try:
            with closing(sqlite3.connect("")) as db:  # a file of its own, which is removed at the end
                db.execute(_CREATE)
                db.executemany(_INSERT, self._rows(path, encoding, report))
                self._merge(db, report)
        finally:
            if self._file is not None:
                self._file.close()
                self._file = None
        return report

    def _rows(self, path: Path, encoding: str, report: PastPriceReport) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that can be read; count all, and write the bad ones to the report."""
        with open_bytes(path) as lines:
            total = sum(1 for _ in lines)
        with progress(f"lines of {path.name}", total) as tick:
            for item in read_past_prices(path, encoding):
                report.rows += 1
                if report.rows % _TICK_ROWS == 0:
                    tick(_TICK_ROWS)
                if isinstance(item, Rejected):
                    self._reject(report, item.line, item.reason)
                else:
                    yield _values(item)

    def _merge(self, db: sqlite3.Connection, report: PastPriceReport) -> None:
        total = int(db.execute("SELECT count(DISTINCT product_id) FROM rows").fetchone()[0])
        with progress("products", total) as tick:
            batch: list[_ProductRows] = []
            for product in self._products(db, report):
                batch.append(product)
                if len(batch) == BATCH_PRODUCTS:
                    self._store(batch, report)
                    tick(len(batch))
                    batch = []
            self._store(batch, report)
            tick(len(batch))

    def _products(self, db: sqlite3.Connection, report: PastPriceReport) -> Iterator[_ProductRows]:
        for product_id, group in groupby(db.execute(_SELECT), itemgetter(0)):
            rows = list(group)
            last = {row[1]: row for row in rows}  # of rows of one time the last counts
            report.repeated += len(rows) - len(last)
            currency = self._currency(product_id) if any(not row[5] for row in rows) else ""
            changes = [_change(row, currency) for row in last.values()]
            yield _ProductRows(product_id, changes, {at: row[2] for at, row in last.items()})

    def _currency(self, product_id: str) -> str:
        """Return the currency that a product had when the shop recorded its first price: past prices are older."""
        changes = self._history.changes(product_id)
        own = (change.currency for change in changes if change.price is not None and not change.imported)
        return next(own, "")

    def _store(self, batch: list[_ProductRows], report: PastPriceReport) -> None:
        merged = self._history.merge({product.product_id: product.changes for product in batch})
        failpoint("price.imported")
        for product in batch:
            found = merged.get(product.product_id)
            if found is None:
                self._reject_unknown(product, report)
                continue
            report.products += 1
            report.added += found.added
            report.corrected += found.replaced
            report.already_stored += found.known
            for conflict in found.conflicts:
                self._reject(report, product.lines[conflict.past.at], _reason(conflict))

    def _reject_unknown(self, product: _ProductRows, report: PastPriceReport) -> None:
        report.count_unknown(product.product_id, len(product.changes))
        for line in product.lines.values():
            self._reject(report, line, f"the shop has no product {product.product_id[:80]!r}")

    def _reject(self, report: PastPriceReport, line: int, reason: str) -> None:
        report.rejected += 1
        if self._file is None:
            self._file = self._rejected.open("w", encoding="utf-8", newline="")
            write_csv(self._file, [REJECTED_COLUMNS])
        write_csv(self._file, [(line, reason)])


def _values(row: PastPrice) -> tuple[Any, ...]:
    amounts = (None if amount is None else str(amount) for amount in (row.price, row.list_price))
    return (row.product_id, row.at, row.line, *amounts, row.currency, row.in_stock, row.present)


def _change(row: tuple[Any, ...], currency: str) -> PriceChange:
    _, at, _, *amounts, own_currency, in_stock, present = row
    price, list_price = (None if text is None else Decimal(text) for text in amounts)
    return PriceChange(at, price, list_price, own_currency or currency, bool(in_stock), bool(present), imported=True)


def _reason(conflict: Conflict) -> str:
    recorded = conflict.recorded
    since = datetime.fromtimestamp(recorded.at, timezone.utc).strftime("%Y-%m-%d %H:%M")
    price = "no price" if recorded.price is None else f"{recorded.price} {recorded.currency}".strip()
    return f"the shop itself recorded {price} from {since} UTC on, which counts"
