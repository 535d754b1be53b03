"""Hand-overs of a shop: each is stored before it is sent, and then sent until it has arrived."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

from catalog.files.failpoints import failpoint
from search.assistant.handover.handover import (
    PENDING,
    SENT,
    Contact,
    Delivery,
    Handover,
    HandoverSettings,
    StoredHandover,
    new_reference,
)
from search.assistant.handover.queues import GENERAL
from search.assistant.threads.removal import mail_key
from search.assistant.threads.thread import NORMAL, WAITING
from search.assistant.threads.thread_store import ThreadStore, unknown_thread

UPDATE_WAIT_S = 60.0  # a customer writes several messages in a row; they are sent together
MAX_DOUBLED = 6  # times that the wait doubles, an hour and four minutes: staff get few mails of a long conversation
MAX_SENT_OF_CALLER, HOUR_S = 6, 3_600.0  # new hand-overs within an hour that are sent; others wait for staff to look
_SELECT = """SELECT thread, reference, at, reason, queue, priority, email, name, order_number FROM handovers
    WHERE thread = ?"""
_DELIVERIES = """SELECT channel, update_number, state, attempts, error, retry_at, sent_at FROM deliveries
    WHERE thread = ? ORDER BY update_number DESC, channel"""
_ADD = """INSERT INTO handovers (thread, reference, at, reason, queue, priority, email, name, order_number,
    update_number, messages) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_CHANGE = """UPDATE handovers SET reason = ?, queue = ?, priority = max(priority, ?), email = coalesce(?, email),
    name = coalesce(?, name), order_number = coalesce(?, order_number), update_number = ?, messages = ?
    WHERE thread = ?"""
_UNTRIED = """SELECT 1 FROM deliveries WHERE thread = ? AND channel = ? AND state = 'pending' AND attempts = 0"""
_ADD_DELIVERY = (
    "INSERT OR IGNORE INTO deliveries (thread, channel, update_number, state, retry_at) VALUES (?, ?, ?, ?, ?)"
)
_TO_WAITING = "UPDATE threads SET state = ?, queue = ?, priority = max(priority, ?) WHERE id = ?"
_AGAIN = """UPDATE deliveries SET state = 'pending', attempts = 0, retry_at = ?, error = ''
    WHERE thread = ? AND state != 'sent'"""
_CONTINUED = """SELECT h.thread, h.update_number, t.messages FROM handovers AS h JOIN threads AS t ON t.id = h.thread
    WHERE h.update_number > 0 AND t.messages > h.messages AND EXISTS (SELECT 1 FROM messages AS m
    WHERE m.thread = h.thread AND m.number > h.messages AND m.role = 'customer')"""
_NOTE_UPDATE = "UPDATE handovers SET update_number = ?, messages = ? WHERE thread = ?"
_STATES = "SELECT state, count(*) FROM deliveries GROUP BY state"
_WORST = """SELECT thread, max(CASE state WHEN 'failed' THEN 2 WHEN 'pending' THEN 1 ELSE 0 END) FROM deliveries
    WHERE thread = ? GROUP BY thread"""
_WORDS = (SENT, PENDING, "failed")


