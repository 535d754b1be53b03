"""Store conversations: messages are appended and never changed; state, queue and corrections stand next to them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import BadQuery, UnknownThread
from search.assistant.threads.masking import mails_in, mask, mask_cards
from search.assistant.threads.removal import mail_key, remove_expired, remove_threads, visitor_key
from search.assistant.threads.thread import (
    ANSWERED,
    CLOSED,
    CUSTOMER,
    MAX_MESSAGES,
    MAX_THREAD_ID,
    NORMAL,
    OPEN,
    PERSON,
    STATES,
    WAITING,
    CorrectedMessage,
    Thread,
    ThreadCorrection,
    ThreadMessage,
    ThreadSummary,
    check_message,
    iso_time,
)
from search.assistant.threads.thread_file import ThreadFile

DEFAULT_DAYS = 90.0
PRUNE_SECONDS = 3_600.0
MAX_EXCERPT = 160  # characters
MAX_LISTED = 200
_ADD_THREAD = """INSERT INTO threads (id, started, changed, state, language, product_id, visitor)
    VALUES (?, ?, ?, 'open', ?, ?, ?) ON CONFLICT (id) DO NOTHING"""
_ADD_MESSAGE = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_AFTER_MESSAGE = """UPDATE threads SET changed = ?, state = ?, messages = ?, excerpt = coalesce(?, excerpt),
    language = coalesce(?, language), product_id = coalesce(?, product_id), visitor = coalesce(?, visitor)
    WHERE id = ?"""
_LIST = """SELECT id, state, queue, priority, language, product_id, started, changed, messages, excerpt
    FROM threads WHERE (?1 = '' OR state = ?1) AND (?2 = '' OR queue = ?2) AND (?3 < 0 OR priority = ?3)
    ORDER BY state = 'waiting' DESC, priority DESC,
    CASE WHEN state = 'waiting' THEN changed ELSE -changed END, id LIMIT ?4 OFFSET ?5"""
_COUNT = """SELECT count(*) FROM threads WHERE (?1 = '' OR state = ?1) AND (?2 = '' OR queue = ?2)
    AND (?3 < 0 OR priority = ?3)"""
_MESSAGES = """SELECT role, text, at, language, intent, probability, code, sources, author, number FROM messages
    WHERE thread = ? AND number > ? ORDER BY number"""
_DELIVERIES = """SELECT channel, update_number, state, sent_at FROM deliveries WHERE thread = ?
    ORDER BY update_number, channel"""
_CORRECT = """INSERT INTO corrections (thread, number, text, language, intent, passage, author, at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (thread, number) DO UPDATE SET
    intent = excluded.intent, passage = excluded.passage, author = excluded.author, at = excluded.at"""


@dataclass(frozen=True, slots=True)
class ThreadFilter:
    """Which threads to list: "" and None leave a field open."""

    state: str = ""
    queue: str = ""
    priority: int | None = None

    def parameters(self) -> tuple[str, str, int]:
        """Return the filter as the parameters of a statement."""
        return self.state, self.queue, -1 if self.priority is None else self.priority


@dataclass(frozen=True, slots=True)
class ThreadOrigin:
    """Where a message came from: an opaque visitor id and the product in view, "" where there is none."""

    visitor: str = ""
    product_id: str = ""


class ThreadStore:
    """The conversations of one shop. Threads and processes may share it. All methods raise StoreError.

    `days` is how long a conversation stays after its last message, 0 for no limit.
    """

    def __init__(self, home: Path, days: float = DEFAULT_DAYS) -> None:
        self.file = ThreadFile(home)
        self.days = days
        self._pruned_at = float("-inf")

    def append(self, thread_id: str, message: ThreadMessage, origin: ThreadOrigin = ThreadOrigin()) -> int:
        """Store a message at the end of a thread, which begins with it if it is new; return the message's number.

        Numbers of payment cards are masked before they are stored. A customer's message reopens a thread, and a
        person's answers it. Raises BadQuery for a message that is too long, or one message too many.
        """
        check_message(message)
        if not 1 <= len(thread_id) <= MAX_THREAD_ID:
            raise BadQuery("The id of the thread is empty or too long.", "Use new_thread_id().")
        at = message.at or time.time()
        visitor = visitor_key(self.file, origin.visitor) if origin.visitor else None
        hashes = [mail_key(self.file, mail) for mail in mails_in(message.text)] if message.role == CUSTOMER else []
        self.prune(at)
        with self.file.writing() as db:
            db.execute(_ADD_THREAD, (thread_id, at, at, message.language, origin.product_id, visitor))
            state, count = db.execute("SELECT state, messages FROM threads WHERE id = ?", (thread_id,)).fetchone()
            if count >= MAX_MESSAGES:
                raise BadQuery(f"The conversation has {count:,} messages, which is the limit.", "Begin a new one.")
            db.execute(_ADD_MESSAGE, _message_row(thread_id, count + 1, message, at))
            db.executemany("INSERT OR IGNORE INTO mails VALUES (?, ?)", [(key, thread_id) for key in hashes])
            is_customer = message.role == CUSTOMER
            excerpt = mask(message.text)[:MAX_EXCERPT] if is_customer else None
            language = message.language if is_customer else None
            after = (at, _state_after(db, thread_id, state, message.role), count + 1, excerpt, language)
            db.execute(_AFTER_MESSAGE, (*after, origin.product_id or None, visitor, thread_id))
        return int(count) + 1

    def thread(self, thread_id: str) -> Thread:
        """Return a thread with its messages. Raises UnknownThread."""
        with self.file.reading() as db:
            return read_thread(db, thread_id)

    def messages_after(self, thread_id: str, number: int) -> tuple[ThreadMessage, ...]:
        """Return the messages of a thread with larger numbers than `number`, oldest first; none of an unknown one."""
        with self.file.reading() as db:
            return _messages(db, thread_id, number)

    def page(self, wanted: ThreadFilter, offset: int = 0, k: int = 50) -> tuple[tuple[ThreadSummary, ...], int]:
        """Return a page of threads and how many there are: those that wait first, by priority, longest wait first.

        Threads whose time is over are removed before.
        """
        self.prune(time.time())
        with self.file.reading() as db:
            rows = db.execute(_LIST, (*wanted.parameters(), min(k, MAX_LISTED), offset)).fetchall()
            (total,) = db.execute(_COUNT, wanted.parameters()).fetchone()
        return tuple(ThreadSummary(*row) for row in rows), int(total)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of threads by queue and state."""
        with self.file.reading() as db:
            rows = db.execute("SELECT queue, state, count(*) FROM threads GROUP BY queue, state").fetchall()
        found: dict[str, dict[str, int]] = {}
        for queue, state, count in rows:
            found.setdefault(queue, {})[state] = count
        return found

    def set_state(self, thread_id: str, state: str) -> None:
        """Set the state of a thread. Raises BadQuery, UnknownThread."""
        if state not in STATES:
            raise BadQuery(f"A thread cannot be {state!r}.", f"It is one of: {', '.join(STATES)}.")
        self._update("UPDATE threads SET state = ? WHERE id = ?", (state, thread_id))

    def route(self, thread_id: str, queue: str, priority: int = NORMAL) -> None:
        """Put a thread into a queue with a priority. Raises UnknownThread."""
        self._update("UPDATE threads SET queue = ?, priority = ? WHERE id = ?", (queue, priority, thread_id))

    def correct(self, thread_id: str, number: int, correction: ThreadCorrection) -> None:
        """Store what staff set right of a customer's message. Raises BadQuery, UnknownThread."""
        with self.file.writing() as db:
            found = next((m for m in read_thread(db, thread_id).messages if m.number == number), None)
            if found is None or found.role != CUSTOMER:
                raise BadQuery(f"The thread has no message {number} of a customer.", "Correct a customer's message.")
            fields = (mask(found.text), found.language, correction.intent, correction.passage, correction.author)
            db.execute(_CORRECT, (thread_id, number, *fields, time.time()))

    def corrections(self, since: float = 0.0) -> tuple[CorrectedMessage, ...]:
        """Return corrected messages since a unix time, oldest first, their personal data masked."""
        query = "SELECT text, language, intent, passage, at FROM corrections WHERE at >= ? ORDER BY at, id"
        with self.file.reading() as db:
            return tuple(CorrectedMessage(*row) for row in db.execute(query, (since,)))

    def erase(self, thread_id: str) -> bool:
        """Remove a thread, its hand-over and its corrections; return whether it was there."""
        return bool(self._erase([thread_id]))

    def ids_of_visitor(self, visitor: str) -> tuple[str, ...]:
        """Return the ids of a visitor's threads."""
        with self.file.reading() as db:
            return _ids(db, "SELECT id FROM threads WHERE visitor = ?", visitor_key(self.file, visitor))

    def ids_of_mail(self, mail: str) -> tuple[str, ...]:
        """Return the ids of the threads in which an address of e-mail was written or left as a contact."""
        with self.file.reading() as db:
            return _ids(db, "SELECT thread FROM mails WHERE hash = ?", mail_key(self.file, mail))

    def forget(self, visitor: str) -> int:
        """Remove all threads of a visitor who asks for it; return how many there were."""
        return self._erase(self.ids_of_visitor(visitor))

    def forget_mail(self, mail: str) -> int:
        """Remove all threads in which an address of e-mail was written; return how many there were."""
        return self._erase(self.ids_of_mail(mail))

    def export(self, thread_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return threads with all that is stored of them, as JSON values, for somebody who asks what is stored."""
        with self.file.reading() as db:
            return [_exported(db, thread_id) for thread_id in thread_ids]

    def prune(self, now: float) -> int:
        """Remove the threads whose time is over, if that was not done in the last hour; return how many."""
        if abs(now - self._pruned_at) < PRUNE_SECONDS:
            return 0
        self._pruned_at = now
        with self.file.writing() as db:
            removed = remove_expired(db, now, self.days)
        if removed:
            self.file.empty_wal()
        return removed

    def _erase(self, thread_ids: Sequence[str]) -> int:
        with self.file.writing() as db:
            removed = remove_threads(db, thread_ids)
        if removed:
            self.file.empty_wal()
        return removed

    def _update(self, statement: str, parameters: tuple[object, ...]) -> None:
        with self.file.writing() as db:
            if not db.execute(statement, parameters).rowcount:
                raise unknown_thread()


def unknown_thread() -> UnknownThread:
    """Return the error of an id that no thread has."""
    return UnknownThread("There is no conversation with that id.", "It may have been erased; list the conversations.")


def read_thread(db: sqlite3.Connection, thread_id: str) -> Thread:
    """Return a thread from an open database. Raises UnknownThread."""
    query = "SELECT id, state, queue, priority, language, product_id, started, changed FROM threads WHERE id = ?"
    row = db.execute(query, (thread_id,)).fetchone()
    if row is None:
        raise unknown_thread()
    rows = db.execute("SELECT number, intent, passage, author FROM corrections WHERE thread = ?", (thread_id,))
    corrections = {number: ThreadCorrection(*fields) for number, *fields in rows.fetchall()}
    fields: list[Any] = [*row, _messages(db, thread_id, 0), corrections]
    return Thread(*fields)


def _messages(db: sqlite3.Connection, thread_id: str, after: int) -> tuple[ThreadMessage, ...]:
    return tuple(_message(*row) for row in db.execute(_MESSAGES, (thread_id, after)))


def _message(*row: Any) -> ThreadMessage:
    *fields, sources, author, number = row
    known: list[Any] = [*fields, tuple(json.loads(sources)), author, number]
    return ThreadMessage(*known)


def _message_row(thread_id: str, number: int, message: ThreadMessage, at: float) -> tuple[object, ...]:
    text, sources = mask_cards(message.text), json.dumps([*message.sources], ensure_ascii=False)
    understood = (message.language, message.intent, message.probability, message.code)
    return thread_id, number, message.role, text, at, *understood, sources, message.author


def _state_after(db: sqlite3.Connection, thread_id: str, state: str, role: str) -> str:
    """Return the state of a thread after a message: only what was handed over waits for a person again."""
    if role == PERSON:
        return ANSWERED
    if role == CUSTOMER and state in (ANSWERED, CLOSED):
        handed_over = db.execute("SELECT 1 FROM handovers WHERE thread = ?", (thread_id,)).fetchone()
        return WAITING if handed_over else OPEN
    return state


def _ids(db: sqlite3.Connection, query: str, key: bytes) -> tuple[str, ...]:
    return tuple(thread_id for (thread_id,) in db.execute(query, (key,)))


def _exported(db: sqlite3.Connection, thread_id: str) -> dict[str, Any]:
    values = read_thread(db, thread_id).to_dict()
    query = "SELECT at, reference, reason, queue, email, name, order_number FROM handovers WHERE thread = ?"
    handover = db.execute(query, (thread_id,)).fetchone()
    if handover:
        names = ("reference", "reason", "queue", "email", "name", "order_number")
        deliveries = [
            {"channel": channel, "update": update, "state": state, "sent_at": sent_at and iso_time(sent_at)}
            for channel, update, state, sent_at in db.execute(_DELIVERIES, (thread_id,))
        ]
        handover = dict(zip(("at", *names), (iso_time(handover[0]), *handover[1:]), strict=True))
        handover["deliveries"] = deliveries
    proofs = db.execute("SELECT number, email_sha256, until FROM proofs WHERE thread = ? ORDER BY until", (thread_id,))
    proved = [{"number": number, "email_sha256": sha256, "until": iso_time(at)} for number, sha256, at in proofs]
    return values | {"handover": handover or None, "proved_orders": proved}
