"""Record what products cost: segments of packed changes in the catalogue's file, written with the product's change.

Rows belong to the id of a product and not to its key, so that one that left and came back has one history. A change is
appended to the last segment of its product; a segment that is full is never written again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from catalog.files.failpoints import failpoint
from catalog.price_history import segments
from catalog.price_history.appending import appended, changes_of
from catalog.price_history.price_change import PriceChange, entry_of
from catalog.price_history.price_history import PriceStatements
from catalog.product import Product
from catalog.storage import modification_times

SCHEMA = """CREATE TABLE IF NOT EXISTS price_segments (
    product_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    changes BLOB NOT NULL,
    PRIMARY KEY (product_id, number)) WITHOUT ROWID"""
ALL_KEYS = 2**63 - 1  # the mark when every product has a history: no key is above it
FILL_PRODUCTS = 10_000  # products that get their first entry under one lock

_SELECT_LAST = "SELECT number, changes FROM price_segments WHERE product_id = ? ORDER BY number DESC LIMIT 1"
_WRITE = "INSERT OR REPLACE INTO price_segments VALUES (?, ?, ?)"
_INSERT_FIRST = "INSERT OR IGNORE INTO price_segments VALUES (?, 0, ?)"
_DELETE = "DELETE FROM price_segments WHERE product_id = ?"
_SELECT_MARK = "SELECT value FROM meta WHERE name = 'prices.until'"
_UPDATE_MARK = "INSERT OR REPLACE INTO meta VALUES ('prices.until', ?)"
_SELECT_PRICES = """SELECT key, id, price, list_price, currency, in_stock FROM products
    WHERE key > ? ORDER BY key LIMIT ?"""
STATEMENTS = PriceStatements(
    newest_first="SELECT changes FROM price_segments WHERE product_id = ? ORDER BY number DESC",
    page="""SELECT product_id, changes FROM price_segments WHERE product_id IN
    (SELECT DISTINCT product_id FROM price_segments WHERE product_id > ? ORDER BY product_id LIMIT ?)
    ORDER BY product_id, number DESC""",
    changed="""SELECT seq, product_id FROM changes LEFT JOIN history USING (seq) WHERE seq > ?
    AND (kind = 'remove' OR before IS NULL OR json_type(before, '$.price') IS NOT NULL
        OR json_type(before, '$.list_price') IS NOT NULL OR json_type(before, '$.currency') IS NOT NULL
        OR json_type(before, '$.in_stock') IS NOT NULL)
    ORDER BY seq LIMIT ?""",
    present="""SELECT key, id, price, list_price, currency, in_stock, changes FROM products
    LEFT JOIN price_segments ON product_id = id
        AND number = (SELECT max(number) FROM price_segments WHERE product_id = id)
    WHERE key > ? ORDER BY key LIMIT ?""",
)


def create(db: sqlite3.Connection, until: int) -> None:
    """Create the table where it is absent; `fill` is to give an entry to the products with keys above `until`."""
    db.execute(SCHEMA)
    db.execute(_UPDATE_MARK, (str(until),))


def record(db: sqlite3.Connection, old: Product | None, new: Product | None) -> None:
    """Record what a product costs after a change, within its transaction; nothing where its price is as before.

    `old` is None for a product that was added, `new` for one that was removed; their ids are the same.
    """
    record_many(db, [(old, new)])


def record_many(db: sqlite3.Connection, changed: Iterable[tuple[Product | None, Product | None]]) -> None:
    """Record what products cost after changes as `record` does, each product once."""
    entries = {product.id: found for old, new in changed if (product := new or old) and (found := changes_of(old, new))}
    if not entries:
        return
    now = int(time.time())
    segments_of = [
        (product_id, appended(db.execute(_SELECT_LAST, (product_id,)).fetchone(), found, now))
        for product_id, found in entries.items()
    ]
    rows = [(product_id, number, segment) for product_id, new in segments_of for number, segment in new.items()]
    db.executemany(_WRITE, rows)
    failpoint("price.recorded")


def rewrite(db: sqlite3.Connection, product_id: str, changes: Sequence[PriceChange]) -> None:
    """Put these changes, the oldest first, in place of a product's whole history."""
    db.execute(_DELETE, (product_id,))
    packed = enumerate(segments.split(changes))
    db.executemany(_WRITE, [(product_id, number, segment) for number, segment in packed])


def needs_fill(db: sqlite3.Connection) -> bool:
    """Tell whether products wait for their first entry, because an older version wrote the catalogue."""
    return _mark(db) != ALL_KEYS


def fill(db: sqlite3.Connection) -> bool:
    """Give their first entry to up to FILL_PRODUCTS products within a transaction; return whether none is left.

    The entry is what a product costs now, at the time of its last logged change: what it cost before is not known.
    """
    until = _mark(db)
    rows = db.execute(_SELECT_PRICES, (until, FILL_PRODUCTS)).fetchall() if until != ALL_KEYS else []
    if rows:
        times = modification_times.times_between(db, rows[0][0], rows[-1][0])
        first = ((product_id, _first(values, times.get(product_id, ""))) for _, product_id, *values in rows)
        db.executemany(_INSERT_FIRST, first)
    done = len(rows) < FILL_PRODUCTS
    db.execute(_UPDATE_MARK, (str(ALL_KEYS if done else rows[-1][0]),))
    return done


def _first(values: Sequence[str | int | None], changed: str) -> bytes:
    at = int(datetime.fromisoformat(changed).timestamp()) if changed else int(time.time())
    return segments.pack([replace(entry_of(values), at=at)])


def _mark(db: sqlite3.Connection) -> int:
    row = db.execute(_SELECT_MARK).fetchone()
    return 0 if row is None else int(row[0])
