"""The overview of a shop's prices: what the last check found of each product, in one file that pages read.

A check writes a new file and puts it in place of the old one. A reader opens the file for each question, so it sees one
check from beginning to end, and a page of a list costs the same in a shop of any size.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from catalog.home import ShopHome
from catalog.storage.sqlite import DISK_ERRORS, open_database
from catalog.text.folding import normalise
from search.pricing.demand.price_advice import VERDICTS
from search.pricing.owners.rules.price_finding import CODES, PriceFinding

ALL = "all"
FINDINGS = "findings"  # products with any finding
SHOWN = (ALL, FINDINGS, *CODES, *VERDICTS)  # what a list may be narrowed to
FORMAT = 1
T = TypeVar("T")
log = logging.getLogger(__name__)
CALM = len(CODES)  # the urgency of a product without findings; else it is the place of the first code

_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE products (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, words TEXT NOT NULL,
        verdict TEXT NOT NULL, urgency INTEGER NOT NULL)""",
    "CREATE INDEX products_by_urgency ON products (urgency, key)",
    "CREATE INDEX products_by_verdict ON products (verdict, urgency, key)",
    """CREATE TABLE findings (code TEXT NOT NULL, key INTEGER NOT NULL, confidence REAL NOT NULL, facts TEXT NOT NULL,
        PRIMARY KEY (code, key)) WITHOUT ROWID""",
)
_INSERT_PRODUCT = "INSERT INTO products (key, id, words, verdict, urgency) VALUES (?, ?, ?, ?, ?)"
_INSERT_FINDING = "INSERT OR REPLACE INTO findings (code, key, confidence, facts) VALUES (?, ?, ?, ?)"
_SELECT = {
    ALL: "SELECT id FROM products WHERE instr(words, ?) > 0 ORDER BY urgency, key LIMIT ? OFFSET ?",
    FINDINGS: """SELECT id FROM products WHERE urgency < (SELECT value FROM meta WHERE name = 'calm')
        AND instr(words, ?) > 0 ORDER BY urgency, key LIMIT ? OFFSET ?""",
    "code": """SELECT id FROM findings JOIN products USING (key) WHERE code = ? AND instr(words, ?) > 0
        ORDER BY confidence DESC, key LIMIT ? OFFSET ?""",
    "verdict": """SELECT id FROM products WHERE verdict = ? AND instr(words, ?) > 0
        ORDER BY urgency, key LIMIT ? OFFSET ?""",
}
_COUNT = {
    ALL: "SELECT count(*) FROM products WHERE instr(words, ?) > 0",
    FINDINGS: """SELECT count(*) FROM products WHERE urgency < (SELECT value FROM meta WHERE name = 'calm')
        AND instr(words, ?) > 0""",
    "code": "SELECT count(*) FROM findings JOIN products USING (key) WHERE code = ? AND instr(words, ?) > 0",
    "verdict": "SELECT count(*) FROM products WHERE verdict = ? AND instr(words, ?) > 0",
}
_WORST = """SELECT id, code, confidence, facts FROM findings JOIN products USING (key) WHERE code = ?
    ORDER BY confidence DESC, key LIMIT ?"""
_FINDINGS_OF = """SELECT id, code, confidence, facts FROM findings JOIN products USING (key)
    WHERE id IN (SELECT value FROM json_each(?)) AND code = ?"""
_VERDICTS_OF = "SELECT id, verdict FROM products WHERE id IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class OverviewSummary:
    """When the check was made (unix seconds), how long it took, and how many products each of SHOWN has.

    `seq` is the number of the catalogue's change up to which it looked. `promotions` are rows of JSON values, one for
    each category whose promotions have a measured effect.
    """

    at: int
    seconds: float
    seq: int
    counts: Mapping[str, int]
    promotions: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """The ids of a page of a list, and how many products the whole list has."""

    ids: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """A product as a check writes it."""

    key: int
    product_id: str
    title: str
    verdict: str
    findings: tuple[PriceFinding, ...]


