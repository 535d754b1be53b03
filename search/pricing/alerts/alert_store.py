"""Store price alerts: set, list and remove those of a visitor. Of the visitor there is a keyed hash alone.

An alert is a row of `alerts` while it waits. When it fires, that row becomes one of `fired`, in one transaction, so it
fires once. A visitor has one waiting alert for a product at most.
"""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from catalog.errors import PriceAlertRefused, UnknownPriceAlert
from search.pricing.alerts.alert_file import AlertFile, hash_of, key_of
from search.pricing.alerts.alert_tokens import make_token, read_token
from search.pricing.alerts.price_alert import (
    MAX_REFERENCE,
    MAX_TITLE,
    AlertCounts,
    AlertRequest,
    FiredAlert,
    PriceAlert,
    has_price,
)

MAX_OF_VISITOR = 50  # waiting alerts
MAX_OF_SHOP = 1_000_000
MAX_FIRED = 100  # newest fired alerts of a visitor that are listed
FIRED_DAYS = 90  # how long a fired alert is stored
DAY_S = 86_400
NO_PRICE, NOT_LOWER, TOO_MANY, FULL = "no_price", "not_lower", "too_many", "full"  # why an alert is refused

COLUMNS = "id, product, title, at_most, price, currency, reference, at, visitor"
_OF_VISITOR = f"SELECT {COLUMNS} FROM alerts WHERE visitor = ? ORDER BY at DESC, id"  # noqa: S608 - the names above
_OF_PRODUCT = f"SELECT {COLUMNS} FROM alerts WHERE visitor = ? AND product = ?"  # noqa: S608
_FIRED_OF = (
    f"SELECT {COLUMNS}, fired_price, fired_at, delivery FROM fired WHERE visitor = ? ORDER BY fired_at DESC, id LIMIT ?"  # noqa: S608
)
_COUNT_OF = "SELECT count(*) FROM alerts WHERE visitor = ?"
_INSERT = """INSERT INTO alerts (id, visitor, product, title, at_most, price, currency, reference, at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_REPLACE = """UPDATE alerts SET title = ?, at_most = ?, price = ?, currency = ?,
    reference = coalesce(nullif(?, ''), reference), at = ?, unseen = 1 WHERE id = ?"""
_REMOVE = ("DELETE FROM alerts WHERE id = ? AND visitor = ?", "DELETE FROM fired WHERE id = ? AND visitor = ?")
_FORGET = ("DELETE FROM alerts WHERE visitor = ?", "DELETE FROM fired WHERE visitor = ?")
_SEND_AGAIN = "UPDATE fired SET delivery = 'pending', attempts = 0, retry_at = 0 WHERE delivery = 'failed'"
_STATES = "SELECT delivery, count(*), count(DISTINCT visitor) FROM fired GROUP BY delivery"
_WATCHED = """SELECT product, count(*) FROM alerts GROUP BY product HAVING count(*) >= ?
    ORDER BY count(*) DESC, product LIMIT ?"""


@dataclass(frozen=True, slots=True)
class VisitorAlerts:
    """The alerts of a visitor: those that wait, the last set first, and those that fired, the last fired first."""

    waiting: Sequence[PriceAlert] = ()
    fired: Sequence[FiredAlert] = ()


class AlertStore:
    """The price alerts of one shop. Threads and processes may share it. All methods raise StoreError."""

    def __init__(self, home: Path) -> None:
        self.file = AlertFile(home)

    def add(self, request: AlertRequest, now: float | None = None) -> tuple[PriceAlert, bool]:
        """Store an alert in place of the visitor's waiting one for that product; return it and whether it is new.

        A reference stays where the request has none: a visitor's change takes no customer from the shop.
        Raises PriceAlertRefused, with the reason NO_PRICE, NOT_LOWER, TOO_MANY or FULL.
        """
        product, at_most = request.product, request.at_most
        if product.price is None or not has_price(product):
            hint = "Ask again when it has one."
            raise PriceAlertRefused(f"The product {product.id[:100]!r} has no price at the moment.", hint, NO_PRICE)
        if at_most is not None and not 0 < at_most < product.price:
            hint = f"Name an amount above 0 and below {product.price}, or none for any lower price."
            raise PriceAlertRefused(f"The product costs {product.price}; {at_most} is not below that.", hint, NOT_LOWER)
        values = (
            product.title[:MAX_TITLE],
            None if at_most is None else str(at_most),
            str(product.price),
            product.currency,
            request.reference[:MAX_REFERENCE],
            _seconds(now),
        )
        with self.file.writing() as db:
            visitor = hash_of(db, request.visitor)
            known = db.execute(_OF_PRODUCT, (visitor, product.id)).fetchone()
            if known is None:
                _check_limits(db, visitor)
                db.execute(_INSERT, (str(uuid.uuid4()), visitor, product.id, *values))
            else:
                db.execute(_REPLACE, (*values, known[0]))
            return read_alert(db.execute(_OF_PRODUCT, (visitor, product.id)).fetchone()), known is None

    def of_visitor(self, visitor: str | bytes) -> VisitorAlerts:
        """Return the alerts of a visitor, who is named by the id or by the hash that a token has."""
        if not self.file.exists:
            return VisitorAlerts()
        with self.file.reading() as db:
            key = _key(db, visitor)
            waiting = tuple(read_alert(row) for row in db.execute(_OF_VISITOR, (key,)))
            return VisitorAlerts(waiting, tuple(read_fired(row) for row in db.execute(_FIRED_OF, (key, MAX_FIRED))))

    def remove(self, visitor: str | bytes, alert_id: str) -> None:
        """Remove an alert of a visitor, waiting or fired, with its delivery. Raises UnknownPriceAlert."""
        removed = 0
        if self.file.exists:
            with self.file.writing() as db:
                key = _key(db, visitor)
                removed = sum(db.execute(statement, (alert_id, key)).rowcount for statement in _REMOVE)
        if not removed:
            raise UnknownPriceAlert(f"The visitor has no price alert {alert_id[:60]!r}.", "List the visitor's alerts.")

    def forget(self, visitor: str | bytes) -> int:
        """Remove all alerts of a visitor, from the write-ahead log too; return how many there were."""
        if not self.file.exists:
            return 0
        with self.file.writing() as db:
            key = _key(db, visitor)
            removed = sum(db.execute(statement, (key,)).rowcount for statement in _FORGET)
        self.file.empty_wal()
        return removed

    def token(self, visitor: str | bytes, purpose: str) -> str:
        """Return the token that opens a visitor's page of alerts (PAGE) or reads the feed of alerts (FEED)."""
        with self.file.reading() as db:
            return make_token(key_of(db), _key(db, visitor), purpose)

    def visitor_of(self, token: str, purpose: str) -> bytes | None:
        """Return the hash of the visitor whose token for that purpose this is; None where it is nobody's."""
        if not self.file.exists:
            return None
        with self.file.reading() as db:
            return read_token(key_of(db), token, purpose)

    def prune(self, days: float, now: float | None = None) -> int:
        """Remove alerts that waited `days`, 0 for no limit, and fired ones after FIRED_DAYS; return how many."""
        if not self.file.exists:
            return 0
        at = _seconds(now)
        with self.file.writing() as db:
            expired = db.execute("DELETE FROM alerts WHERE at < ? AND ? > 0", (at - days * DAY_S, days)).rowcount
            return expired + db.execute("DELETE FROM fired WHERE fired_at < ?", (at - FIRED_DAYS * DAY_S,)).rowcount

    def send_again(self) -> int:
        """Have every delivery that failed for good tried again; return how many there are."""
        if not self.file.exists:
            return 0
        with self.file.writing() as db:
            return db.execute(_SEND_AGAIN).rowcount

    def counts(self) -> AlertCounts:
        """Return how many alerts there are. Who shows them withholds those of few visitors."""
        if not self.file.exists:
            return AlertCounts(0, 0, 0, {})
        with self.file.reading() as db:
            waiting, visitors = db.execute("SELECT count(*), count(DISTINCT visitor) FROM alerts").fetchone()
            states = db.execute(_STATES).fetchall()
        deliveries = {state: count for state, count, _ in states}
        fired_visitors = {state: count for state, _, count in states}
        return AlertCounts(waiting, visitors, sum(deliveries.values()), deliveries, fired_visitors)

    def watched(self, least: int, limit: int = 20) -> Sequence[tuple[str, int]]:
        """Return the products that at least `least` visitors wait for and how many do, the most first."""
        if not self.file.exists:
            return ()
        with self.file.reading() as db:
            return db.execute(_WATCHED, (least, limit)).fetchall()