class Handovers:
    """The hand-overs of one shop. `wake` is called when there is something to send. Threads may share it.

    Of `caller`, a customer's network address, only a few new ones are sent within an hour; "" has no limit.
    """

    def __init__(
        self,
        store: ThreadStore,
        settings: HandoverSettings = HandoverSettings(),  # noqa: B008 - it is frozen
        wake: Callable[[], None] = lambda: None,
        caller: str = "",
    ) -> None:
        self._store = store
        self._wake = wake
        self._caller = caller
        self.settings = settings

    def of_caller(self, caller: str) -> Handovers:
        """Return the same hand-overs for a request from a network address."""
        return Handovers(self._store, self.settings, self._wake, caller)

    def request(
        self,
        thread_id: str,
        reason: str,
        queue: str = GENERAL,
        priority: int = NORMAL,
        contact: Contact = Contact(),  # noqa: B008 - it is frozen
    ) -> Handover:
        """Hand a thread over, or report that a thread that was handed over goes on; it is on the disk then.

        Of the same thread, the reference stays, the highest priority holds, and what came since is sent once more.
        One that was not sent, because its caller had too many, waits on the page of conversations.
        Raises UnknownThread, StoreError.
        """
        now, file = time.time(), self._store.file
        key = mail_key(file, contact.email) if contact.email else None
        with file.writing() as db:
            messages = _messages(db, thread_id)
            known = db.execute(
                "SELECT reference, update_number, messages, email FROM handovers WHERE thread = ?", (thread_id,)
            ).fetchone()
            order = _proved_order(db, thread_id)
            if known is None:
                reference, update = new_reference(), int(self._may_send(db, now))
                fields = (reason, queue, priority, contact.email, contact.name, order or "")
                db.execute(_ADD, (thread_id, reference, now, *fields, update, messages))
                if update:
                    add_deliveries(db, self.settings.channels, (thread_id, 1), now)
            else:
                reference, update, sent_messages, email = known
                if update and (messages > sent_messages or (contact.email and contact.email != email)):
                    update += 1
                    add_deliveries(db, self.settings.channels, (thread_id, update), now + update_wait(update))
                changed = (contact.email or None, contact.name or None, order, update, messages)
                db.execute(_CHANGE, (reason, queue, priority, *changed, thread_id))
            db.execute(_TO_WAITING, (WAITING, queue, priority, thread_id))
            if key is not None:
                db.execute("INSERT OR IGNORE INTO mails VALUES (?, ?)", (key, thread_id))
            (held,) = db.execute("SELECT priority FROM handovers WHERE thread = ?", (thread_id,)).fetchone()
        failpoint("handover.stored")
        self._wake()
        return Handover(reference, queue, held, bool(update and self.settings.channels))

    def of_thread(self, thread_id: str) -> StoredHandover | None:
        """Return the hand-over of a thread with its deliveries, None for a thread that was not handed over."""
        with self._store.file.reading() as db:
            return read_handover(db, thread_id)

    def delivery_states(self, thread_ids: Sequence[str]) -> dict[str, str]:
        """Return by thread the worst state of its deliveries; a thread without any is left out."""
        with self._store.file.reading() as db:
            rows = [row for thread_id in thread_ids for row in db.execute(_WORST, (thread_id,))]
        return {thread_id: _WORDS[rank] for thread_id, rank in rows}

    def counts(self) -> dict[str, int]:
        """Return the number of deliveries by state."""
        with self._store.file.reading() as db:
            return dict(db.execute(_STATES).fetchall())

    def send_again(self, thread_id: str) -> None:
        """Send what failed or waits now; without any delivery, send by the channels that there are now.

        Raises UnknownThread for a thread that was not handed over.
        """
        now = time.time()
        with self._store.file.writing() as db:
            row = db.execute("SELECT update_number FROM handovers WHERE thread = ?", (thread_id,)).fetchone()
            if row is None:
                raise unknown_thread()
            update = max(1, row[0])
            db.execute("UPDATE handovers SET update_number = ? WHERE thread = ?", (update, thread_id))
            db.execute(_AGAIN, (now, thread_id))
            add_deliveries(db, self.settings.channels, (thread_id, update), now)
        self._wake()

    def _may_send(self, db: sqlite3.Connection, now: float) -> bool:
        """Count a new hand-over of the caller; return whether it is sent."""
        if not self._caller or not self.settings.channels:
            return True
        key = self._store.file.key_of("hand-over of caller", self._caller)
        db.execute("DELETE FROM attempts WHERE at <= ?", (now - HOUR_S,))
        (count,) = db.execute("SELECT count(*) FROM attempts WHERE key = ?", (key,)).fetchone()
        if count >= MAX_SENT_OF_CALLER:
            return False
        db.execute("INSERT INTO attempts VALUES (?, ?)", (key, now))
        return True


def add_deliveries(db: sqlite3.Connection, channels: Sequence[str], update: tuple[str, int], at: float) -> None:
    """Add a delivery for each channel, unless one was not tried yet: what is sent is read when it is sent.

    `update` is a thread and the number of the sending.
    """
    for channel in channels:
        if db.execute(_UNTRIED, (update[0], channel)).fetchone() is None:
            db.execute(_ADD_DELIVERY, (update[0], channel, update[1], PENDING, at))


def add_updates(db: sqlite3.Connection, channels: Sequence[str], now: float) -> None:
    """Plan to send what customers wrote after their hand-over, however it was answered: staff have to see it."""
    for thread_id, last, messages in db.execute(_CONTINUED).fetchall():
        db.execute(_NOTE_UPDATE, (last + 1, messages, thread_id))
        add_deliveries(db, channels, (thread_id, last + 1), now + update_wait(last + 1))


def update_wait(update: int) -> float:
    """Return the seconds before an update is sent: twice as long each time, from UPDATE_WAIT_S on."""
    return UPDATE_WAIT_S * 2.0 ** min(max(update - 2, 0), MAX_DOUBLED)


def read_handover(db: sqlite3.Connection, thread_id: str) -> StoredHandover | None:
    """Return a hand-over from an open database, None when there is none."""
    row = db.execute(_SELECT, (thread_id,)).fetchone()
    if row is None:
        return None
    *fields, email, name, order = row
    deliveries = tuple(Delivery(*delivery) for delivery in db.execute(_DELIVERIES, (thread_id,)))
    values: list[Any] = [*fields, Contact(email, name), order, deliveries]
    return StoredHandover(*values)


def _messages(db: sqlite3.Connection, thread_id: str) -> int:
    row = db.execute("SELECT messages FROM threads WHERE id = ?", (thread_id,)).fetchone()
    if row is None:
        raise unknown_thread()
    return int(row[0])


def _proved_order(db: sqlite3.Connection, thread_id: str) -> str | None:
    """Return the number of the order that the thread proved last, also when that may no longer be shown."""
    query = "SELECT number FROM proofs WHERE thread = ? ORDER BY until DESC LIMIT 1"
    row = db.execute(query, (thread_id,)).fetchone()
    return row[0] if row else None