class OverviewWriter:
    """Fills a new file of an overview; commit comes with the summary."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._counts: Counter[str] = Counter()

    def add(self, row: OverviewRow) -> None:
        """Add a product with its findings, the most urgent first."""
        urgency = CODES.index(row.findings[0].code) if row.findings else CALM
        words = normalise(f"{row.product_id} {row.title}")
        self._db.execute(_INSERT_PRODUCT, (row.key, row.product_id, words, row.verdict, urgency))
        self._counts[ALL] += 1
        self._counts[row.verdict] += 1
        self._counts[FINDINGS] += bool(row.findings)
        for finding in row.findings:
            self._insert(row.key, finding)

    def add_finding(self, key: int, finding: PriceFinding) -> None:
        """Add a finding that is less urgent than those of the product that were added before."""
        changed = "UPDATE products SET urgency = ? WHERE key = ? AND urgency = ?"
        calm = self._db.execute(changed, (CODES.index(finding.code), key, CALM)).rowcount
        self._counts[FINDINGS] += calm
        self._insert(key, finding)

    def finish(self, summary: OverviewSummary) -> OverviewSummary:
        """Write the summary, with the counts of what was added; return it."""
        counts = {name: self._counts[name] for name in SHOWN}
        whole = asdict(summary) | {"counts": counts}
        values = {"format": FORMAT, "calm": CALM, "summary": json.dumps(whole)}
        self._db.executemany("INSERT INTO meta VALUES (?, ?)", values.items())
        return OverviewSummary(**whole | {"promotions": summary.promotions})

    def _insert(self, key: int, finding: PriceFinding) -> None:
        facts = json.dumps(dict(finding.facts))
        self._db.execute(_INSERT_FINDING, (finding.code, key, finding.confidence, facts))
        self._counts[finding.code] += 1


@contextmanager
def overview_writer(path: Path) -> Iterator[OverviewWriter]:
    """Create the file of an overview at `path`, to be put in place afterwards. Raises sqlite3.Error."""
    path.unlink(missing_ok=True)
    setup = ("PRAGMA synchronous = OFF", "PRAGMA journal_mode = MEMORY")  # `write_atomically` syncs the whole file
    with closing(open_database(path, setup, _SCHEMA, wal=False)) as db:
        db.execute("BEGIN")
        yield OverviewWriter(db)
        db.execute("COMMIT")


class PriceOverview:
    """Reads the overview of a shop. A file that is damaged or of another version counts as none: a check makes one."""

    def __init__(self, home: Path) -> None:
        self._path = ShopHome(home).price_overview

    def summary(self) -> OverviewSummary | None:
        """Return the summary; None before the first check."""
        return self._read(_summary, None)

    def page(self, shown: str, contains: str, offset: int, k: int) -> OverviewPage:
        """Return the ids of the products that `shown` (of SHOWN) has, whose id or title contains a text.

        The most urgent come first; no page before the first check.
        """
        sort = shown if shown in _SELECT else "code" if shown in CODES else "verdict"
        words = (normalise(contains),)
        wanted = words if sort == shown else (shown, *words)

        def read(db: sqlite3.Connection) -> OverviewPage:
            total = db.execute(_COUNT[sort], wanted).fetchone()[0]
            return OverviewPage(tuple(row[0] for row in db.execute(_SELECT[sort], (*wanted, k, offset))), total)

        return self._read(read, OverviewPage((), 0))

    def worst(self, code: str, limit: int) -> list[tuple[str, PriceFinding]]:
        """Return product ids with their findings of a code, the most confident first."""
        return self._read(lambda db: [_found(row) for row in db.execute(_WORST, (code, limit))], [])

    def findings_of(self, ids: list[str], code: str) -> dict[str, PriceFinding]:
        """Return the findings of a code by product id."""
        return self._read(lambda db: dict(map(_found, db.execute(_FINDINGS_OF, (json.dumps(ids), code)))), {})

    def verdicts_of(self, ids: list[str]) -> dict[str, str]:
        """Return the verdicts by product id."""
        return self._read(lambda db: dict(db.execute(_VERDICTS_OF, (json.dumps(ids),)).fetchall()), {})

    def _read(self, question: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """Return the answer of the open file; `nothing` where there is none that this version reads."""
        if not self._path.is_file():
            return nothing
        try:
            with closing(open_database(self._path, wal=False)) as db:
                return question(db) if _summary(db) else nothing
        except (*DISK_ERRORS, ValueError, TypeError, KeyError) as error:
            log.warning("The overview of prices %s cannot be read, so prices are checked again: %s", self._path, error)
            return nothing


def _summary(db: sqlite3.Connection) -> OverviewSummary | None:
    rows = dict(db.execute("SELECT name, value FROM meta WHERE name IN ('format', 'summary')").fetchall())
    if rows.get("format") != FORMAT:
        return None
    values = json.loads(rows["summary"])
    return OverviewSummary(**values | {"promotions": tuple(values["promotions"])})


def _found(row: tuple[Any, ...]) -> tuple[str, PriceFinding]:
    product_id, code, confidence, facts = row
    return product_id, PriceFinding(code, confidence, json.loads(facts))
