"""The inbox of shop platforms: what their webhooks sent, durable before it is acknowledged, and what is still to do.

It holds the newest document of each product, not a queue of messages. So a product that changed ten times is worked on
once, an older message never replaces a newer one, and a message that comes twice changes nothing.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import BadDelivery
from catalog.feeds.platform_documents.document import ProductDocument, read_document
from catalog.home import ShopHome
from catalog.storage.sqlite import DISK_ERRORS, open_database, read_statements, store_errors, transaction

ACCEPTED, DUPLICATE, OUTDATED, UNCHANGED, WAITING = "accepted", "duplicate", "outdated", "unchanged", "waiting"
MAX_DELIVERIES = 200_000  # remembered; a platform sends a delivery again within two days
FIRST_RETRY_S, LAST_RETRY_S = 10.0, 3_600.0
MAX_FAILURES = 10  # then the document waits for the next change of its product, or for a reconciliation

_SELECT = "SELECT updated, body, version FROM documents WHERE platform = ? AND id = ?"
_UPSERT = """INSERT INTO documents (platform, id, updated, body, version, pending) VALUES (?, ?, ?, ?, 1, 1)
    ON CONFLICT (platform, id) DO UPDATE SET updated = excluded.updated, body = excluded.body, version = version + 1,
    pending = 1, failures = 0, failure = '', retry_at = 0"""
_SAME_BODY = "SELECT 1 FROM deliveries WHERE platform = ? AND sha256 = ? LIMIT 1"
_PENDING = """SELECT platform, id, version, body, shown, failures FROM documents WHERE pending = 1 AND retry_at <= ?
    ORDER BY retry_at LIMIT ?"""
_DONE = """UPDATE documents SET shown = ?, failure = ?, failures = ?, retry_at = ?,
    pending = CASE WHEN version = ? THEN ? ELSE 1 END WHERE platform = ? AND id = ?"""
_COUNT = """SELECT count(*), coalesce(sum(pending), 0), coalesce(sum(failure != ''), 0) FROM documents
    WHERE platform = ?"""


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A change of one product: `apply` returns its document after the change, None when the product is gone.

    `apply` gets the document that is known, None without any. `updated` is the moment of the change by the platform's
    clock. A `partial` change, of one variant, needs a known document. One that `restores` brings a removed product back
    even where its moment is earlier than that of the removal; it counts only if its body never came before.
    """

    platform: str
    product_id: str
    updated: float
    apply: Callable[[ProductDocument | None], ProductDocument | None]
    partial: bool = False
    restores: bool = False


@dataclass(frozen=True, slots=True)
class PendingDocument:
    """A document whose products are not up to date: `shown` are the ids of those that it gave rise to before."""

    platform: str
    product_id: str
    version: int
    document: ProductDocument | None
    shown: tuple[str, ...]
    failures: int


@dataclass(frozen=True, slots=True)
class InboxStatus:
    """How many products of a platform are known, wait to be worked on, and have a failure."""

    products: int
    pending: int
    failed: int


class Inbox:
    """The inbox of one shop. Threads and processes may share it."""

    def __init__(self, home: Path) -> None:
        """Open the inbox, made when absent. Raises StoreError."""
        self._path = ShopHome(home).inbox
        self._lock = threading.Lock()
        with self._checked():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            schema = read_statements(Path(__file__).with_name("inbox.sql"))
            self._db = open_database(self._path, ("PRAGMA synchronous = FULL",), schema)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def accept(self, change: DocumentChange, delivery: str, sha256: str) -> str:
        """Store a change and return ACCEPTED, or why nothing is to be done; it is on the disk then.

        `delivery` is the platform's number of the message, `sha256` the hash of its body. Raises BadDelivery,
        StoreError.
        """
        with self.writing() as db:
            found = db.execute(
                "SELECT sha256 FROM deliveries WHERE platform = ? AND delivery = ?", (change.platform, delivery)
            ).fetchone()
            if found is not None:
                if found[0] != sha256:
                    message = f"The delivery {delivery[:60]!r} came before with another content."
                    raise BadDelivery(message, "A delivery that is sent again must be the same; this one is not used.")
                return DUPLICATE
            # The number is not signed, and nor is what says that this is a restoration. Only a new body can be one.
            if change.restores and db.execute(_SAME_BODY, (change.platform, sha256)).fetchone():
                return DUPLICATE
            db.execute(
                "INSERT INTO deliveries (platform, delivery, sha256) VALUES (?, ?, ?)",
                (change.platform, delivery, sha256),
            )
            last = db.execute("SELECT max(number) FROM deliveries").fetchone()[0]
            db.execute("DELETE FROM deliveries WHERE number <= ?", (last - MAX_DELIVERIES,))
            return _apply(db, change)

    def pending(self, limit: int) -> list[PendingDocument]:
        """Return documents that wait to be worked on now, those that wait longest first."""
        with self._checked(), self._lock:
            rows = self._db.execute(_PENDING, (time.time(), limit)).fetchall()
        return [
            PendingDocument(platform, product_id, version, _document(body), tuple(json.loads(shown)), failures)
            for platform, product_id, version, body, shown, failures in rows
        ]

    def finish(self, done: PendingDocument, shown: Sequence[str], failure: str = "", retry: bool = False) -> None:
        """Note which products a document has now; with `retry`, it is worked on again later, unless it is too often.

        A document that was changed meanwhile stays pending.
        """
        failures = done.failures + 1 if failure else 0
        again = retry and failures <= MAX_FAILURES
        wait = min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(failures, 20)) if again else 0.0
        values = (json.dumps(list(shown)), failure[:2_000], failures, time.time() + wait if again else 0.0)
        with self.writing() as db:
            db.execute(_DONE, (*values, done.version, int(again), done.platform, done.product_id))

    def status(self, platform: str) -> InboxStatus:
        """Return how many products of a platform are known, pending and failed."""
        with self._checked(), self._lock:
            return InboxStatus(*self._db.execute(_COUNT, (platform,)).fetchone())

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the block the database in one transaction. Raises StoreError."""
        with self._checked(), self._lock, transaction(self._db) as db:
            yield db

    @contextmanager
    def _checked(self) -> Iterator[None]:
        name, hint = f"The inbox {self._path}", "Check its rights and the disk's free space."
        with store_errors(name, hint, errors=DISK_ERRORS):
            yield


def _apply(db: sqlite3.Connection, change: DocumentChange) -> str:
    """Apply a change to the stored document, unless that is newer, and return what became of it."""
    row = db.execute(_SELECT, (change.platform, change.product_id)).fetchone()
    updated, body, _ = row or (0.0, None, 0)
    known = _document(body)
    if change.partial:
        if known is None:
            return OUTDATED if row else WAITING
        after, moment = change.apply(known), updated
    else:
        removed = row is not None and body is None
        newer = updated > change.updated or (removed and updated == change.updated)
        if row is not None and newer and not (change.restores and removed):
            return OUTDATED
        after, moment = change.apply(known), max(change.updated, updated)
    text = None if after is None else after.to_json()
    if row is not None and text == body:
        return UNCHANGED
    db.execute(_UPSERT, (change.platform, change.product_id, moment, text))
    return ACCEPTED


def _document(body: str | None) -> ProductDocument | None:
    return None if body is None else read_document(body)
