"""Counts for the owner, by day: what was searched for, whether it found something, and which products were shown.

They lie in the file of the query log and hold as little: texts without mail addresses and long numbers, and numbers.
Of each text they hold how many visitors searched for it, so that texts of few are not shown. No visitor is stored.
All servers of a shop add to them.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from catalog.errors import StoreError
from catalog.home import ShopHome
from catalog.storage.sqlite import DISK_ERRORS, open_database, store_errors, transaction
from search.ops.query_log import redact

PHOTO = ""  # stands for the words of a search by photo
ANY = "\n"  # stands for any words, to count the visitors of all texts together
PHOTO_QUERY = "photo"  # the query id of such a search
VISITOR_DAYS = 7  # in which a visitor counts once for a text: the owner's page shows weeks
MAX_DAYS = 30  # days whose searches are stored
MAX_SHOWN_DAYS = 90  # days after which a product counts as not shown
MAX_SEARCHES = 50_000  # rows
PRUNE_EVERY = 200  # added ones, after which old rows are deleted
_TIMEOUT_S = 0.1  # a shopper waits meanwhile
_SETUP = ("PRAGMA secure_delete = ON", "PRAGMA synchronous = OFF")  # as the query log
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS searches (day INTEGER, words TEXT, found INTEGER, times INTEGER,
        PRIMARY KEY (day, words, found)) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS shown (product_id TEXT PRIMARY KEY, day INTEGER, times INTEGER) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS counting (since INTEGER)",
    """CREATE TABLE IF NOT EXISTS searchers (day INTEGER, words TEXT, found INTEGER, visitors INTEGER,
        PRIMARY KEY (day, words, found)) WITHOUT ROWID""",
)
_BEGIN = "INSERT INTO counting SELECT ? WHERE NOT EXISTS (SELECT 1 FROM counting)"
_COUNT_SEARCH = "INSERT INTO searches VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1"
_COUNT_SHOWN = "INSERT INTO shown VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1, day = excluded.day"
_COUNT_VISITOR = "INSERT INTO searchers VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET visitors = visitors + 1"
_DELETE_OLD_VISITORS = "DELETE FROM searchers WHERE day <= ?"
_DELETE_OLD = "DELETE FROM searches WHERE day <= ?"
_DELETE_ALL = ("DELETE FROM searches", "DELETE FROM searchers", "DELETE FROM shown", "DELETE FROM counting")
_DELETE_EXCESS = """DELETE FROM searches WHERE (day, words, found) IN
    (SELECT day, words, found FROM searches ORDER BY day DESC, times DESC LIMIT -1 OFFSET ?)"""
_DELETE_SHOWN = "DELETE FROM shown WHERE day <= ?"
_SELECT_VISITORS = """SELECT words, sum(visitors * found), sum(visitors * (1 - found)) FROM searchers
    WHERE day BETWEEN ? AND ? GROUP BY words"""
_SELECT_SEARCHES = """SELECT words, sum(times * found), sum(times * (1 - found)) FROM searches
    WHERE day BETWEEN ? AND ? GROUP BY words"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchCount:
    """How often a text was searched for with and without results; an address counts once a day for a text.

    `found_by` and `empty_by` are the visitors with and without results, each counted once in VISITOR_DAYS.
    """

    words: str
    found: int
    empty: int
    found_by: int = 0
    empty_by: int = 0

    @property
    def times(self) -> int:
        """All searches for the text."""
        return self.found + self.empty

    @property
    def visitors(self) -> int:
        """The visitors who searched for the text, at least."""
        return max(self.found_by, self.empty_by)


@dataclass(frozen=True, slots=True)
class CountedSearch:
    """A search to count: its text, None where it was counted before, and the products shown.

    `new_to` are those of `texts_of` the words that its visitor was not counted for within VISITOR_DAYS.
    """

    day: int  # ordinal of the calendar
    text: str | None
    found: bool
    new_to: Sequence[str]
    shown: Sequence[str]

    @classmethod
    def of(
        cls,
        words: str | None,
        found: bool,
        shown: Sequence[str],
        now: float | None = None,
        new_to: Sequence[str] | None = None,
    ) -> CountedSearch:
        """Return a search for words as they were typed; `new_to` is None for all texts."""
        day = date.fromtimestamp(time.time() if now is None else now).toordinal()
        text = None if words is None else redact(words)
        if words and not text:
            text = None  # it had nothing but an address or a number
        return cls(day, text, found, texts_of(text) if new_to is None else new_to, shown)


