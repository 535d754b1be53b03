"""Decide on the rows of a job: accept, correct, decline, undo."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from catalog.errors import BadQuery
from catalog.feeds.field_mapping import CONTROLS
from catalog.money.prices import parse_price
from catalog.translated_attributes import translated_field
from search.bulk.job_rows import (
    ID_FIELD,
    OWN_FIELDS,
    PRICE_FIELD,
    ROW_COLUMNS,
    ROW_SUGGESTED,
    TITLE_FIELD,
    own_value,
    row_dict,
)
from search.bulk.job_store import COUNT_DOUBLES, Job
from search.dedup.duplicate_kinds import repeats
from search.listings.attribute_fields import Translations, translated_values
from search.listings.decision_store import ACCEPTED, CORRECTED, DECLINED, Decision, DecisionStore, Item

MAX_UNDO_STEPS = 200
MAX_VALUE_LENGTH = 500
_SELECT_ROW = f"SELECT {ROW_COLUMNS} FROM rows WHERE number = ?"  # noqa: S608
_UPDATE_DECISION = "UPDATE rows SET kind = ?, decided = ?, kept = 0, published = 0 WHERE number = ?"
_SELECT_CONFIDENT = (
    "SELECT number, suggestion, kind, decided FROM rows WHERE state = 'made' AND kind = '' AND sure ORDER BY number"
)
_SELECT_ABOVE = """SELECT number, suggestion, kind, decided FROM rows
    WHERE state = 'made' AND kind = '' AND confidence >= ?"""
_SELECT_UNRECORDED = "SELECT number, content, vectors, suggestion, kind, decided FROM rows WHERE NOT kept LIMIT 500"


Decided = Iterator[tuple[int, str, dict[str, str]]]  # row number, kind of decision, decided values by field


@dataclass(frozen=True, slots=True)
class RowDecision:
    """A decision on a row: its `values` by field, and the suggested ones where `accept`; with neither it is declined.

    Values for the OWN_FIELDS replace the row's own and are no decision on the suggestion; the row's own value, which
    may be empty, takes such a value back.
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
            own = {name: value for name, value in decision.values.items() if name in OWN_FIELDS}
            values = {name: value for name, value in decision.values.items() if name not in OWN_FIELDS}
            if row is not None:
                _check_own(row, own)
            if row is not None and own and not values and not decision.accept:
                yield decision.number, row["kind"], _chosen(row) | _own(row, own)
                continue
            suggested = _suggested_fields(row, decision.number, values, translations)
            pending = _chosen(row) if decision.accept and not row["kind"] else {}
            kind, final = _decision(suggested, replace(decision, values=pending | values), translations)
            yield decision.number, kind, final | _own(row, own)

    return _step(home, job, decided)


def accept_above(home: Path, job: Job, confidence: float) -> list[int]:
    """Accept all undecided rows whose category reaches a confidence, with the attributes that are reliable too.

    An attribute is accepted when its own threshold says so, and it reaches the confidence too: a certain category says
    nothing of the colour. Rows that repeat a listing are left to a person. Raises BadQuery.
    """
    if not 0 < confidence <= 1:
        raise BadQuery(f"The confidence is {confidence:g}.", "Give a number above 0, at most 1: 0.9 for 90 %.")

    def decided(db: sqlite3.Connection, translations: Translations) -> Decided:
        for row in db.execute(_SELECT_ABOVE, (confidence,)).fetchall():
            suggestion = json.loads(row["suggestion"])
            if repeats(suggestion):
                continue
            category = suggestion["category"]
            reliable = {category["field"]: category["top"][0]["name"] if category["top"] else ""} | {
                label["field"]: label["answer"]
                for label in suggestion["attributes"]
                if label["answer_confidence"] >= confidence
            }
            kind, values = _decision(reliable, RowDecision(row["number"], True, _chosen(row)), translations)
            yield row["number"], kind, values | _own(row)

    return _step(home, job, decided)


