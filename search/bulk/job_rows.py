"""Rows of a bulk job: tasks and outcomes of a worker, the counts of a job, and rows as JSON values. Light to import."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from search.listings.decision_store import ACCEPTED, CORRECTED

ROW_WAITING, ROW_SUGGESTED, ROW_FAILED = "waiting", "made", "failed"  # states of a row
TITLE_FIELD, ID_FIELD, PRICE_FIELD = "title", "id", "price"
OWN_FIELDS = (TITLE_FIELD, ID_FIELD, PRICE_FIELD)  # decided values that replace the row's own, and decide nothing else
SHOWN_ID = "coalesce(json_extract(decided, '$.id'), id)"
HAS_OWN_ID = """instr(decided, '"id":') > 0"""  # and no JSON function, which an index may not call
OWN_ID = """substr(decided, instr(decided, '"id":'))"""  # a decided id, as JSON with all that follows it
LISTED_KINDS = (ACCEPTED, CORRECTED)  # kinds of decision on rows to list
UNTITLED_CONDITION = """title = '' AND instr(decided, '"title":') = 0"""  # JSON escapes a quote within a value
SELECT_GROUPS = f"SELECT state, kind, sure, {UNTITLED_CONDITION}, published, count(*) FROM rows GROUP BY 1, 2, 3, 4, 5"  # noqa: S608
_COUNT_LAST_PUBLICATION = """SELECT count(*) FROM publications
    WHERE publication = (SELECT max(publication) FROM publications)"""
# In a table without ids all ids are equal, so no earlier row is searched.
ROW_COLUMNS = """number, line, id, title, pictures, cells, state, reason, suggestion, confidence, sure, kind, decided,
    published, thumbnail, CASE WHEN id <> '' THEN (SELECT min(earlier.number) FROM rows AS earlier
    WHERE earlier.id = rows.id AND earlier.number < rows.number) END AS same_id_as"""


@dataclass(frozen=True, slots=True)
class Task:
    """A row to work on; the worker ended `tried` times before at it or at a row of its batch."""

    number: int
    id: str
    title: str
    pictures: tuple[str, ...]
    tried: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a row: a suggestion with content hash, vectors (float16 bytes) and thumbnail; or a reason."""

    number: int
    suggestion: dict[str, Any] | None = None
    confidence: float = 0.0
    confident: bool = False
    content: str = ""
    vectors: bytes = b""
    thumbnail: bytes = b""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RowPicture:
    """First picture of a job row: file name in the upload, content hash, and the row's vectors, as in `Outcome`."""

    number: int
    title: str
    name: str
    content: str
    vectors: bytes


class _Group(NamedTuple):
    """Number of rows with the same state, kind of decision and flags."""

    state: str
    kind: str
    confident: bool
    untitled: bool
    published: bool
    rows: int

    @property
    def open(self) -> bool:
        """Return whether there is a suggestion and no decision."""
        return self.state == ROW_SUGGESTED and self.kind == ""


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Count the rows of a job by state, decision and publication; `publication_rows` can be taken back."""
    groups = [_Group(*row) for row in db.execute(SELECT_GROUPS)]

    def count(true: Callable[[_Group], bool] = lambda _: True) -> int:
        return sum(group.rows for group in groups if true(group))

    return {
        "total": count(),
        "done": count(lambda group: group.state != ROW_WAITING),
        "failed": count(lambda group: group.state == ROW_FAILED),
        "decided": count(lambda group: group.kind != ""),
        "needs_review": count(lambda group: group.open and not group.confident),
        "sure_left": count(lambda group: group.open and group.confident),
        "untitled": count(lambda group: group.kind in LISTED_KINDS and group.untitled),
        "published": count(lambda group: group.published),
        "to_publish": count(lambda group: group.kind in LISTED_KINDS and not group.published),
        "publication_rows": int(db.execute(_COUNT_LAST_PUBLICATION).fetchone()[0]),
    }


def picture_names(db: sqlite3.Connection, number: int) -> list[str]:
    """Return the names of a row's pictures; none without that row."""
    row = db.execute("SELECT pictures FROM rows WHERE number = ?", (number,)).fetchone()
    return [] if row is None else list(json.loads(row["pictures"]))


def own_value(row: sqlite3.Row, name: str) -> str:
    """Return what a row itself has in one of the OWN_FIELDS; the price as the table has it, perhaps ""."""
    if name != PRICE_FIELD:
        return str(row[name])
    cells = json.loads(row["cells"])
    amount = cells.get("sale_price") or cells.get(PRICE_FIELD) or ""
    currency = cells.get("currency", "")
    return f"{amount} {currency}" if amount and currency and currency not in amount else amount


def row_dict(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row as JSON values; the thumbnail of its first picture is a JPEG in base64."""
    values = {name: row[name] for name in ("number", "line", "id", "title", "state", "reason", "confidence", "kind")}
    own_id = ID_FIELD not in json.loads(row["decided"])
    return values | {
        "price": own_value(row, PRICE_FIELD),
        "published": bool(row["published"]),
        "pictures": len(json.loads(row["pictures"])),
        "sure": bool(row["sure"]),
        "suggestion": json.loads(row["suggestion"]) if row["suggestion"] else None,
        "same_id_as": (row["same_id_as"] or 0) if own_id else 0,
        "thumbnail": base64.b64encode(row["thumbnail"] or b"").decode("ascii"),
        "decided": json.loads(row["decided"]),
    }
