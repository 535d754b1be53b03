"""Publish the accepted rows of a job as products, and take the last publication back.

A publication is made in parts of some rows each, so that no request takes long. Each row is first recorded with the
product that had its id before, then put, then recorded with the product that it became. So whatever stops the server,
the earlier product is known.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from catalog.errors import BadQuery, WindowshopError
from catalog.feeds.field_mapping import checked_id, product_with_pictures
from catalog.feeds.rows.columns import AVAILABILITY_COLUMNS
from catalog.fetching.http_download import FetchRules
from catalog.files.failpoints import failpoint
from catalog.product import Product
from catalog.storage.history import decode, encode
from search.bulk.exports import listing_cells
from search.bulk.input_files import Pictures, open_pictures
from search.bulk.job_rows import HAS_OWN_ID, ID_FIELD, LISTED_KINDS, OWN_ID, PRICE_FIELD, TITLE_FIELD
from search.bulk.job_store import Job
from search.bulk.review import translations_of
from search.connect.product_batch import (
    CREATED,
    FAILED,
    UNCHANGED,
    UPDATED,
    BatchRow,
    ProductWriter,
    RowResult,
    put_batch,
)
from search.listings.attribute_fields import Translations
from search.live.product_edit import EDITABLE_FIELDS, ProductEdit

STATUSES = (CREATED, UPDATED, UNCHANGED, FAILED)
ROWS_PER_PART = 20
MAX_PART_BYTES = 64 * 2**20  # of pictures: the row that exceeds it is the last of its part
UNDONE_PER_PART = 100
_COLUMNS = "number, id, title, pictures, cells, suggestion, kind, decided"
_TO_PUBLISH = f"""SELECT {_COLUMNS} FROM rows WHERE kind IN {LISTED_KINDS} AND NOT published AND number > ?
    AND (? = '' OR number IN (SELECT value FROM json_each(?))) ORDER BY number LIMIT ?"""  # noqa: S608
# By two indexes, because a scan for each row of a large job would take long.
SELECT_EARLIER = f"""SELECT min(number) FROM (
    SELECT * FROM (SELECT number FROM rows WHERE id = :id AND number < :number AND kind IN {LISTED_KINDS}
        AND NOT {HAS_OWN_ID} ORDER BY number LIMIT 1)
    UNION ALL SELECT number FROM rows WHERE {HAS_OWN_ID} AND {OWN_ID} >= :own AND {OWN_ID} < :own || char(1114111)
        AND number < :number AND kind IN {LISTED_KINDS})"""  # noqa: S608
_RECORDED = """SELECT before FROM publications WHERE number = ? AND product_id = ? AND after IS NULL
    ORDER BY publication LIMIT 1"""
_FORGET_UNFINISHED = "DELETE FROM publications WHERE number = ? AND after IS NULL"
_COUNT_OF = "SELECT count(*) FROM publications WHERE publication = ?"
_LAST = "SELECT coalesce(max(publication), 0) FROM publications"
_TO_TAKE_BACK = """SELECT number, product_id, before, after FROM publications WHERE publication = ?
    ORDER BY number DESC LIMIT ?"""
_FIELDS = ("category", "brand", "description", "link", "item_group_id", "list_price")  # set where a row has them


class Shop(ProductWriter, Protocol):
    """The part of the engine that writes and removes products."""

    def remove(self, product_id: str) -> None:
        """Remove a product."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A part of a publication: its number, and what became of each row, by row number; `last` is the last of them."""

    number: int
    results: Mapping[int, RowResult]

    @property
    def last(self) -> int:
        """Return the number of the last row of this part; 0 when nothing was left to publish."""
        return max(self.results, default=0)


@dataclass(slots=True)
class TakenBack:
    """A part of taking a publication back: rows whose product was removed, restored, or left as it is.

    A product stays when it was changed after the publication, or cannot be restored, for example without its pictures.
    """

    removed: list[int] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    left: int = 0  # rows of this publication that are still to be taken back


