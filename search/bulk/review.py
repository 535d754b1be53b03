"""Decide on the rows of a job: accept, correct, decline, undo."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from catalog.errors import BadQuery
from catalog.feeds.field_mapping import CONTROLS
from search.bulk.job_rows import ROW_COLUMNS, ROW_SUGGESTED, TITLE_FIELD, row_dict
from search.bulk.job_store import Job
from search.dedup.duplicate_kinds import repeats
from search.listings.attribute_fields import OTHER_LANGUAGE, Translations, translation
from search.listings.decision_store import ACCEPTED, CORRECTED, DECLINED, Decision, DecisionStore, Item

MAX_UNDO_STEPS = 200
MAX_VALUE_LENGTH = 500
_SELECT_ROW = f"SELECT {ROW_COLUMNS} FROM rows WHERE number = ?"  # noqa: S608
_UPDATE_DECISION = "UPDATE rows SET kind = ?, decided = ?, kept = 0 WHERE number = ?"
_SELECT_CONFIDENT = (
    "SELECT number, suggestion, decided FROM rows WHERE state = 'made' AND kind = '' AND sure ORDER BY number"
)
_SELECT_UNRECORDED = "SELECT number, content, vectors, suggestion, kind, decided FROM rows WHERE NOT kept LIMIT 500"


Decided = Iterator[tuple[int, str, dict[str, str]]]  # row number, kind of decision, decided values by field


@dataclass(frozen=True, slots=True)
class RowDecision:
    """A decision on a row: its `values` by field, and the suggested ones where `accept`; with neither it is declined.

    A value for "title" replaces the row's title and is no decision on the suggestion; the row's own title, which may
    be empty, takes such a value back.
    """

    number: int
    accept: bool = False
    values: Mapping[str, str] = field(default_factory=dict)


def decide(home: Path, job: Job, decisions: Sequence[RowDecision]) -> list[int]:
    """Decide on rows as one step that can be undone; returns their numbers. Raises BadQuery."""
    doubled = [number for number, times in Counter(decision.number for decision in decisions).items() if times > 1]
    if doubled:
        raise BadQuery(f"Row {doubled[0]} has two decisions.", "Give one decision for each row.")
    for decision in decisions:
        _check(decision.values)

    def decided(db: sqlite3.Connection, translations: Translations) -> Decided:
        for decision in decisions:
            row = db.execute(_SELECT_ROW, (decision.number,)).fetchone()
            values = dict(decision.values)
            title = values.pop(TITLE_FIELD, None)
            if row is not None and title == "" != row["title"]:
                raise BadQuery(f"The title of row {decision.number} is empty.", "Leave the field out, or give a title.")
            if row is not None and title is not None and not values and not decision.accept:
                earlier = {name: value for name, value in json.loads(row["decided"]).items() if name != TITLE_FIELD}
                yield decision.number, row["kind"], earlier | _title(row, title)
                continue
            if row is None or row["state"] != ROW_SUGGESTED:
                raise BadQuery(f"Row {decision.number} has no suggestion.", "Decide on rows that have one.")
            suggested = suggested_values(json.loads(row["suggestion"]), translations)
            unknown = sorted(set(values) - set(suggested) - {name + OTHER_LANGUAGE for name in translations})
            if unknown:
                raise BadQuery(f"There is no field {unknown[0][:40]!r}.", f"The fields are {', '.join(suggested)}.")
            kind, final = _decision(suggested, replace(decision, values=values), translations)
            yield decision.number, kind, final | _title(row, title)

    return _step(home, job, decided)


def accept_above(home: Path, job: Job, confidence: float) -> list[int]:
    """Accept all undecided rows whose category reaches a confidence, with the attributes that reach it too.

    Rows that repeat a listing are left to a person. Raises BadQuery.
    """
    if not 0 < confidence <= 1:
        raise BadQuery(f"The confidence is {confidence:g}.", "Give a number above 0, at most 1: 0.9 for 90 %.")

    def decided(db: sqlite3.Connection, translations: Translations) -> Decided:
        query = "SELECT number, suggestion, decided FROM rows WHERE state = 'made' AND kind = '' AND confidence >= ?"
        for row in db.execute(query, (confidence,)):
            suggestion = json.loads(row["suggestion"])
            if repeats(suggestion):
                continue
            values = {
                label["field"]: label["top"][0]["name"]
                for label in [suggestion["category"], *suggestion["attributes"]]
                if label["top"] and label["top"][0]["confidence"] >= confidence
            }
            yield row["number"], ACCEPTED, values | _translated(values, translations) | _title(row)

    return _step(home, job, decided)


def accept_sure(home: Path, job: Job) -> list[int]:
    """Accept all undecided rows whose suggestion is confident, each as if it were accepted by hand."""

    def decided(db: sqlite3.Connection, translations: Translations) -> Decided:
        for row in db.execute(_SELECT_CONFIDENT):
            suggested = suggested_values(json.loads(row["suggestion"]), translations)
            kind, values = _decision(suggested, RowDecision(row["number"], accept=True), translations)
            yield row["number"], kind, values | _title(row)

    return _step(home, job, decided)


def undo(home: Path, job: Job) -> list[int]:
    """Undo the last step; returns the numbers of its rows, none when there is no step left."""
    with job.db(write=True) as db:
        step = db.execute("SELECT max(step) FROM past").fetchone()[0]
        query = "SELECT number, kind, decided FROM past WHERE step = ? ORDER BY rowid DESC"  # newest change first
        earlier = db.execute(query, (step,)).fetchall()
        db.executemany(_UPDATE_DECISION, [(row["kind"], row["decided"], row["number"]) for row in earlier])
        db.execute("DELETE FROM past WHERE step = ?", (step,))
    record_decisions(home, job)
    return sorted({row["number"] for row in earlier})


def record_decisions(home: Path, job: Job) -> None:
    """Copy new decisions to the shop's decision store; decisions that a crash left out are copied the next time."""
    store = DecisionStore(home)
    about = job.about()
    fingerprint, translations = str(about.get("fingerprint", "")), translations_of(about)
    while True:
        with job.db() as db:
            rows = db.execute(_SELECT_UNRECORDED).fetchall()
        if not rows:
            return
        store.record([_record(job.id, fingerprint, row, translations) for row in rows])
        with job.db(write=True) as db:  # unless the decision has changed in the meantime
            db.executemany(
                "UPDATE rows SET kept = 1 WHERE number = ? AND kind = ? AND decided = ?",
                [(row["number"], row["kind"], row["decided"]) for row in rows],
            )


