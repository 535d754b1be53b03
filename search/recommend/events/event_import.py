"""Import a file of events into a shop's log: batch by batch, each once, and bad rows into a report."""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from catalog.text.csv_export import write_csv
from indexer.progress import progress
from search.importing.import_counts import ImportCounts
from search.recommend.events.event_log import ADD_PRODUCT, ADD_TO_SEGMENT, ADD_VISITOR, EventLog, take_numbers
from search.recommend.events.event_rows import BadEvent, EventFileReader, EventRow, open_event_file, parse_event
from search.recommend.events.retention import DAY_S, segment_of

BATCH_ROWS = 20_000
MAX_BASKET = 10_000  # rows of one visitor and time that a batch waits for
REJECTED_COLUMNS = ("line", "reason")

_CREATE = """CREATE TEMP TABLE IF NOT EXISTS incoming (segment INTEGER NOT NULL, visitor INTEGER NOT NULL,
    at INTEGER NOT NULL, seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, product INTEGER NOT NULL, quantity REAL,
    price REAL, query_id TEXT, rank INTEGER)"""
_FILL = """INSERT INTO incoming SELECT ?, v.code, ?, ?, ?, p.code, ?, ?, ?, ?
    FROM visitors AS v, products AS p WHERE v.hash = ? AND p.id = ?"""
_STORED = """SELECT i.visitor, i.at, i.kind, i.product, e.seq
    FROM (SELECT DISTINCT segment, visitor, at, kind, product FROM incoming) AS i CROSS JOIN events AS e
    ON e.segment = i.segment AND e.visitor = i.visitor AND e.at = i.at AND e.kind = i.kind AND e.product = i.product"""
_INCOMING = "SELECT visitor, at, kind, product, seq FROM incoming ORDER BY seq"
_DROP = "DELETE FROM incoming WHERE seq = ?"
_TAKEN = "SELECT seq FROM incoming"
_STORE = """INSERT INTO events
    SELECT segment, visitor, at, seq, kind, product, quantity, price, query_id, rank FROM incoming
    ORDER BY segment, visitor, at, seq"""
_COUNT = "SELECT segment, count(*) FROM incoming GROUP BY segment"


@dataclass(slots=True)
class ImportReport(ImportCounts):
    """What an import did with the rows of a file: added, found in the log already, or rejected."""

    already_stored: int = 0


class EventImport:
    """Imports files into a log; `known` has the ids of the shop's products, `rejected` is where bad rows are listed.

    An event that is in the log already is not added again: of rows that are equal in visitor, time, type and product,
    as many are added as the log lacks. So an import that was interrupted is run again, and files may overlap.
    """

    def __init__(self, log: EventLog, known: Container[str], rejected: Path) -> None:
        self._log = log
        self._known = known
        self._rejected = rejected

    def run(self, path: Path, now: float | None = None) -> ImportReport:
        """Import a file as of `now`; memory is bounded. Raises BadFeed without a header of events, StoreError."""
        report, taken = ImportReport(), _Numbers()
        at = int(time.time() if now is None else now)
        self._rejected.parent.mkdir(parents=True, exist_ok=True)
        self._rejected.unlink(missing_ok=True)
        with open_event_file(path) as file, progress(f"bytes of {path.name}", path.stat().st_size) as tick:
            read = 0
            for batch in _batches(self._rows(file, report, at + DAY_S)):
                self._store(batch, taken, report, at)
                tick(file.position - read)
                read = file.position
        return report

    def _rows(self, file: EventFileReader, report: ImportReport, latest: int) -> Iterator[EventRow]:
        """Yield the events of a file; count the rows and write the bad ones to the report."""
        bad: TextIO | None = None
        try:
            for line, cells in file.cells():
                report.rows += 1
                try:
                    if isinstance(cells, str):
                        raise BadEvent(cells)
                    event = parse_event(cells)
                    if event.at > latest:
                        raise BadEvent("the time is in the future")
                except BadEvent as error:
                    report.rejected += 1
                    if bad is None:
                        bad = self._rejected.open("w", encoding="utf-8", newline="")
                        write_csv(bad, [REJECTED_COLUMNS])
                    write_csv(bad, [(line, str(error))])
                    continue
                if event.product_id not in self._known:
                    report.count_unknown(event.product_id)
                yield event
        finally:
            if bad is not None:
                bad.close()

    def _store(self, batch: list[EventRow], taken: _Numbers, report: ImportReport, now: int) -> None:
        """Add the events of a batch that the log lacks, all or none."""
        keys = {visitor: self._log.key_of(visitor) for visitor in {event.visitor for event in batch}}
        newest = {event.visitor: 0 for event in batch}
        for event in batch:
            newest[event.visitor] = max(newest[event.visitor], segment_of(event.at))
        with self._log.file.writing() as db:
            db.executemany(ADD_PRODUCT, [(product_id,) for product_id in {event.product_id for event in batch}])
            db.executemany(ADD_VISITOR, [(keys[visitor], segment) for visitor, segment in newest.items()])
            db.execute(_CREATE)
            db.execute("DELETE FROM incoming")
            db.executemany(_FILL, self._incoming(db, batch, keys))
            stored = _drop_stored(db, taken)
            segments = db.execute(_COUNT).fetchall()
            db.executemany(ADD_TO_SEGMENT, [(number, events, now) for number, events in segments])
            db.execute(_STORE)
            taken.add(seq for (seq,) in db.execute(_TAKEN))
            db.execute("DELETE FROM incoming")
        report.already_stored += stored
        report.added += len(batch) - stored

    @staticmethod
    def _incoming(db: sqlite3.Connection, batch: list[EventRow], keys: dict[str, bytes]) -> Iterator[tuple[Any, ...]]:
        for seq, row in enumerate(batch, take_numbers(db, len(batch))):
            where = segment_of(row.at), row.at, seq, row.kind
            what = row.quantity, row.price, row.query_id, row.rank
            yield (*where, *what, keys[row.visitor], row.product_id)


class _Numbers:
    """A set of numbers of events, a bit for each that the log gave: 1.25 MB for ten million."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def __contains__(self, number: int) -> bool:
        return number >> 3 < len(self._bits) and bool(self._bits[number >> 3] >> (number & 7) & 1)

    def add(self, numbers: Iterable[int]) -> None:
        """Add numbers."""
        for number in numbers:
            if number >> 3 >= len(self._bits):
                self._bits.extend(bytes((number >> 3) + 1 - len(self._bits)))
            self._bits[number >> 3] |= 1 << (number & 7)


def _drop_stored(db: sqlite3.Connection, taken: _Numbers) -> int:
    """Drop the incoming rows that are stored already; return how many.

    Each row of a run stands for one event of the log: the one that was there before, or the one that it adds. The
    numbers of these are `taken`, so that an event answers for one of several equal rows, however far apart they are.
    """
    stored = defaultdict[tuple[int, ...], list[int]](list)
    for *what, seq in db.execute(_STORED):
        if seq not in taken:
            stored[tuple(what)].append(seq)
    dropped = []
    for *what, seq in db.execute(_INCOMING) if stored else ():
        if same := stored.get(tuple(what)):
            taken.add((same.pop(),))
            dropped.append((seq,))
    db.executemany(_DROP, dropped)
    return len(dropped)


def _batches(rows: Iterator[EventRow]) -> Iterator[list[EventRow]]:
    """Yield the rows in batches that do not split those of one visitor and time that follow each other."""
    batch: list[EventRow] = []
    for row in rows:
        full = len(batch) >= BATCH_ROWS and row[:2] != batch[-1][:2]
        if full or len(batch) >= BATCH_ROWS + MAX_BASKET:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
