"""Who may see an order: a customer proves it by number and address of e-mail, a few times an hour, in one thread.

What a thread has proved is stored with it and expires. So an order is shown in no other thread, and not for ever.
"""

from __future__ import annotations

import re
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from catalog.home import ShopHome
from search.assistant.orders.connector import OrderConnector
from search.assistant.orders.order import OrderStatus, order_number
from search.assistant.orders.order_file import OrderFile
from search.assistant.orders.order_service import OrderService
from search.assistant.services.signed_post import Service
from search.assistant.threads.removal import mail_key, mail_sha256
from search.assistant.threads.thread_store import ThreadStore

PROVED, REFUSED, TOO_MANY = "proved", "refused", "too_many"
HOUR_S = 3_600.0
PROOF_S = HOUR_S  # how long a thread shows an order that it proved
MAX_OF_THREAD, MAX_OF_NUMBER, MAX_OF_MAIL, MAX_OF_CALLER = 5, 8, 8, 20  # attempts within an hour
_MAIL = re.compile(r"[^\s@]{1,128}@[^\s@]{1,128}")
_PROVE = """INSERT INTO proofs VALUES (?, ?, ?, ?) ON CONFLICT (thread, number) DO UPDATE SET
    email_sha256 = excluded.email_sha256, until = excluded.until"""


@dataclass(frozen=True, slots=True)
class OrderClaim:
    """A claim that an order is the customer's. `caller` is the address of the network that it came from."""

    thread_id: str
    number: str
    email: str
    caller: str = ""


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """PROVED with the order; REFUSED for an unknown number and a wrong address alike; TOO_MANY attempts."""

    outcome: str
    order: OrderStatus | None = None


class OrderDesk:
    """Answers claims of customers with the orders of one shop. Threads and processes may share its counts."""

    def __init__(self, store: ThreadStore, connector: OrderConnector) -> None:
        self._store = store
        self._connector = connector

    @classmethod
    def open(cls, store: ThreadStore, home: Path, url: str = "", secret: str = "") -> OrderDesk:
        """Return the desk of a shop: its service's at `url`, else that of HOME/orders.csv. Raises BadInput."""
        service = OrderService(Service(url, secret.encode())) if url else None
        return cls(store, service or OrderFile(ShopHome(home).orders))

    @property
    def available(self) -> bool:
        """Whether the shop lets customers look up orders; if not, a person has to."""
        return self._connector.available

    def claim(self, claim: OrderClaim, now: float | None = None) -> OrderAnswer:
        """Return the order that a customer claims, if number and address belong together.

        Every claim counts before it is looked up, for its thread, number, mail address and caller; a successful one is
        taken off again. Raises OrdersUnavailable, StoreError.
        """
        at = time.time() if now is None else now
        number = order_number(claim.number)
        sha256 = mail_sha256(claim.email) if _MAIL.fullmatch(claim.email.strip()) else ""
        counted = self._count(claim, number, sha256, at)
        if not counted:
            return OrderAnswer(TOO_MANY)
        order = self._connector.find(number, sha256) if number and sha256 else None
        if order is None:
            return OrderAnswer(REFUSED)
        with self._store.file.writing() as db:
            db.execute(_PROVE, (claim.thread_id, number, sha256, at + PROOF_S))
            db.executemany("DELETE FROM attempts WHERE rowid = ?", [(row,) for row in counted])
            db.execute(
                "INSERT OR IGNORE INTO mails VALUES (?, ?)", (mail_key(self._store.file, sha256), claim.thread_id)
            )
        return OrderAnswer(PROVED, order)

    def shown(self, thread_id: str, number: str = "", now: float | None = None) -> OrderStatus | None:
        """Return an order that this thread has proved within the last hour, as it is now: `number`, or the latest.

        Raises OrdersUnavailable, StoreError.
        """
        at = time.time() if now is None else now
        query = """SELECT number, email_sha256 FROM proofs WHERE thread = ?1 AND until > ?2 AND (?3 = '' OR number = ?3)
            ORDER BY until DESC LIMIT 1"""
        with self._store.file.reading() as db:
            row = db.execute(query, (thread_id, at, order_number(number))).fetchone()
        return None if row is None else self._connector.find(*row)

    def _count(self, claim: OrderClaim, number: str, sha256: str, at: float) -> list[int]:
        """Count an attempt and return its rows; none where there are too many already."""
        file = self._store.file
        limits = [(file.key_of("claim of thread", claim.thread_id), MAX_OF_THREAD)]
        if number:
            limits.append((file.key_of("claim of number", number), MAX_OF_NUMBER))
        if sha256:
            limits.append((file.key_of("claim of mail", sha256), MAX_OF_MAIL))
        if claim.caller:
            limits.append((file.key_of("claim of caller", claim.caller), MAX_OF_CALLER))
        with file.writing() as db:
            db.execute("DELETE FROM attempts WHERE at <= ?", (at - HOUR_S,))
            if any(_attempts(db, key) >= limit for key, limit in limits):
                return []
            rows = [db.execute("INSERT INTO attempts VALUES (?, ?)", (key, at)).lastrowid for key, _ in limits]
        return [row for row in rows if row is not None]


def _attempts(db: sqlite3.Connection, key: bytes) -> int:
    (count,) = db.execute("SELECT count(*) FROM attempts WHERE key = ?", (key,)).fetchone()
    return int(count)