class SearchCounts:
    """The counts of one shop. Every call opens the file, so threads and processes may share it."""

    def __init__(self, home: Path) -> None:
        self._path = ShopHome(home).query_log
        self._added = 0

    def add(
        self,
        words: str | None,
        found: bool,
        shown: Sequence[str],
        now: float | None = None,
        new_to: Sequence[str] | None = None,
    ) -> bool:
        """Count one search; see `CountedSearch.of` and `add_many`."""
        return self.add_many([CountedSearch.of(words, found, shown, now, new_to)])

    def add_many(self, searches: Sequence[CountedSearch]) -> bool:
        """Count searches, at least one, in one transaction; returns whether they were stored.

        Never raises: a full disk or another writer costs the counts.
        """
        day = max(search.day for search in searches)
        pruned, self._added = self._added // PRUNE_EVERY, self._added + len(searches)
        texts = [(search.day, search.text, int(search.found)) for search in searches if search.text is not None]
        visitors = [(search.day, counted, int(search.found)) for search in searches for counted in search.new_to]
        shown = [(product_id, search.day) for search in searches for product_id in search.shown]
        try:
            with self._db() as db:
                db.execute(_BEGIN, (day,))
                db.executemany(_COUNT_SEARCH, texts)
                db.executemany(_COUNT_VISITOR, visitors)
                db.executemany(_COUNT_SHOWN, shown)
                if self._added // PRUNE_EVERY > pruned:
                    db.execute(_DELETE_OLD, (day - MAX_DAYS,))
                    db.execute(_DELETE_OLD_VISITORS, (day - MAX_DAYS,))
                    db.execute(_DELETE_EXCESS, (MAX_SEARCHES,))
                    db.execute(_DELETE_SHOWN, (day - MAX_SHOWN_DAYS,))
        except StoreError as error:
            log.info("%s searches were not counted: %s", len(searches), error)
            return False
        return True

    def since(self) -> int | None:
        """Return the day, as an ordinal of the calendar, since which searches are counted. Raises StoreError."""
        if not self._path.is_file():
            return None
        with self._db() as db:
            row = db.execute("SELECT since FROM counting").fetchone()
        return None if row is None else int(row[0])

    def between(self, first: int, last: int) -> dict[str, SearchCount]:
        """Return the searches of the days from `first` to `last`, by words. Raises StoreError."""
        if not self._path.is_file():
            return {}
        with self._db() as db:
            visitors = {words: by for words, *by in db.execute(_SELECT_VISITORS, (first, last))}
            rows = db.execute(_SELECT_SEARCHES, (first, last)).fetchall()
        return {words: SearchCount(words, *counts, *visitors.get(words, (0, 0))) for words, *counts in rows}

    def visitors(self, first: int, last: int) -> SearchCount:
        """Return how many visitors searched for any words in the days from `first` to `last`. Raises StoreError."""
        if not self._path.is_file():
            return SearchCount(ANY, 0, 0)
        with self._db() as db:
            by = {words: by for words, *by in db.execute(_SELECT_VISITORS, (first, last))}
        return SearchCount(ANY, 0, 0, *by.get(ANY, (0, 0)))

    def shown(self) -> dict[str, int]:
        """Return how often each product was among results, without products that never were. Raises StoreError."""
        if not self._path.is_file():
            return {}
        with self._db() as db:
            return dict(db.execute("SELECT product_id, times FROM shown").fetchall())

    def clear(self) -> None:
        """Delete all counts. Raises StoreError."""
        if self._path.is_file():
            with self._db() as db:
                for statement in _DELETE_ALL:
                    db.execute(statement)

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        hint = "Remove the file; the next search creates a new one."
        with store_errors(f"The query log {self._path}", hint, errors=DISK_ERRORS):
            self._path.touch(mode=0o600)
            with closing(open_database(self._path, _SETUP, timeout_s=_TIMEOUT_S)) as db, transaction(db):
                for statement in _SCHEMA:
                    db.execute(statement)
                yield db


def texts_of(words: str | None) -> tuple[str, ...]:
    """Return for which texts the visitor of a search counts: its own, and any words; None is no search."""
    if words is None:
        return ()
    return (words,) if words == PHOTO else (redact(words), ANY)


def query_id_of(words: str, key: bytes) -> str:
    """Return the id of a text under which clicks on its results are logged; "" for a text that is not counted.

    `key` is the shop's, at most 64 bytes: without it, who sees a click cannot try out which words led to it.
    """
    text = redact(words)
    return hashlib.blake2b(text.encode(errors="replace"), key=key, digest_size=8).hexdigest() if text else ""