def read_alert(row: Sequence[object]) -> PriceAlert:
    """Return the alert of a row of COLUMNS."""
    name, product, title, at_most, price, *rest = row
    amount = None if at_most is None else Decimal(str(at_most))
    return PriceAlert(str(name), str(product), str(title), amount, Decimal(str(price)), *rest)  # type: ignore[arg-type]


def read_fired(row: Sequence[object]) -> FiredAlert:
    """Return the fired alert of a row of COLUMNS, fired_price, fired_at and delivery."""
    price, at, delivery = row[-3:]
    return FiredAlert(read_alert(row[:-3]), Decimal(str(price)), int(str(at)), str(delivery))


def _check_limits(db: sqlite3.Connection, visitor: bytes) -> None:
    if db.execute(_COUNT_OF, (visitor,)).fetchone()[0] >= MAX_OF_VISITOR:
        raise PriceAlertRefused(f"{MAX_OF_VISITOR} price alerts wait already.", "Remove one first.", TOO_MANY)
    if db.execute("SELECT count(*) FROM alerts").fetchone()[0] >= MAX_OF_SHOP:
        raise PriceAlertRefused("The shop takes no more price alerts.", "Try again another day.", FULL)


def _key(db: sqlite3.Connection, visitor: str | bytes) -> bytes:
    return visitor if isinstance(visitor, bytes) else hash_of(db, visitor)


def _seconds(now: float | None) -> int:
    return int(time.time() if now is None else now)
