"""The tables of a job to download: one to review, with all that is suggested; and a feed of what was accepted."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from catalog.feeds import field_mapping
from catalog.text.csv_export import csv_text
from search.bulk.input_files import PICTURES, TITLES, split_pictures
from search.bulk.job_rows import LISTED, TITLE
from search.bulk.job_store import Job
from search.bulk.review import suggested_of, translations_of
from search.dedup.duplicate_kinds import repeats
from search.listings.attribute_fields import CATEGORY, OTHER_LANGUAGE, Translations

SUGGESTED, TOLD = "suggested_", ("confidence", "duplicate_of", "status")  # what is ours in a table under review
REVIEW = "review_"  # before a name of ours that the table has already
_NOT_IN_FEEDS = frozenset(PICTURES) - frozenset(field_mapping.PICTURES)  # a feed takes these columns for attributes
_CELLS = "SELECT cells, suggestion FROM rows ORDER BY number"
_CORRECTED = """SELECT cells, id, title, pictures, suggestion, confidence, state, reason, sure, kind, decided FROM rows
    ORDER BY number"""
_LISTED = f"""SELECT cells, id, title, pictures, suggestion, kind, decided FROM rows WHERE kind IN {LISTED}
    OR ? AND state = 'made' AND kind = '' AND sure ORDER BY number"""  # noqa: S608


def corrected_csv(job: Job) -> Iterator[str]:
    """The table in pieces: its own columns, what was decided, what is suggested; safe to open in a spreadsheet."""
    translations = translations_of(job.about())
    with job.db() as db:
        db.execute("BEGIN")  # rows as they were when the columns were: what is decided meanwhile may have none
        header: dict[str, None] = {}
        fields: dict[str, None] = {CATEGORY: None}
        for cells, suggestion in db.execute(_CELLS):
            header |= dict.fromkeys(json.loads(cells))
            if suggestion and len(fields) == 1:
                fields |= dict.fromkeys(suggested_of(json.loads(suggestion), translations))
        fields |= dict.fromkeys(name + OTHER_LANGUAGE for name in translations if name in fields)
        earlier = _written_before(header)
        own = [name for name in header if name not in earlier] or ["id", "image", "title"]
        title = next((name for name in TITLES if name in own), TITLE)
        ours = {name: _free(name, [*own, *fields]) for name in TOLD}
        names = list(dict.fromkeys([*own, title, *fields, *(SUGGESTED + one for one in fields), *ours.values()]))
        yield csv_text(names, ())
        for row in db.execute(_CORRECTED):
            cells = {name: cell for name, cell in json.loads(row["cells"]).items() if name not in earlier}
            cells = cells or {"id": row["id"], "title": row["title"], "image": "|".join(json.loads(row["pictures"]))}
            decided = {title if name == TITLE else name: value for name, value in json.loads(row["decided"]).items()}
            told = {ours.get(name, name): value for name, value in _told(row, translations).items()}
            yield csv_text([(cells | decided | told).get(name, "") for name in names], ())


def listings_csv(job: Job, sure: bool = False) -> Iterator[str]:
    """The rows that were accepted or corrected, in pieces, as a feed that the shop reads: the table's own columns, what
    was decided; with `sure` also rows that nothing is decided on and whose suggestion can be relied on.
    """
    translations = translations_of(job.about())
    with job.db() as db:
        db.execute("BEGIN")  # rows as they were when the columns were: what is decided meanwhile may have none
        every = db.execute("SELECT cells FROM rows ORDER BY number")
        header = dict.fromkeys(name for (cells,) in every for name in json.loads(cells))
        decided = dict.fromkeys(name for row in db.execute(_LISTED, (sure,)) for name in _listed(row, translations))
        left_out = _written_before(header) | _NOT_IN_FEEDS
        own = [name for name in header if name not in left_out]
        gathered = bool(_NOT_IN_FEEDS & header.keys()) or not header
        fields = sorted(decided, key=lambda name: name != CATEGORY)
        names = list(dict.fromkeys([*own, "id", TITLE, *(["image"] if gathered else []), *fields]))
        yield csv_text(names, ())
        for row in db.execute(_LISTED, (sure,)):
            told: dict[str, str] = json.loads(row["cells"])
            told["id"], told[TITLE] = told.get("id") or row["id"], told.get(TITLE) or row["title"]
            if gathered:
                told["image"] = _pictures(told) or "|".join(json.loads(row["pictures"]))
            told |= _listed(row, translations)
            yield csv_text([told.get(name, "") for name in names], ())


def _told(row: sqlite3.Row, translations: Translations) -> dict[str, str]:
    """What is ours to say of a row, by column."""
    told = {}
    if row["suggestion"]:
        suggestion = json.loads(row["suggestion"])
        told = {SUGGESTED + name: value for name, value in suggested_of(suggestion, translations).items()}
        told |= {"duplicate_of": ", ".join(repeats(suggestion)), "confidence": f"{row['confidence']:.4f}"}
    status = row["kind"] or ({"made": "suggested" if row["sure"] else "needs review"}.get(row["state"]) or row["state"])
    return told | {"status": f"{status}: {row['reason']}" if row["reason"] else status}


def _listed(row: sqlite3.Row, translations: Translations) -> dict[str, str]:
    """What a row is listed as: what was decided, else what is suggested."""
    decided: dict[str, str] = json.loads(row["decided"])
    if row["kind"]:
        return decided
    told = suggested_of(json.loads(row["suggestion"]), translations)
    return {name: value for name, value in told.items() if value} | decided


def _pictures(cells: Mapping[str, str]) -> str:
    """All pictures that cells name, as one cell of a feed."""
    named = [cells[name] for name in PICTURES if cells.get(name)]
    return named[0] if len(named) == 1 else "|".join(piece for cell in named for piece in split_pictures(cell))


def _free(name: str, taken: Sequence[str]) -> str:
    """The column for what is ours: `name`; where that is taken, with "review_" before the longest that is."""
    found = _longest(name, taken)
    return REVIEW + found if found else name


def _written_before(header: Collection[str]) -> set[str]:
    """The columns of a table that we wrote into it for review, when it was handed in before."""
    if SUGGESTED + CATEGORY not in header:
        return set()
    return {name for name in header if name.startswith(SUGGESTED)} | {_longest(name, header) for name in TOLD} - {""}


def _longest(name: str, among: Iterable[str]) -> str:
    return max((one for one in among if re.fullmatch(f"(?:{REVIEW})*{name}", one)), key=len, default="")
