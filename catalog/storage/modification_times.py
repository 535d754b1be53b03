"""When products changed last, by the change log: for sitemaps, whose parts are ranges of product keys.

No other product gets a key, so a product stays in its part whatever is added and removed.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_SELECT_PARTS = """SELECT (key - 1) / ? AS part, count(*), coalesce(max(at), '')
    FROM products LEFT JOIN (SELECT product_id, max(at) AS at FROM changes GROUP BY product_id) ON product_id = id
    GROUP BY part ORDER BY part"""
_SELECT_TIMES = """SELECT product_id, max(at) FROM changes
    WHERE product_id IN (SELECT id FROM products WHERE key BETWEEN ? AND ?) GROUP BY product_id"""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A range of product keys: its number from 0, how many products it has, and when the last of them changed.

    `changed` is an ISO time in UTC, "" where the log does not say.
    """

    number: int
    products: int
    changed: str


def key_ranges(db: sqlite3.Connection, size: int) -> list[KeyRange]:
    """Return the ranges of `size` keys that have products, in order."""
    return [KeyRange(*row) for row in db.execute(_SELECT_PARTS, (size,))]


def times_between(db: sqlite3.Connection, first: int, last: int) -> dict[str, str]:
    """Return the time of the last change of each product with a key from `first` to `last`, by id."""
    return dict(db.execute(_SELECT_TIMES, (first, last)).fetchall())
