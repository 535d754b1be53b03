"""Read the shop's rules again whenever any process changed them, so that the next search has them."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import suppress
from datetime import date
from pathlib import Path

from catalog.home import ShopHome
from catalog.storage.sqlite import open_database
from search.merchandising.rule_set import Rules
from search.merchandising.rule_store import SCHEMA, read_rules

_Mark = tuple[int, int]  # inode of the file, and SQLite's number of its present content
_UNREAD = (-1, -1)
_TIMEOUT_S = 1.0  # a shopper waits meanwhile
log = logging.getLogger(__name__)


class RuleFollower:
    """The rules of one shop as they are now. Threads share it; close it with the engine.

    A file that cannot be read leaves the rules as they were: a search never fails because of them.
    """

    def __init__(self, home: Path) -> None:
        self._path = ShopHome(home).rules
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._inode = -1
        self._mark: _Mark | None = None
        self._rules = Rules()
        self._problem = ""

    def current(self) -> Rules:
        """Return the rules that hold now; the same object while nothing changed. Takes microseconds then."""
        with self._lock:
            try:
                mark = self._look()
                if mark != self._mark or self._rules.day != date.today():
                    self._rules = self._read()
                    self._mark = mark
                self._problem = ""
            except (OSError, sqlite3.Error, ValueError) as error:
                self._disconnect()
                if str(error) != self._problem:  # logged once, not for every search
                    log.error("The rules of the shop cannot be read, and stay as they were: %s", error)
                self._problem = str(error)
            return self._rules

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._disconnect()

    def _look(self) -> _Mark | None:
        """Return the mark of the file's content, opening the file when it is another one; None without a file."""
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError:
            self._disconnect()
            return None
        if self._db is None or inode != self._inode:
            self._disconnect()
            self._db = open_database(self._path, schema=SCHEMA, timeout_s=_TIMEOUT_S)
            self._inode, self._mark = inode, _UNREAD  # the numbers of one connection say nothing to another
        # It grows when another connection commits, and this one never writes: times of files are too coarse.
        return inode, int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _read(self) -> Rules:
        """Read all rules. A change between the mark and this is read now, and once more at the next search."""
        if self._db is None:
            return Rules(number=self._rules.number + 1)
        return Rules(read_rules(self._db), number=self._rules.number + 1)

    def _disconnect(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = None
