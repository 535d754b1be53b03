"""The query log: text queries that found nothing or were slow, for the operator, and found ones, for suggestions.

All servers share one small file.

Of a query it stores the text, cut to 120 characters and without mail addresses and long numbers, the number of visitors
who sent it, the last time and the longest duration. It stores nothing about the shopper, and no picture.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from catalog.errors import StoreError
from catalog.home import ShopHome
from catalog.storage.sqlite import DISK_ERRORS, open_database, store_errors, transaction

EMPTY, SLOW, FOUND = "empty", "slow", "found"
QUERY_KINDS = (EMPTY, SLOW)
MAX_CHARACTERS = 120
MAX_QUERIES = 200  # latest queries of each of QUERY_KINDS
FOUND_FACTOR = 20  # times as many of those that found something
DELETE_EVERY = 100  # added ones of these, after which the oldest are deleted
MAX_DAYS = 30
DAY_S = 86_400
HIDDEN = "…"
_PRIVATE = re.compile(r"\S*@\S*|\+?\d(?:[ ()/.-]{0,2}\d){6,}")  # mail addresses; numbers of seven digits and more
_TIMEOUT_S = 0.1  # a shopper waits meanwhile
_SETUP = ("PRAGMA secure_delete = ON", "PRAGMA synchronous = OFF")  # a shopper waits, and an entry may be lost
_CREATE_QUESTIONS = """CREATE TABLE IF NOT EXISTS questions (kind TEXT, words TEXT, times INTEGER, at INTEGER, ms REAL,
    PRIMARY KEY (kind, words)) WITHOUT ROWID"""
_UPSERT_QUESTION = """INSERT INTO questions VALUES (?, ?, 1, ?, ?) ON CONFLICT DO UPDATE
    SET times = times + ?, at = max(at, excluded.at), ms = max(ms, excluded.ms)"""
_DELETE_OLD = """DELETE FROM questions WHERE at < ? OR (kind = ? AND words NOT IN
    (SELECT words FROM questions WHERE kind = ? ORDER BY at DESC, words LIMIT ?))"""
_SELECT_FOUND = """SELECT words, times FROM questions AS found WHERE kind = ? AND times >= ? AND at >= ? AND NOT EXISTS
    (SELECT 1 FROM questions AS empty WHERE empty.kind = ? AND empty.words = found.words AND empty.at > found.at)"""
_MOST_FREQUENT = """SELECT words, times, at, ms FROM questions WHERE kind = ? AND at >= ? AND times >= ?
    ORDER BY times DESC, at DESC, words LIMIT ?"""

log = logging.getLogger(__name__)


class QueryLog:
    """The query log of one shop. Every call opens the file, so threads and processes may share it."""

    def __init__(self, home: Path, max_queries: int = MAX_QUERIES) -> None:
        self._path = ShopHome(home).query_log
        self._max_queries = max_queries
        self._found = 0

    def add(self, kind: str, words: str, ms: float, now: float | None = None, *, new_visitor: bool = True) -> bool:
        """Count a query of one of QUERY_KINDS that took `ms` milliseconds; returns whether it was stored.

        With `new_visitor` false, the visitor has been counted for these words. Never raises: a full disk or another
        writer costs the entry, not the shopper's answer.
        """
        if not (text := redact(words)):
            return False
        at = int(time.time() if now is None else now)
        try:
            with self._db() as db:
                db.execute(_UPSERT_QUESTION, (kind, text, at, round(ms, 1), int(new_visitor)))
                db.execute(_DELETE_OLD, (at - MAX_DAYS * DAY_S, kind, kind, self._max_queries))
        except StoreError as error:
            log.info("A query was not logged: %s", error)
            return False
        return True

    def add_found(self, words: str, now: float | None = None) -> bool:
        """Count an occasion on which a query found something; returns whether it was stored. Never raises."""
        return self.add_found_many([(words, time.time() if now is None else now)])

    def add_found_many(self, queries: Sequence[tuple[str, float]]) -> bool:
        """Count occasions, (words, unix seconds), on which queries found something, in one transaction.

        Returns whether all were stored. Never raises.
        """
        rows = [(FOUND, text, int(at), 0.0, 1) for words, at in queries if (text := redact(words))]
        if not rows:
            return False
        deleted, self._found = self._found // DELETE_EVERY, self._found + len(rows)
        oldest = max(row[2] for row in rows) - MAX_DAYS * DAY_S
        try:
            with self._db() as db:
                db.executemany(_UPSERT_QUESTION, rows)
                if self._found // DELETE_EVERY > deleted:
                    db.execute(_DELETE_OLD, (oldest, FOUND, FOUND, FOUND_FACTOR * self._max_queries))
        except StoreError as error:
            log.info("%s queries were not logged: %s", len(rows), error)
            return False
        return True

    def found(self, least: int, now: float | None = None) -> dict[str, int]:
        """Return the queries that found something on `least` occasions or more, and did so the last time, with these.

        Raises StoreError.
        """
        if not self._path.is_file():
            return {}
        since = int(time.time() if now is None else now) - MAX_DAYS * DAY_S
        with self._db() as db:
            return dict(db.execute(_SELECT_FOUND, (FOUND, least, since, EMPTY)).fetchall())

    def most_frequent(
        self, kind: str, limit: int = 50, now: float | None = None, least: int = 1
    ) -> list[dict[str, Any]]:
        """Return the queries of `least` visitors and more, as JSON values: words, visitors, last time, longest ms.

        The visitors are named "times", the last time is in unix seconds.

        Entries older than MAX_DAYS are deleted first. Raises StoreError.
        """
        if not self._path.is_file():
            return []
        since = int(time.time() if now is None else now) - MAX_DAYS * DAY_S
        with self._db() as db:
            db.execute("DELETE FROM questions WHERE at < ?", (since,))
            rows = db.execute(_MOST_FREQUENT, (kind, since, least, limit)).fetchall()
        return [{"words": words, "times": times, "at": at, "ms": ms} for words, times, at, ms in rows]

    def clear(self) -> None:
        """Delete all entries. Raises StoreError."""
        if self._path.is_file():
            with self._db() as db:
                db.execute("DELETE FROM questions")

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        hint = "Remove the file; the next query creates a new one."
        with store_errors(f"The query log {self._path}", hint, errors=DISK_ERRORS):
            self._path.touch(mode=0o600)
            with (
                closing(open_database(self._path, _SETUP, timeout_s=_TIMEOUT_S)) as db,
                transaction(db),
            ):
                db.execute(_CREATE_QUESTIONS)  # always: the counts of searches may have made the file, without it
                yield db


def redact(words: str) -> str:
    """Return the text in lower case, cut to MAX_CHARACTERS, with HIDDEN in place of mail addresses and long numbers."""
    printable = "".join(character if character.isprintable() else " " for character in words[:1_000])
    return _PRIVATE.sub(HIDDEN, " ".join(printable.casefold().split()))[:MAX_CHARACTERS].strip()
