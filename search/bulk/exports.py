"""Export a job as CSV: a table to review with every suggestion, and a feed of the accepted rows."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from catalog.feeds.rows import columns
from catalog.text.csv_export import csv_text
from catalog.translated_attributes import translated_field
from search.bulk.input_files import ID_COLUMNS, PICTURE_COLUMNS, TITLE_COLUMNS, split_pictures
from search.bulk.job_rows import ID_FIELD, LISTED_KINDS, PRICE_FIELD, TITLE_FIELD
from search.bulk.job_store import Job
from search.bulk.review import suggested_values, translations_of
from search.dedup.duplicate_kinds import repeats
from search.listings.attribute_fields import CATEGORY, Translations

SUGGESTED_PREFIX, REVIEW_COLUMNS = "suggested_", ("confidence", "duplicate_of", "status")  # added to a table to review
REVIEW_PREFIX = "review_"  # prefix of an added column whose name the table has already
_NOT_IN_FEEDS = frozenset(PICTURE_COLUMNS) - frozenset(columns.PICTURE_COLUMNS)  # attributes to a feed
_SELECT_CELLS = "SELECT cells, suggestion, decided FROM rows ORDER BY number"
_SELECT_ROWS = """SELECT cells, id, title, pictures, suggestion, confidence, state, reason, sure, kind, decided
    FROM rows ORDER BY number"""
_SELECT_LISTED = f"""SELECT cells, id, title, pictures, suggestion, kind, decided FROM rows WHERE kind IN {LISTED_KINDS}
    OR ? AND state = 'made' AND kind = '' AND sure ORDER BY number"""  # noqa: S608


def corrected_csv(job: Job) -> Iterator[str]:
    """Yield the table in pieces: its own columns, decisions, suggestions; safe to open in a spreadsheet."""
    translations = translations_of(job.about())
    with job.db() as db:
        db.execute("BEGIN")  # columns and rows from one state: later decisions might lack a column
        header: dict[str, None] = {}
        fields: dict[str, None] = {CATEGORY: None}
        changed: dict[str, None] = {}
        for cells, suggestion, decided in db.execute(_SELECT_CELLS):
            header |= dict.fromkeys(json.loads(cells))
            changed |= dict.fromkeys(name for name in (ID_FIELD, PRICE_FIELD) if name in json.loads(decided))
            if suggestion and len(fields) == 1:
                fields |= dict.fromkeys(suggested_values(json.loads(suggestion), translations))
        fields |= dict.fromkeys(name for name in translations if translated_field(name) in fields)
        earlier = _written_before(header)
        own = [name for name in header if name not in earlier] or ["id", "image", "title"]
        title = next((name for name in TITLE_COLUMNS if name in own), TITLE_FIELD)
        id_column = next((name for name in ID_COLUMNS if name in own), ID_FIELD)
        renamed = {TITLE_FIELD: title, ID_FIELD: id_column}
        changed = dict.fromkeys(renamed.get(name, name) for name in changed)
        added = {name: _free(name, [*own, *fields]) for name in REVIEW_COLUMNS}
        names = list(
            dict.fromkeys(
                [*own, title, *changed, *fields, *(SUGGESTED_PREFIX + field for field in fields), *added.values()]
            )
        )
        yield csv_text(names, ())
        for row in db.execute(_SELECT_ROWS):
            cells = {name: cell for name, cell in json.loads(row["cells"]).items() if name not in earlier}
            cells = cells or {"id": row["id"], "title": row["title"], "image": "|".join(json.loads(row["pictures"]))}
            decided = {renamed.get(name, name): value for name, value in json.loads(row["decided"]).items()}
            cells = repriced(cells, decided)
            review = {added.get(name, name): value for name, value in _review_cells(row, translations).items()}
            yield csv_text([(cells | decided | review).get(name, "") for name in names], ())


def listings_csv(job: Job, confident: bool = False) -> Iterator[str]:
    """Yield the accepted and corrected rows in pieces, as a feed: the table's own columns and the decisions.

    With `confident`, undecided rows whose suggestion is confident are included.
    """
    translations = translations_of(job.about())
    with job.db() as db:
        db.execute("BEGIN")  # columns and rows from one state: later decisions might lack a column
        every = db.execute("SELECT cells FROM rows ORDER BY number")
        header = dict.fromkeys(name for (cells,) in every for name in json.loads(cells))
        decided = dict.fromkeys(
            name for row in db.execute(_SELECT_LISTED, (confident,)) for name in _listed(row, translations)
        )
        left_out = _written_before(header) | _NOT_IN_FEEDS
        own = [name for name in header if name not in left_out]
        gathered = bool(_NOT_IN_FEEDS & header.keys()) or not header
        fields = sorted(decided, key=lambda name: name != CATEGORY)
        names = list(dict.fromkeys([*own, "id", TITLE_FIELD, *(["image"] if gathered else []), *fields]))
        yield csv_text(names, ())
        for row in db.execute(_SELECT_LISTED, (confident,)):
            cells: dict[str, str] = json.loads(row["cells"])
            cells["id"], cells[TITLE_FIELD] = cells.get("id") or row["id"], cells.get(TITLE_FIELD) or row["title"]
            if gathered:
                cells["image"] = _pictures(cells) or "|".join(json.loads(row["pictures"]))
            listed = _listed(row, translations)
            cells = repriced(cells, listed) | listed
            yield csv_text([cells.get(name, "") for name in names], ())


def listing_cells(row: sqlite3.Row, translations: Translations) -> dict[str, str]:
    """Return the cells of a decided row as a feed would have them, without those that name pictures."""
    cells: dict[str, str] = json.loads(row["cells"])
    left_out = _written_before(cells) | _NOT_IN_FEEDS | set(columns.PICTURE_COLUMNS)
    listed = _listed(row, translations)
    cells = {name: cell for name, cell in repriced(cells, listed).items() if name not in left_out}
    cells |= {ID_FIELD: cells.get(ID_FIELD) or row["id"], TITLE_FIELD: cells.get(TITLE_FIELD) or row["title"]}
    return {name: cell for name, cell in (cells | listed).items() if cell or name == PRICE_FIELD}


def repriced(cells: Mapping[str, str], decided: Mapping[str, str]) -> dict[str, str]:
    """Return cells without the other prices that a decided price replaces."""
    if PRICE_FIELD not in decided:
        return dict(cells)
    return {name: "" if name in columns.PRICE_COLUMNS else cell for name, cell in cells.items()}


def _review_cells(row: sqlite3.Row, translations: Translations) -> dict[str, str]:
    """Return the cells that a review adds to a row, by column."""
    cells = {}
    if row["suggestion"]:
        suggestion = json.loads(row["suggestion"])
        cells = {SUGGESTED_PREFIX + name: value for name, value in suggested_values(suggestion, translations).items()}
        cells |= {"duplicate_of": ", ".join(repeats(suggestion)), "confidence": f"{row['confidence']:.4f}"}
    status = row["kind"] or ({"made": "suggested" if row["sure"] else "needs review"}.get(row["state"]) or row["state"])
    return cells | {"status": f"{status}: {row['reason']}" if row["reason"] else status}


def _listed(row: sqlite3.Row, translations: Translations) -> dict[str, str]:
    """Return the values that a row is listed with: the decided ones, else the suggested ones."""
    decided: dict[str, str] = json.loads(row["decided"])
    if row["kind"]:
        return decided
    suggested = suggested_values(json.loads(row["suggestion"]), translations)
    return {name: value for name, value in suggested.items() if value} | decided


def _pictures(cells: Mapping[str, str]) -> str:
    """Return all pictures that cells name as one cell of a feed."""
    named = [cells[name] for name in PICTURE_COLUMNS if cells.get(name)]
    return named[0] if len(named) == 1 else "|".join(piece for cell in named for piece in split_pictures(cell))


def _free(name: str, taken: Sequence[str]) -> str:
    """Return the name of an added column: `name`, or where the table has it "review_" before the longest variant."""
    found = _longest(name, taken)
    return REVIEW_PREFIX + found if found else name


def _written_before(header: Collection[str]) -> set[str]:
    """Return the columns that an earlier review added to a table."""
    if SUGGESTED_PREFIX + CATEGORY not in header:
        return set()
    return {name for name in header if name.startswith(SUGGESTED_PREFIX)} | {
        _longest(name, header) for name in REVIEW_COLUMNS
    } - {""}


def _longest(name: str, columns: Iterable[str]) -> str:
    return max(
        (column for column in columns if re.fullmatch(f"(?:{REVIEW_PREFIX})*{name}", column)), key=len, default=""
    )
