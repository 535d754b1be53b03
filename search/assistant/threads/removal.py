"""Remove conversations: those whose time is over, and those that somebody wants erased."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence

from search.assistant.threads.thread_file import ThreadFile

DAY_S = 86_400.0
MAX_REMOVED = 1_000  # threads that one look removes, so that a customer never waits for long
_SHA256 = re.compile("[0-9a-f]{64}")
_OF_THREAD = (
    "DELETE FROM messages WHERE thread = ?",
    "DELETE FROM mails WHERE thread = ?",
    "DELETE FROM handovers WHERE thread = ?",
    "DELETE FROM deliveries WHERE thread = ?",
    "DELETE FROM proofs WHERE thread = ?",
    "DELETE FROM threads WHERE id = ?",
)


def mail_sha256(mail: str) -> str:
    """Return the SHA-256 of an address of e-mail in small letters, as hex; a text that is such a hash as it is."""
    folded = mail.strip().lower()
    return folded if _SHA256.fullmatch(folded) else hashlib.sha256(folded.encode("utf-8", "replace")).hexdigest()


def mail_key(file: ThreadFile, mail: str) -> bytes:
    """Return the stored hash of an address of e-mail, or of its SHA-256 in hex."""
    return file.key_of("mail", mail_sha256(mail))


def visitor_key(file: ThreadFile, visitor: str) -> bytes:
    """Return the stored hash of a visitor's id."""
    return file.key_of("visitor", visitor)


def remove_threads(db: sqlite3.Connection, thread_ids: Sequence[str]) -> int:
    """Remove threads with all that belongs to them, corrections too; return how many there were."""
    rows = [(thread_id,) for thread_id in thread_ids]
    db.executemany("DELETE FROM corrections WHERE thread = ?", rows)
    return _remove(db, rows)


def remove_expired(db: sqlite3.Connection, now: float, days: float) -> int:
    """Remove threads without a message for `days`, 0 for no limit, and proofs that are over; return how many threads.

    Their corrections stay, without a link to the thread: they have a masked text and what staff set right.
    """
    db.execute("DELETE FROM proofs WHERE until < ?", (now,))
    if days <= 0:
        return 0
    query = "SELECT id FROM threads WHERE changed < ? ORDER BY changed LIMIT ?"
    rows = db.execute(query, (now - days * DAY_S, MAX_REMOVED)).fetchall()
    db.executemany("UPDATE corrections SET thread = NULL WHERE thread = ?", rows)
    return _remove(db, rows)


def _remove(db: sqlite3.Connection, rows: Sequence[tuple[str]]) -> int:
    removed = 0
    for statement in _OF_THREAD:
        removed = db.executemany(statement, rows).rowcount if rows else 0
    return removed
