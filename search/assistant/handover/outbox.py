"""The outbox: hand-overs that wait to be sent, tried again until they have arrived or there is no hope.

An attempt is counted before it is made, and marked as sent after it was. A process that ends between the two sends once
more, with the same Idempotency-Key or Message-ID, so that the receiver can tell.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from dataclasses import dataclass

from catalog.files.failpoints import failpoint
from search.assistant.handover.handover import FAILED, MAIL, PENDING, SENT, HandoverSettings, StoredHandover
from search.assistant.handover.handovers import add_updates, read_handover
from search.assistant.handover.letter import letter, payload
from search.assistant.handover.mail_server import MailFailed, MailServer
from search.assistant.services.retries import KEY_HEADER, MAX_ATTEMPTS, MAX_ERROR, wait_s
from search.assistant.services.signed_post import ServiceFailed
from search.assistant.threads.thread import Thread
from search.assistant.threads.thread_store import ThreadStore, read_thread

_DUE = """SELECT thread, channel, update_number, attempts FROM deliveries
    WHERE state = 'pending' AND retry_at <= ? AND channel = ? ORDER BY retry_at LIMIT 1"""
_BEGIN = """UPDATE deliveries SET attempts = attempts + 1, retry_at = ?
    WHERE thread = ? AND channel = ? AND update_number = ? AND state = 'pending'"""
_END = """UPDATE deliveries SET state = ?, error = ?, sent_at = ?
    WHERE thread = ? AND channel = ? AND update_number = ?"""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    """A delivery to attempt, with what it sends as of now."""

    thread: Thread
    handover: StoredHandover
    channel: str
    update: int
    attempt: int

    @property
    def key(self) -> tuple[str, str, int]:
        """The key of the delivery in the store."""
        return self.thread.id, self.channel, self.update


class Outbox:
    """Sends the hand-overs of one shop. One thread of one process works on it at a time."""

    def __init__(self, store: ThreadStore, settings: HandoverSettings) -> None:
        """Raises BadInput when the address of the mail server cannot be read."""
        self._store = store
        self._settings = settings
        self._server = MailServer.read(settings.mail.server) if settings.mail is not None else None

    def step(self, now: float | None = None) -> int:
        """Attempt one due delivery of each channel, so that none holds up another; return how many there were."""
        at = time.time() if now is None else now
        with self._store.file.writing() as db:
            add_updates(db, self._settings.channels, at)
        return sum(self._attempt(channel, at) for channel in self._settings.channels)

    def _attempt(self, channel: str, at: float) -> bool:
        due = self._begin(channel, at)
        if due is None:
            return False
        failpoint("handover.begun")
        try:
            self._send(due)
        except Exception as error:  # whatever it is, it must not hold up the others, nor may its text be logged
            known = isinstance(error, MailFailed | ServiceFailed)
            reason = str(error) if known else f"It could not be written: {type(error).__name__}."
            self._end(due, PENDING if due.attempt < MAX_ATTEMPTS else FAILED, reason, None)
            log.warning("The hand-over %s was not sent by %s: %s", due.handover.reference, channel, reason)
            return True
        failpoint("handover.sent")
        self._end(due, SENT, "", at)
        return True

    def _begin(self, channel: str, at: float) -> _Due | None:
        """Count an attempt and set when the next one would be; return what is to be sent, None for nothing."""
        with self._store.file.writing() as db:
            row = db.execute(_DUE, (at, channel)).fetchone()
            if row is None:
                return None
            thread_id, _, update, attempts = row
            db.execute(_BEGIN, (at + wait_s(attempts), thread_id, channel, update))
            return _due(db, thread_id, channel, update, attempts + 1)

    def _send(self, due: _Due) -> None:
        """Send a hand-over by its channel. Raises MailFailed, ServiceFailed."""
        settings = self._settings
        if due.channel == MAIL and settings.mail is not None and self._server is not None:
            message = letter(due.thread, due.handover, due.update, settings.mail, settings)
            self._server.send(message, settings.mail.sender, settings.mail.to)
        elif settings.webhook is not None:
            key = f"{due.handover.reference}-{due.update}"
            body = payload(due.thread, due.handover, due.update, settings)
            status = settings.webhook.post(body, {KEY_HEADER: key}).status
            if not 200 <= status < 300:
                raise ServiceFailed(f"The webhook answered {status}.")

    def _end(self, due: _Due, state: str, error: str, sent_at: float | None) -> None:
        with self._store.file.writing() as db:
            db.execute(_END, (state, error[:MAX_ERROR], sent_at, *due.key))


def _due(db: sqlite3.Connection, thread_id: str, channel: str, update: int, attempt: int) -> _Due | None:
    handover = read_handover(db, thread_id)
    return None if handover is None else _Due(read_thread(db, thread_id), handover, channel, update, attempt)