def accept_sure(home: Path, job: Job) -> list[int]:
    """Accept all undecided rows whose suggestion is confident, each as if it were accepted by hand."""

    def decided(db: sqlite3.Connection, translations: Translations) -> Decided:
        for row in db.execute(_SELECT_CONFIDENT):
            suggested = suggested_values(json.loads(row["suggestion"]), translations)
            kind, values = _decision(suggested, RowDecision(row["number"], True, _chosen(row)), translations)
            yield row["number"], kind, values | _own(row)

    return _step(home, job, decided)


def set_field(home: Path, job: Job, field: str, value: str, numbers: Sequence[int]) -> list[int]:
    """Set one field of several rows as one step that can be undone; their other fields and decisions stay.

    An undecided row stays undecided: the value takes the place of the suggested one when the row is accepted.
    Raises BadQuery.
    """
    if field in (ID_FIELD, ""):
        raise BadQuery("Every listing needs its own id.", "Name another field: category, price or an attribute.")
    _check({field: value})

    def decided(db: sqlite3.Connection, translations: Translations) -> Decided:
        for number in dict.fromkeys(numbers):
            row = db.execute(_SELECT_ROW, (number,)).fetchone()
            if row is not None and field in OWN_FIELDS:
                _check_own(row, {field: value})
                yield number, row["kind"], _chosen(row) | _own(row, {field: value})
                continue
            suggested = _suggested_fields(row, number, {field: value}, translations)
            values = {name: text for name, text in _chosen(row).items() if translated_field(name) != field}
            kind, final = _decision(suggested, RowDecision(number, values=values | {field: value}), translations)
            yield number, kind if row["kind"] else "", final | _own(row)

    return _step(home, job, decided)


def undo(home: Path, job: Job) -> list[int]:
    """Undo the last step; returns the numbers of its rows, none when there is no step left."""
    with job.db(write=True) as db:
        step = db.execute("SELECT max(step) FROM past").fetchone()[0]
        query = "SELECT number, kind, decided FROM past WHERE step = ? ORDER BY rowid DESC"  # newest change first
        earlier = db.execute(query, (step,)).fetchall()
        db.executemany(_UPDATE_DECISION, [(row["kind"], row["decided"], row["number"]) for row in earlier])
        db.execute("DELETE FROM past WHERE step = ?", (step,))
        db.execute(COUNT_DOUBLES)
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
    if not all(map(translated_field, found)):  # a job of an earlier version, which knew Chinese alone
        return {f"{field}_zh": words for field, words in found.items()}
    return found


def suggested_values(suggestion: Mapping[str, Any], translations: Translations) -> dict[str, str]:
    """Return the suggested values by field, with translations: the best category, the answers of attributes or ""."""
    category = suggestion["category"]
    values = {category["field"]: category["top"][0]["name"] if category["top"] else ""}
    values |= {label["field"]: label["answer"] for label in suggestion["attributes"]}
    return values | translated_values(values, translations)


