"""Decisions on the rows of a job: accept, correct, decline, undo."""

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
from search.bulk.job_rows import MADE, SHOWN, TITLE, row_dict
from search.bulk.job_store import Job
from search.dedup.duplicate_kinds import repeats
from search.listings.attribute_fields import OTHER_LANGUAGE, Translations, translation
from search.listings.decision_store import ACCEPTED, CORRECTED, DECLINED, Decision, DecisionStore, Item

MOST_STEPS = 200  # that can be undone
MOST_VALUE = 500
_ROW = f"SELECT {SHOWN} FROM rows WHERE number = ?"  # noqa: S608
_DECIDE = "UPDATE rows SET kind = ?, decided = ?, kept = 0 WHERE number = ?"
_SURE = "SELECT number, suggestion, decided FROM rows WHERE state = 'made' AND kind = '' AND sure ORDER BY number"
_UNKEPT = "SELECT number, content, vectors, suggestion, kind, decided FROM rows WHERE NOT kept LIMIT 500"


@dataclass(frozen=True, slots=True)
class RowDecision:
    """What is decided on a row: its `values` by field, the suggested ones where `accept`; neither: declined.

    A value for "title" is the row's title from then on, and decides nothing on what is suggested; the row's own title,
    which may be empty, takes back the one decided before.
    """

    number: int
    accept: bool = False
    values: Mapping[str, str] = field(default_factory=dict)


def decide(home: Path, job: Job, choices: Sequence[RowDecision]) -> list[int]:
    """Decide on rows, as one step that can be undone; returns their numbers. Raises BadQuery."""
    doubled = [number for number, times in Counter(choice.number for choice in choices).items() if times > 1]
    if doubled:
        raise BadQuery(f"Row {doubled[0]} comes twice.", "Say all that is decided on a row at once.")
    for choice in choices:
        _check(choice.values)

    def decided(db: sqlite3.Connection) -> Iterator[tuple[int, str, dict[str, str]]]:
        for choice in choices:
            row = db.execute(_ROW, (choice.number,)).fetchone()
            values = dict(choice.values)
            title = values.pop(TITLE, None)
            if row is not None and title == "" != row["title"]:
                raise BadQuery(f"The title of row {choice.number} is empty.", "Leave it out, or say what it is.")
            if row is not None and title is not None and not values and not choice.accept:
                before = {name: value for name, value in json.loads(row["decided"]).items() if name != TITLE}
                yield choice.number, row["kind"], before | _title(row, title)
                continue
            if row is None or row["state"] != MADE:
                raise BadQuery(f"Row {choice.number} has no suggestion.", "Decide on rows that have one.")
            told = suggested_of(json.loads(row["suggestion"]), translations)
            unknown = sorted(set(values) - set(told) - {name + OTHER_LANGUAGE for name in translations})
            if unknown:
                raise BadQuery(f"There is no field {unknown[0][:40]!r}.", f"The fields are {', '.join(told)}.")
            kind, decided = _decision(told, replace(choice, values=values), translations)
            yield choice.number, kind, decided | _title(row, title)

    translations = translations_of(job.about())
    return _step(home, job, decided)


def accept_above(home: Path, job: Job, confidence: float) -> list[int]:
    """Accept all undecided rows whose category is at least so sure, and of their attributes those that are too.

    What is listed already is left for somebody to look at.
    """
    if not 0 < confidence <= 1:
        raise BadQuery(f"The confidence is {confidence:g}.", "It is a share above 0, up to 1: 0.9 for 90 %.")

    def decided(db: sqlite3.Connection) -> Iterator[tuple[int, str, dict[str, str]]]:
        query = "SELECT number, suggestion, decided FROM rows WHERE state = 'made' AND kind = '' AND confidence >= ?"
        for row in db.execute(query, (confidence,)):
            told = json.loads(row["suggestion"])
            if repeats(told):
                continue
            values = {
                one["field"]: one["top"][0]["name"]
                for one in fields_of(told)
                if one["top"] and one["top"][0]["confidence"] >= confidence
            }
            yield row["number"], ACCEPTED, values | _renamed(values, translations) | _title(row)

    translations = translations_of(job.about())
    return _step(home, job, decided)


def accept_sure(home: Path, job: Job) -> list[int]:
    """Accept all undecided rows whose suggestion can be relied on, each as if it were accepted by hand."""

    def decided(db: sqlite3.Connection) -> Iterator[tuple[int, str, dict[str, str]]]:
        for row in db.execute(_SURE):
            told = suggested_of(json.loads(row["suggestion"]), translations)
            kind, values = _decision(told, RowDecision(row["number"], accept=True), translations)
            yield row["number"], kind, values | _title(row)

    translations = translations_of(job.about())
    return _step(home, job, decided)


def undo(home: Path, job: Job) -> list[int]:
    """Take the last step back; returns the numbers of its rows, none when there is no step left."""
    with job.db(write=True) as db:
        step = db.execute("SELECT max(step) FROM past").fetchone()[0]
        query = "SELECT number, kind, decided FROM past WHERE step = ? ORDER BY rowid DESC"  # back in time
        before = db.execute(query, (step,)).fetchall()
        db.executemany(_DECIDE, [(row["kind"], row["decided"], row["number"]) for row in before])
        db.execute("DELETE FROM past WHERE step = ?", (step,))
    keep(home, job)
    return sorted({row["number"] for row in before})