def publish(shop: Shop, job: Job, rows: Sequence[int] | None = None, after: int = 0, number: int = 0) -> Publication:
    """Publish accepted rows that are not published yet, at most ROWS_PER_PART, all or `rows`, after a row number.

    Large pictures make a part of fewer rows.
    `number` continues a publication, 0 begins one. A row that cannot be a product is left with its error.
    Raises BadQuery, StoreError.
    """
    translations = translations_of(job.about())
    chosen = "" if rows is None else json.dumps(list(rows))
    with job.db(write=True) as db:
        last = int(db.execute(_LAST).fetchone()[0])
        if number not in (0, last, last + 1):  # a part of which no row was published recorded none
            raise BadQuery(f"Publication {number} is not the last one.", "Leave it out to begin another.")
        found = db.execute(_TO_PUBLISH, (after, chosen, chosen, ROWS_PER_PART)).fetchall()
        number = number or last + 1
        tasks = [_task(db, row, translations) for row in found]
    before = shop.find([task.product_id for task in tasks if task.error is None])
    batch = _batch(job, tasks, found, before)
    found = found[: len(batch)]
    with job.db(write=True) as db:
        for row, batch_row in zip(found, batch, strict=True):
            if batch_row.error is None:
                _record_before(db, number, row["number"], batch_row.product_id, before.get(batch_row.product_id))
    results = dict(zip([row["number"] for row in found], put_batch(shop, batch, FetchRules()), strict=True))
    failpoint("publication.put")
    _record_after(shop, job, number, found, results)
    return Publication(number, results)


def take_back(shop: Shop, job: Job) -> TakenBack:
    """Take at most UNDONE_PER_PART rows of the last publication back, the last row first.

    Products that it added are removed, and products that it changed become what they were, unless they changed since.
    Where the server ended before it recorded the product that a row became, no change since can be told from that row.
    """
    done = TakenBack()
    with job.db() as db:
        number = int(db.execute(_LAST).fetchone()[0])
        rows = db.execute(_TO_TAKE_BACK, (number, UNDONE_PER_PART)).fetchall()
    present = shop.find([row["product_id"] for row in rows])
    edits: dict[int, ProductEdit] = {}
    for row in rows:
        now, before, after = present.get(row["product_id"]), _recorded(row, "before"), _recorded(row, "after")
        if now == before:  # never put, or taken back by a call that the server's end cut off
            (done.removed if before is None else done.restored).append(row["number"])
        elif now is None or (after is not None and now != after):
            done.unchanged.append(row["number"])
        elif before is None:
            shop.remove(now.id)
            done.removed.append(row["number"])
        elif not all(Path(picture.path).is_file() for picture in before.pictures):
            done.unchanged.append(row["number"])
        else:
            edits[row["number"]] = _whole(before)
    outcomes = shop.put_many(list(edits.values())) if edits else []
    failpoint("publication.taken-back")
    for row_number, outcome in zip(edits, outcomes, strict=True):
        (done.unchanged if isinstance(outcome, WindowshopError) else done.restored).append(row_number)
    with job.db(write=True) as db:
        for row in rows:
            db.execute("DELETE FROM publications WHERE publication = ? AND number = ?", (number, row["number"]))
        back = [(row_number,) for row_number in (*done.removed, *done.restored)]
        db.executemany("UPDATE rows SET published = 0 WHERE number = ?", back)
        done.left = int(db.execute(_COUNT_OF, (number,)).fetchone()[0])
    return done


@dataclass(frozen=True, slots=True)
class _Task:
    product_id: str
    cells: Mapping[str, str]
    currency: str = ""  # of prices that name none
    error: WindowshopError | None = None


def _task(db: sqlite3.Connection, row: sqlite3.Row, translations: Translations) -> _Task:
    cells = listing_cells(row, translations)
    product_id = cells.get("id", "")
    try:
        if not product_id:
            raise BadQuery("The listing has no id.", "Give it one.")
        checked_id(product_id)
        if not cells.get(TITLE_FIELD):
            raise BadQuery("The listing has no title.", "Type one, or take the suggested words.")
        own = json.dumps({ID_FIELD: product_id})[1:-1]
        wanted = {"id": product_id, "own": own, "number": row["number"]}
        earlier = db.execute(SELECT_EARLIER, wanted).fetchone()[0]
        if earlier:
            raise BadQuery(f"Row {earlier} has the same id.", "Give each listing its own id.")
    except WindowshopError as error:
        return _Task(product_id, cells, error=error)
    price: Mapping[str, Any] = json.loads(row["suggestion"] or "{}").get("price") or {}
    return _Task(product_id, cells, price.get("currency", ""))


