"""Store the rules of a shop and a log of every change to them, in one small database that all servers share."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalog.errors import BadInput, UnknownRule
from catalog.home import ShopHome
from catalog.storage.sqlite import DISK_ERRORS, open_database, store_errors, transaction
from search.merchandising.rules import MAX_RULES, Rule, check_rule

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
MAX_LOG = 100_000  # changes that stay in the log, as its trigger says; older ones are dropped
MAX_NAME = 100  # characters of who made a change
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID",
    "INSERT OR IGNORE INTO about VALUES ('format', 1), ('changes', 0)",
    """CREATE TABLE IF NOT EXISTS rules (id INTEGER PRIMARY KEY AUTOINCREMENT, action TEXT NOT NULL,
    match TEXT NOT NULL, question TEXT NOT NULL, target TEXT NOT NULL, number REAL, starts TEXT NOT NULL,
    ends TEXT NOT NULL, UNIQUE (action, match, question, target))""",
    """CREATE TABLE IF NOT EXISTS changes (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
    made_by TEXT NOT NULL, kind TEXT NOT NULL, rule INTEGER NOT NULL, was TEXT, became TEXT)""",
    """CREATE TRIGGER IF NOT EXISTS changes_stay BEFORE UPDATE ON changes
    BEGIN SELECT RAISE(ABORT, 'the log of changes is append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS changes_last BEFORE DELETE ON changes
    WHEN OLD.number > (SELECT max(number) FROM changes) - 100000
    BEGIN SELECT RAISE(ABORT, 'the log of changes is append-only'); END""",
)
_COLUMNS = "id, action, match, question, target, number, starts, ends"
_SELECT = f"SELECT {_COLUMNS} FROM rules ORDER BY id"  # noqa: S608 - the names above
_INSERT = "INSERT INTO rules (action, match, question, target, number, starts, ends) VALUES (?, ?, ?, ?, ?, ?, ?)"
_LOG = "INSERT INTO changes (at, made_by, kind, rule, was, became) VALUES (?, ?, ?, ?, ?, ?)"
_READ_LOG = """SELECT number, at, made_by, kind, rule, was, became FROM changes WHERE number < ?
    ORDER BY number DESC LIMIT ?"""


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """The rules that a call added, changed, removed and left the `same`; removed ones as they were, others as now."""

    added: tuple[Rule, ...] = ()
    changed: tuple[Rule, ...] = ()
    removed: tuple[Rule, ...] = ()
    same: tuple[Rule, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return how many rules were added, changed, removed and left unchanged."""
        parts = {ADDED: self.added, CHANGED: self.changed, REMOVED: self.removed}
        return {name: len(rules) for name, rules in parts.items()} | {"unchanged": len(self.same)}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change: its number, when (unix seconds), who, what, the rule's id, and the rule before and after."""

    number: int
    at: int
    by: str
    kind: str
    rule: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class RuleStore:
    """The rules of one shop. Threads and processes may share it, because every call opens the file."""

    def __init__(self, home: Path) -> None:
        self._path = ShopHome(home).rules

    def all(self) -> tuple[Rule, ...]:
        """Return all rules, the oldest first. Raises StoreError."""
        if not self._path.is_file():
            return ()
        with self._db() as db:
            return read_rules(db)

    def save(self, rules: Iterable[Rule], by: str, *, only: bool = False, dry_run: bool = False) -> RuleChanges:
        """Add rules and change those that exist, all or none; with `only`, remove all others.

        Returns what changed; with `dry_run`, what would change. `by` names who does it, for the log. Raises BadInput
        for a rule that cannot be used or too many of them, StoreError.
        """
        checked = {rule.key: rule for rule in map(check_rule, rules)}
        with self._db() as db, transaction(db):
            existing = {rule.key: rule for rule in read_rules(db)}
            gone = [rule for key, rule in existing.items() if key not in checked] if only else []
            new = [rule for key, rule in checked.items() if key not in existing]
            total = len(existing) + len(new) - len(gone)
            if total > MAX_RULES:
                raise BadInput(f"The shop would have {total:,} rules; the limit is {MAX_RULES:,}.", "Remove some.")
            both = [(existing[key], rule) for key, rule in checked.items() if key in existing]
            same = tuple(before for before, rule in both if before == rule)
            changed = [(before, replace(rule, id=before.id)) for before, rule in both if before != rule]
            if not dry_run:
                log = _Log(db, by)
                for rule in gone:
                    log.remove(rule)
                new = [log.add(rule) for rule in new]
                for before, rule in changed:
                    log.change(before, rule)
                log.close()
        return RuleChanges(tuple(new), tuple(rule for _, rule in changed), tuple(gone), same)

    def remove(self, ids: Sequence[int], by: str) -> tuple[Rule, ...]:
        """Remove the rules with these ids, all or none, and return them. Raises UnknownRule."""
        with self._db() as db, transaction(db):
            existing = {rule.id: rule for rule in read_rules(db)}
            if unknown := [number for number in ids if number not in existing]:
                raise UnknownRule(f"There is no rule {unknown[0]}.", "List the rules; it may be gone.")
            log = _Log(db, by)
            removed = tuple(existing[number] for number in dict.fromkeys(ids))
            for rule in removed:
                log.remove(rule)
            log.close()
        return removed

    def log(self, limit: int = 100, before: int | None = None) -> list[LogEntry]:
        """Return the latest changes, the newest first; with `before`, those with lower numbers. Raises StoreError."""
        if not self._path.is_file():
            return []
        with self._db() as db:
            rows = db.execute(_READ_LOG, (before or 2**62, limit)).fetchall()
        return [LogEntry(*row[:5], *(None if text is None else json.loads(text) for text in row[5:])) for row in rows]

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        with store_errors(f"The rules {self._path}", "Look at the disk.", "Move that file away.", DISK_ERRORS):
            self._path.touch(mode=0o600)
            with closing(open_database(self._path, schema=SCHEMA)) as db:
                yield db


def read_rules(db: sqlite3.Connection) -> tuple[Rule, ...]:
    """Return all rules of an open database, the oldest first."""
    rows = db.execute(_SELECT).fetchall()
    return tuple(
        Rule(action, question, target, match, number, starts, ends, id=key)
        for key, action, match, question, target, number, starts, ends in rows
    )


class _Log:
    """Writes changes of rules and, with each, its entry in the log; all in the caller's transaction."""

    def __init__(self, db: sqlite3.Connection, by: str) -> None:
        self._db = db
        self._by = " ".join(by.split())[:MAX_NAME] or "unknown"
        self._at = int(time.time())
        self._changed = False

    def add(self, rule: Rule) -> Rule:
        fields = (rule.action, rule.match, rule.question, rule.target, rule.number, rule.starts, rule.ends)
        added = replace(rule, id=self._db.execute(_INSERT, fields).lastrowid)
        self._enter(ADDED, None, added)
        return added

    def change(self, before: Rule, after: Rule) -> None:
        fields = (after.number, after.starts, after.ends, before.id)
        self._db.execute("UPDATE rules SET number = ?, starts = ?, ends = ? WHERE id = ?", fields)
        self._enter(CHANGED, before, after)

    def remove(self, rule: Rule) -> None:
        self._db.execute("DELETE FROM rules WHERE id = ?", (rule.id,))
        self._enter(REMOVED, rule, None)

    def close(self) -> None:
        if self._changed:
            self._db.execute("DELETE FROM changes WHERE number <= (SELECT max(number) FROM changes) - ?", (MAX_LOG,))
            self._db.execute("UPDATE about SET value = value + 1 WHERE name = 'changes'")

    def _enter(self, kind: str, before: Rule | None, after: Rule | None) -> None:
        texts = [None if rule is None else json.dumps(rule.to_dict(), ensure_ascii=False) for rule in (before, after)]
        rule = after or before
        assert rule is not None
        self._db.execute(_LOG, (self._at, self._by, kind, rule.id, *texts))
        self._changed = True
