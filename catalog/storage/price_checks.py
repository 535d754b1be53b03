"""Check that the history of prices agrees with the products, and that it can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import pairwise

from catalog.errors import DamagedStore
from catalog.price_history import segments
from catalog.price_history.price_change import PriceChange
from catalog.storage import price_rows

_SELECT_PRODUCTS = """SELECT key, id, price, list_price, currency, in_stock, changes FROM products
    LEFT JOIN price_segments ON product_id = id
        AND number = (SELECT max(number) FROM price_segments WHERE product_id = id)
    WHERE key > ? ORDER BY key LIMIT ?"""
_SELECT_ABSENT = """SELECT product_id, changes FROM price_segments AS last
    WHERE number = (SELECT max(number) FROM price_segments WHERE product_id = last.product_id)
    AND product_id NOT IN (SELECT id FROM products) ORDER BY product_id"""


def present_faults(db: sqlite3.Connection, after: int, limit: int) -> tuple[int, list[str]]:
    """Return what is wrong with up to `limit` products with keys above `after`, and the last key; 0 for no product.

    The last change of each must be what the product costs now.
    """
    rows = db.execute(_SELECT_PRODUCTS, (after, limit)).fetchall()
    faults = []
    for _, product_id, *values, segment in rows:
        present = price_rows.entry_of(values)
        last = None if segment is None else _newest(segment)
        if isinstance(last, str):
            faults.append(f"product {product_id[:100]!r}: {last}")
        elif last is None or not last.same_state_as(present):
            ends = "has no history" if last is None else f"has a history that ends with {_text(last)}"
            faults.append(f"product {product_id[:100]!r} is at {_text(present)} and {ends}")
    return (rows[-1][0] if rows else 0), faults


def absent_faults(db: sqlite3.Connection) -> Iterator[str]:
    """Yield what is wrong with products that left the catalogue: their histories must end with that."""
    for product_id, segment in db.execute(_SELECT_ABSENT):
        last = _newest(segment)
        if isinstance(last, str):
            yield f"product {product_id[:100]!r}: {last}"
        elif last.present:
            yield f"product {product_id[:100]!r} is not in the catalogue and has a history that ends with {_text(last)}"


def history_faults(product_id: str, newest_first: list[bytes]) -> Iterator[str]:
    """Yield what is wrong with the whole history of one product: parts that cannot be read, a change recorded twice."""
    try:
        changes = [change for segment in newest_first for change in segments.unpack(segment)]
    except DamagedStore as error:
        yield f"product {product_id[:100]!r}: {error.message}"
        return
    for newer, older in pairwise(changes):
        if newer.at < older.at:
            yield f"product {product_id[:100]!r} has a change that is older than the one before it"
        elif newer.same_state_as(older) and newer.imported == older.imported:
            yield f"product {product_id[:100]!r} has one change recorded twice"


def _newest(segment: bytes) -> PriceChange | str:
    """Return the newest change of a segment, or why it cannot be read."""
    try:
        return segments.newest(segment)[0]
    except DamagedStore as error:
        return error.message


def _text(change: PriceChange) -> str:
    price = "no price" if change.price is None else f"{change.price} {change.currency}".strip()
    before = "" if change.list_price is None else f" (list price {change.list_price})"
    return price + before + ("" if change.in_stock else ", out of stock") + ("" if change.present else ", removed")