def _batch(
    job: Job, tasks: Sequence[_Task], rows: Sequence[sqlite3.Row], before: Mapping[str, Product]
) -> list[BatchRow]:
    """Return rows with their pictures in memory: the first ones, up to the row that exceeds MAX_PART_BYTES."""
    batch: list[BatchRow] = []
    size = 0
    pictures = open_pictures(job.source, job.root)
    try:
        for task, row in zip(tasks, rows, strict=True):
            if size > MAX_PART_BYTES:
                break
            batch.append(_batch_row(task, row, pictures, before))
            size += sum(len(source) for source in batch[-1].sources or ())
    finally:
        pictures.close()
    return batch


def _batch_row(task: _Task, row: sqlite3.Row, pictures: Pictures, before: Mapping[str, Product]) -> BatchRow:
    if task.error is not None:
        return BatchRow(task.product_id, error=task.error)
    try:
        edit = _edit(task, before.get(task.product_id))
        return BatchRow(task.product_id, edit, [pictures.read(name) for name in json.loads(row["pictures"])])
    except WindowshopError as error:
        return BatchRow(task.product_id, error=error)


def _edit(task: _Task, existing: Product | None) -> ProductEdit:
    """Return the edit that makes a product of a row; what the row does not say stays as it was. Raises BadInput."""
    cells = {name: [cell] for name, cell in task.cells.items() if cell}
    product = product_with_pictures(cells, lambda _: ((), [])).product
    fields: dict[str, Any] = {name: value for name in _FIELDS if (value := getattr(product, name))}
    fields |= {
        "title": product.title,
        "attributes": {**(existing.attributes if existing else {}), **product.attributes},
    }
    if product.price is not None:
        own = existing.currency if existing else ""
        fields |= {"price": product.price, "currency": product.currency or own or task.currency}
    elif PRICE_FIELD in task.cells:
        fields["price"] = None
    if any(name in cells for name in AVAILABILITY_COLUMNS):
        fields["in_stock"] = product.in_stock
    return ProductEdit(task.product_id, fields)


def _recorded(row: sqlite3.Row, column: str) -> Product | None:
    return None if row[column] is None else decode(row["product_id"], json.loads(row[column]))


def _whole(product: Product) -> ProductEdit:
    fields = {name: getattr(product, name) for name in EDITABLE_FIELDS}
    return ProductEdit(product.id, fields, product.pictures)


def _record_before(db: sqlite3.Connection, number: int, row_number: int, product_id: str, now: Product | None) -> None:
    """Record the product that a row replaces; where a publication was cut off, the one that it recorded."""
    unfinished = db.execute(_RECORDED, (row_number, product_id)).fetchone()
    before = unfinished["before"] if unfinished else None if now is None else json.dumps(encode(now))
    db.execute(_FORGET_UNFINISHED, (row_number,))
    values = (number, row_number, product_id, before)
    db.execute("INSERT OR REPLACE INTO publications VALUES (?, ?, ?, ?, NULL)", values)


def _record_after(
    shop: Shop, job: Job, number: int, rows: Sequence[sqlite3.Row], results: Mapping[int, RowResult]
) -> None:
    after = shop.find([result.product_id for result in results.values() if result.status != FAILED])
    with job.db(write=True) as db:
        for row in rows:
            place = (number, row["number"])
            product = after.get(results[row["number"]].product_id)
            if results[row["number"]].status == FAILED or product is None:
                db.execute("DELETE FROM publications WHERE publication = ? AND number = ?", place)
                continue
            state = json.dumps(encode(product))
            db.execute("UPDATE publications SET after = ? WHERE publication = ? AND number = ?", (state, *place))
            mark = "UPDATE rows SET published = 1 WHERE number = ? AND decided = ?"  # unless it was changed meanwhile
            db.execute(mark, (row["number"], row["decided"]))
