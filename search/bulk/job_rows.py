"""The rows of a bulk job as they are told: what is counted of them, each as JSON values. A module of few imports."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from catalog.errors import BadInput
from search.listings.decision_store import ACCEPTED, CORRECTED

OPEN, MADE, FAILED = "waiting", "made", "failed"  # states of a row
TITLE = "title"
LISTED = (ACCEPTED, CORRECTED)  # what was decided on rows that are to be listed
UNTITLED = """title = '' AND instr(decided, '"title":') = 0"""  # in JSON, a quote within a value is escaped
GROUPS = f"SELECT state, kind, sure, {UNTITLED}, count(*) FROM rows GROUP BY 1, 2, 3, 4"  # noqa: S608
# In a table without ids all of them are the same: none is looked for among them.
SHOWN = """number, line, id, title, pictures, state, reason, suggestion, confidence, sure, kind, decided, thumbnail,
    CASE WHEN id <> '' THEN (SELECT min(earlier.number) FROM rows AS earlier
    WHERE earlier.id = rows.id AND earlier.number < rows.number) END AS same_id_as"""


class _Group(NamedTuple):
    """So many rows that are alike in what is counted of them."""

    state: str
    kind: str
    sure: bool
    untitled: bool
    rows: int

    @property
    def open(self) -> bool:
        """Whether there is a suggestion, and nothing is decided."""
        return self.state == MADE and self.kind == ""


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """How many rows a job has, and how many of them are done, failed, decided, and left to look after."""
    groups = [_Group(*row) for row in db.execute(GROUPS)]

    def count(true: Callable[[_Group], bool] = lambda _: True) -> int:
        return sum(each.rows for each in groups if true(each))

    return {
        "total": count(),
        "done": count(lambda each: each.state != OPEN),
        "failed": count(lambda each: each.state == FAILED),
        "decided": count(lambda each: each.kind != ""),
        "needs_review": count(lambda each: each.open and not each.sure),
        "sure_left": count(lambda each: each.open and each.sure),
        "untitled": count(lambda each: each.kind in LISTED and each.untitled),
    }


def row_dict(row: sqlite3.Row) -> dict[str, Any]:
    """A row as JSON values; its first picture, small, as a JPEG in base64."""
    told = {name: row[name] for name in ("number", "line", "id", "title", "state", "reason", "confidence", "kind")}
    suggestion = json.loads(row["suggestion"]) if row["suggestion"] else None
    more: dict[str, Any] = {
        "pictures": len(json.loads(row["pictures"])),
        "sure": bool(row["sure"]),
        "suggestion": suggestion,
    }
    more["same_id_as"] = row["same_id_as"] or 0
    more["thumbnail"] = base64.b64encode(row["thumbnail"] or b"").decode("ascii")
    return told | more | {"decided": json.loads(row["decided"])}


def checked_numbers(numbers: Sequence[object]) -> list[int]:
    """Row numbers of a request. Raises BadInput."""
    if not all(isinstance(one, int) and not isinstance(one, bool) and 0 < one < 2**31 for one in numbers):
        raise BadInput("A row's number is no whole number.", "Take it from the list of rows.")
    return [int(str(one)) for one in numbers]