def note_translations(job: Job, translations: Translations) -> None:
    """Store the shop's translations of values with the job: a decision in one language fills in the other."""
    job.set_meta(translations=json.dumps(translations, ensure_ascii=False))


def translations_of(about: Mapping[str, Any]) -> Translations:
    """Return what `note_translations` stored, from the job's metadata."""
    found: Translations = json.loads(about.get("translations", "{}"))
    return found


def suggested_values(suggestion: Mapping[str, Any], translations: Translations) -> dict[str, str]:
    """Return the suggested values by field, with translations: the best category, the answers of attributes or ""."""
    category = suggestion["category"]
    values = {category["field"]: category["top"][0]["name"] if category["top"] else ""}
    values |= {label["field"]: label["answer"] for label in suggestion["attributes"]}
    return values | _translated(values, translations)


def rows_of(job: Job, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return these rows as JSON values."""
    with job.db() as db:
        found = [db.execute(_SELECT_ROW, (number,)).fetchone() for number in numbers]
    return [row_dict(row) for row in found if row is not None]


def _check(values: Mapping[str, str]) -> None:
    """Refuse values that no field can have; a title may be empty. Raises BadQuery."""
    for name, value in values.items():
        if not 0 < len(name) <= 100 or not (name == TITLE_FIELD or value) or len(value) > MAX_VALUE_LENGTH:
            raise BadQuery("A value is empty or too long.", f"1 to {MAX_VALUE_LENGTH} characters; leave the field out.")
        if CONTROLS.search(value):
            raise BadQuery(
                f"The value of {name!r} holds a line break or another control character.",
                "Remove it: a value is one line of text.",
            )


def _title(row: sqlite3.Row, title: str | None = None) -> dict[str, str]:
    """Return the decided title of a row, new or earlier, under its name; nothing where it is the row's own title."""
    if title is not None:
        return {TITLE_FIELD: title} if title != row["title"] else {}
    return {name: value for name, value in json.loads(row["decided"]).items() if name == TITLE_FIELD}


def _decision(
    suggested: Mapping[str, str], decision: RowDecision, translations: Translations
) -> tuple[str, dict[str, str]]:
    values = {name: value for name, value in suggested.items() if value} if decision.accept else {}
    for name, value in decision.values.items():
        if value != suggested.get(name):
            values.pop(name + OTHER_LANGUAGE, None)  # it translates the suggested value
    values |= decision.values
    values |= {name: value for name, value in _translated(values, translations).items() if name not in decision.values}
    if not values:
        return DECLINED, {}
    own = [name for name in values if name.removesuffix(OTHER_LANGUAGE) == name or name in decision.values]
    corrected = any(suggested.get(name, "") != values[name] for name in own)
    return (CORRECTED if corrected else ACCEPTED), values


def _translated(values: Mapping[str, str], translations: Translations) -> dict[str, str]:
    """Return the translations of values, where the shop's products have them."""
    translated = {name + OTHER_LANGUAGE: translation(name, value, translations) for name, value in values.items()}
    return {name: value for name, value in translated.items() if value}


def _step(home: Path, job: Job, decided: Callable[[sqlite3.Connection, Translations], Decided]) -> list[int]:
    translations = translations_of(job.about())
    with job.db(write=True) as db:
        found = list(decided(db, translations))
        step = (db.execute("SELECT max(step) FROM past").fetchone()[0] or 0) + 1
        for number, kind, values in found:
            db.execute("INSERT INTO past SELECT ?, number, kind, decided FROM rows WHERE number = ?", (step, number))
            db.execute(_UPDATE_DECISION, (kind, json.dumps(values), number))
        db.execute("DELETE FROM past WHERE step <= ?", (step - MAX_UNDO_STEPS,))
    record_decisions(home, job)
    return [number for number, _, _ in found]


def _record(job_id: str, fingerprint: str, row: sqlite3.Row, translations: Translations) -> tuple[Item, list[Decision]]:
    item = Item(f"{job_id}/{row['number']}", row["content"], fingerprint, row["vectors"] or b"")
    if not row["kind"]:  # undone, or only a title
        return item, []
    suggested, values = suggested_values(json.loads(row["suggestion"]), translations), json.loads(row["decided"])
    if row["kind"] == DECLINED:
        return item, [Decision(name, value, None) for name, value in suggested.items() if value]
    return item, [
        Decision(name, suggested.get(name, ""), value) for name, value in values.items() if name != TITLE_FIELD
    ]
