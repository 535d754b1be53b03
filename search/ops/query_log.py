"""Questions in words that found nothing, or were slow: for the shop's operator, in one small file for all servers.

Of a question its words are kept, cut to 120 characters and without what may be an address or a number of somebody; how
often it was asked, when last, and the longest it took. Nothing of who asked, and no picture.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from catalog.errors import StoreError
from catalog.home import ShopHome
from catalog.storage.sqlite import open_database, store_errors, transaction

EMPTY, SLOW = "empty", "slow"
QUERY_KINDS = (EMPTY, SLOW)
MAX_CHARACTERS = 120  # characters
MAX_QUERIES = 200  # questions of each kind that are kept, those asked last
MOST_DAYS = 30
DAY = 86_400
HIDDEN = "…"
_PRIVATE = re.compile(r"\S*@\S*|\+?\d(?:[ ()/.-]{0,2}\d){6,}")  # mail addresses; numbers of seven digits and more
_TIMEOUT_S = 0.1  # a shopper waits for this
_SETUP = ("PRAGMA secure_delete = ON", "PRAGMA synchronous = OFF")  # a shopper waits, and a note may be lost
_TABLE = """CREATE TABLE IF NOT EXISTS questions (kind TEXT, words TEXT, times INTEGER, at INTEGER, ms REAL,
    PRIMARY KEY (kind, words)) WITHOUT ROWID"""
_ADD = """INSERT INTO questions VALUES (?, ?, 1, ?, ?) ON CONFLICT DO UPDATE
    SET times = times + 1, at = max(at, excluded.at), ms = max(ms, excluded.ms)"""
_PRUNE = """DELETE FROM questions WHERE at < ? OR (kind = ? AND words NOT IN
    (SELECT words FROM questions WHERE kind = ? ORDER BY at DESC, words LIMIT ?))"""
_NEWEST = """SELECT words, times, at, ms FROM questions WHERE kind = ? AND at >= ?
    ORDER BY times DESC, at DESC, words LIMIT ?"""
_FORGET = "DELETE FROM questions WHERE at < ?"

log = logging.getLogger(__name__)


class QueryLog:
    """The log of one shop. Every call opens its file anew, so threads and processes may share it."""

    def __init__(self, home: Path, most: int = MAX_QUERIES) -> None:
        self._path = ShopHome(home).query_log
        self._most = most

    def add(self, kind: str, words: str, ms: float, now: float | None = None) -> bool:
        """Count a question of one of KINDS that took so many milliseconds; whether it was kept.

        Never fails: a disk that is full, or another that writes, costs the note and not the shopper's answer.
        """
        kept = redact(words)
        if not kept:
            return False
        at = int(time.time() if now is None else now)
        try:
            with self._db() as db:
                db.execute(_ADD, (kind, kept, at, round(ms, 1)))
                db.execute(_PRUNE, (at - MOST_DAYS * DAY, kind, kind, self._most))
        except StoreError as error:
            log.info("A question was not noted: %s", error)
            return False
        return True

    def most(self, kind: str, limit: int = 50, now: float | None = None) -> list[dict[str, Any]]:
        """Those asked most often, as JSON values: words, times, the last time (unix seconds), the longest ms.

        What is older than MOST_DAYS is forgotten first. Raises StoreError.
        """
        if not self._path.is_file():
            return []
        since = int(time.time() if now is None else now) - MOST_DAYS * DAY
        with self._db() as db:
            db.execute(_FORGET, (since,))
            rows = db.execute(_NEWEST, (kind, since, limit)).fetchall()
        return [{"words": words, "times": times, "at": at, "ms": ms} for words, times, at, ms in rows]

    def clear(self) -> None:
        """Forget all questions. Raises StoreError."""
        if self._path.is_file():
            with self._db() as db:
                db.execute("DELETE FROM questions")

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        with store_errors(f"The questions in {self._path}", "Remove the file; the next question begins a new one."):
            self._path.touch(mode=0o600)
            with closing(open_database(self._path, _SETUP, (_TABLE,), timeout_s=_TIMEOUT_S)) as db, transaction(db):
                yield db


def redact(words: str) -> str:
    """The words in lower case, cut to LONGEST, with HIDDEN in place of mail addresses and long numbers."""
    told = " ".join("".join(each if each.isprintable() else " " for each in words[:1_000]).casefold().split())
    return _PRIVATE.sub(HIDDEN, told)[:MAX_CHARACTERS].strip()