def keep(home: Path, job: Job) -> None:
    """Bring what was decided to the shop's decisions; what a crash left undone is brought the next time."""
    store = DecisionStore(home)
    about = job.about()
    fingerprint, translations = str(about.get("fingerprint", "")), translations_of(about)
    while True:
        with job.db() as db:
            rows = db.execute(_UNKEPT).fetchall()
        if not rows:
            return
        store.keep([_kept(job.id, fingerprint, row, translations) for row in rows])
        with job.db(write=True) as db:  # unless it was decided anew meanwhile
            db.executemany(
                "UPDATE rows SET kept = 1 WHERE number = ? AND kind = ? AND decided = ?",
                [(row["number"], row["kind"], row["decided"]) for row in rows],
            )


def note_translations(job: Job, translations: Translations) -> None:
    """Note what the shop's values are called in another language: what is decided in one is filled in in both."""
    job.note(translations=json.dumps(translations, ensure_ascii=False))


def translations_of(about: Mapping[str, Any]) -> Translations:
    """What `note_translations` wrote, from all that is noted of a job."""
    found: Translations = json.loads(about.get("translations", "{}"))
    return found


def fields_of(suggestion: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The category and the attributes of a suggestion, alike."""
    return [suggestion["category"], *suggestion["attributes"]]


def suggested_of(suggestion: Mapping[str, Any], translations: Translations) -> dict[str, str]:
    """The best label by field: of attributes only what is relied on, "" otherwise; in another language what the shop
    calls these, where its products tell.
    """
    category = suggestion["category"]
    told = {category["field"]: category["top"][0]["name"] if category["top"] else ""}
    told |= {one["field"]: one["answer"] for one in suggestion["attributes"]}
    return told | _renamed(told, translations)


def _check(values: Mapping[str, str]) -> None:
    """Refuse what no value can be; a title may be empty. Raises BadQuery."""
    for name, value in values.items():
        if not 0 < len(name) <= 100 or not (name == TITLE or value) or len(value) > MOST_VALUE:
            raise BadQuery("A value is empty or too long.", f"1 to {MOST_VALUE} characters; leave the field out.")
        if CONTROLS.search(value):
            raise BadQuery(
                f"The value of {name!r} holds a line break or another control character.",
                "Take it out: a value is one line of text.",
            )


def _title(row: sqlite3.Row, title: str | None = None) -> dict[str, str]:
    """The title decided for a row, now or before, by name; nothing where it is the row's own."""
    if title is not None:
        return {TITLE: title} if title != row["title"] else {}
    return {name: value for name, value in json.loads(row["decided"]).items() if name == TITLE}


def _decision(told: Mapping[str, str], choice: RowDecision, translations: Translations) -> tuple[str, dict[str, str]]:
    values = {name: value for name, value in told.items() if value} if choice.accept else {}
    for name, value in choice.values.items():
        if value != told.get(name):
            values.pop(name + OTHER_LANGUAGE, None)  # it was the name of another value
    values |= choice.values
    values |= {name: value for name, value in _renamed(values, translations).items() if name not in choice.values}
    if not values:
        return DECLINED, {}
    own = [name for name in values if name.removesuffix(OTHER_LANGUAGE) == name or name in choice.values]
    corrected = any(told.get(name, "") != values[name] for name in own)
    return (CORRECTED if corrected else ACCEPTED), values


def _renamed(values: Mapping[str, str], translations: Translations) -> dict[str, str]:
    """What the shop calls values in another language, where its products tell."""
    renamed = {name + OTHER_LANGUAGE: translation(name, value, translations) for name, value in values.items()}
    return {name: value for name, value in renamed.items() if value}


def _step(
    home: Path, job: Job, decided: Callable[[sqlite3.Connection], Iterator[tuple[int, str, dict[str, str]]]]
) -> list[int]:
    with job.db(write=True) as db:
        found = list(decided(db))
        step = (db.execute("SELECT max(step) FROM past").fetchone()[0] or 0) + 1
        for number, kind, values in found:
            db.execute("INSERT INTO past SELECT ?, number, kind, decided FROM rows WHERE number = ?", (step, number))
            db.execute(_DECIDE, (kind, json.dumps(values), number))
        db.execute("DELETE FROM past WHERE step <= ?", (step - MOST_STEPS,))
    keep(home, job)
    return [number for number, _, _ in found]


def _kept(job_id: str, fingerprint: str, row: sqlite3.Row, translations: Translations) -> tuple[Item, list[Decision]]:
    item = Item(f"{job_id}/{row['number']}", row["content"], fingerprint, row["vectors"] or b"")
    if not row["kind"]:  # taken back, or nothing but a title
        return item, []
    told, values = suggested_of(json.loads(row["suggestion"]), translations), json.loads(row["decided"])
    if row["kind"] == DECLINED:
        return item, [Decision(name, value, None) for name, value in told.items() if value]
    return item, [Decision(name, told.get(name, ""), value) for name, value in values.items() if name != TITLE]


def rows_of(job: Job, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """These rows as JSON values."""
    with job.db() as db:
        found = [db.execute(_ROW, (number,)).fetchone() for number in numbers]
    return [row_dict(row) for row in found if row is not None]
