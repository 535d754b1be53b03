"""The tables and indexes of a bulk job's file. A module of few imports."""

from __future__ import annotations

import sqlite3

from search.bulk.job_rows import UNTITLED

FORMAT = 1  # those of before have no number
COUNT_DOUBLES = """INSERT OR REPLACE INTO about
    SELECT 'double_ids', count(*) - count(DISTINCT id) FROM rows WHERE id <> ''"""
_TABLES = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE rows (number INTEGER PRIMARY KEY, line INTEGER, id TEXT, title TEXT, pictures TEXT, cells TEXT,
    state TEXT, tried INTEGER DEFAULT 0, reason TEXT DEFAULT '', suggestion TEXT, confidence REAL DEFAULT 0,
    sure INTEGER DEFAULT 0, content TEXT DEFAULT '', vectors BLOB, thumbnail BLOB, kind TEXT DEFAULT '',
    decided TEXT DEFAULT '{}', kept INTEGER DEFAULT 1)""",
    "CREATE TABLE past (step INTEGER, number INTEGER, kind TEXT, decided TEXT)",
)
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS by_state ON rows (state, number)",
    "CREATE INDEX IF NOT EXISTS by_id ON rows (id)",
    # a row's blobs are never read to count it
    f"CREATE INDEX IF NOT EXISTS by_kind ON rows (state, kind, sure, {UNTITLED})",
)


def make_tables(db: sqlite3.Connection) -> None:
    """Make the tables of a new job."""
    for statement in _TABLES:
        db.execute(statement)
    bring_up_to_date(db)


def bring_up_to_date(db: sqlite3.Connection) -> None:
    """Give a file of before, once, what its rows are counted by."""
    if db.execute("PRAGMA user_version").fetchone()[0] >= FORMAT:
        return
    for statement in _INDEXES:
        db.execute(statement)
    db.execute(COUNT_DOUBLES)
    db.execute("PRAGMA user_version = 1")  # FORMAT; it takes no parameter