def rows_of(job: Job, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return these rows as JSON values."""
    with job.db() as db:
        found = [db.execute(_SELECT_ROW, (number,)).fetchone() for number in numbers]
    return [row_dict(row) for row in found if row is not None]


def _check(values: Mapping[str, str]) -> None:
    """Refuse values that no field can have; one of the OWN_FIELDS may be empty. Raises BadQuery, BadRow."""
    parse_price(values.get(PRICE_FIELD, ""))
    for name, value in values.items():
        if not 0 < len(name) <= 100 or not (name in OWN_FIELDS or value) or len(value) > MAX_VALUE_LENGTH:
            raise BadQuery("A value is empty or too long.", f"1 to {MAX_VALUE_LENGTH} characters; leave the field out.")
        if CONTROLS.search(value):
            raise BadQuery(
                f"The value of {name!r} holds a line break or another control character.",
                "Remove it: a value is one line of text.",
            )


def _check_own(row: sqlite3.Row, own: Mapping[str, str]) -> None:
    """Refuse to empty the title or the id of a row that has one. Raises BadQuery."""
    for name in (TITLE_FIELD, ID_FIELD):
        if own.get(name) == "" != row[name]:
            raise BadQuery(f"The {name} of row {row['number']} is empty.", f"Leave the field out, or give the {name}.")


def _own(row: sqlite3.Row, new: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return the decided values of a row's OWN_FIELDS, new and earlier, without those that are the row's own."""
    earlier = {name: value for name, value in json.loads(row["decided"]).items() if name in OWN_FIELDS}
    changed = {name: value for name, value in new.items() if value != own_value(row, name)}
    return {name: value for name, value in earlier.items() if name not in new} | changed


def _chosen(row: sqlite3.Row) -> dict[str, str]:
    """Return the decided values of a row on what is suggested; of an undecided row, those that were set."""
    return {name: value for name, value in json.loads(row["decided"]).items() if name not in OWN_FIELDS}


def _suggested_fields(
    row: sqlite3.Row | None, number: int, values: Mapping[str, str], translations: Translations
) -> dict[str, str]:
    """Return the suggested values of a row that has the fields of these values. Raises BadQuery."""
    if row is None or row["state"] != ROW_SUGGESTED:
        raise BadQuery(f"Row {number} has no suggestion.", "Decide on rows that have one.")
    suggested = suggested_values(json.loads(row["suggestion"]), translations)
    unknown = sorted(set(values) - set(suggested) - set(translations))
    if unknown:
        raise BadQuery(f"There is no field {unknown[0][:40]!r}.", f"The fields are {', '.join(suggested)}.")
    return suggested


def _decision(
    suggested: Mapping[str, str], decision: RowDecision, translations: Translations
) -> tuple[str, dict[str, str]]:
    values = {name: value for name, value in suggested.items() if value} if decision.accept else {}
    for name, value in decision.values.items():
        if value != suggested.get(name):  # the translations are of the suggested value
            values = {other: text for other, text in values.items() if translated_field(other) != name}
    values |= decision.values
    translated = translated_values(values, translations)
    values |= {name: value for name, value in translated.items() if name not in decision.values}
    if not values:
        return DECLINED, {}
    own = [name for name in values if not translated_field(name) or name in decision.values]
    corrected = any(suggested.get(name, "") != values[name] for name in own)
    return (CORRECTED if corrected else ACCEPTED), values


def _step(home: Path, job: Job, decided: Callable[[sqlite3.Connection, Translations], Decided]) -> list[int]:
    translations = translations_of(job.about())
    with job.db(write=True) as db:
        found = list(decided(db, translations))
        step = (db.execute("SELECT max(step) FROM past").fetchone()[0] or 0) + 1
        for number, kind, values in found:
            db.execute("INSERT INTO past SELECT ?, number, kind, decided FROM rows WHERE number = ?", (step, number))
            db.execute(_UPDATE_DECISION, (kind, json.dumps(values), number))
        db.execute("DELETE FROM past WHERE step <= ?", (step - MAX_UNDO_STEPS,))
        if any(ID_FIELD in values for _, _, values in found):
            db.execute(COUNT_DOUBLES)
    record_decisions(home, job)
    return [number for number, _, _ in found]


def _record(job_id: str, fingerprint: str, row: sqlite3.Row, translations: Translations) -> tuple[Item, list[Decision]]:
    item = Item(f"{job_id}/{row['number']}", row["content"], fingerprint, row["vectors"] or b"")
    if not row["kind"]:  # undone, or only fields that were set
        return item, []
    suggested, values = suggested_values(json.loads(row["suggestion"]), translations), json.loads(row["decided"])
    if row["kind"] == DECLINED:
        return item, [Decision(name, value, None) for name, value in suggested.items() if value]
    return item, [
        Decision(name, suggested.get(name, ""), value) for name, value in values.items() if name not in OWN_FIELDS
    ]
