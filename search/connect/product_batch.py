"""Put a batch of products: each row is applied or refused by itself, and the answer says what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from catalog.errors import BadQuery, StoreError, WindowshopError
from catalog.fetching.http_download import FetchRules
from catalog.product import Picture, Product
from search.connect.addressed_pictures import Fetched, fetching
from search.live.picture_store import new_picture, storing
from search.live.product_edit import ProductEdit, Written

MAX_ADDRESSES = 5_000  # of pictures in one batch
PRODUCTS_PER_COMMIT = 50
PICTURE_HINT = "Give the address of a picture on the public internet, or send the file in base64."
CREATED, UPDATED, UNCHANGED, FAILED = "created", "updated", "unchanged", "failed"


class ProductWriter(Protocol):
    """The part of the engine that writes products."""

    home: Path

    def find(self, ids: Sequence[str]) -> dict[str, Product]:
        """Return the products that exist, by id."""

    def put(self, edit: ProductEdit) -> Written:
        """Add or change a product."""

    def put_many(self, edits: Sequence[ProductEdit]) -> list[Written | WindowshopError]:
        """Add or change products; return what became of each."""


@dataclass(slots=True)
class BatchRow:
    """One row of a batch: its edit, and its pictures as bytes or web addresses; None leaves the pictures.

    A row that cannot be read has an `error`, and in `bad_field` the field that is wrong.
    """

    product_id: str
    edit: ProductEdit | None = None
    sources: Sequence[bytes | str] | None = None
    error: WindowshopError | None = None
    bad_field: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row: CREATED, UPDATED, UNCHANGED or FAILED; `notes` name pictures that were left out."""

    product_id: str
    status: str
    bad_field: str = ""
    error: WindowshopError | None = None
    notes: tuple[str, ...] = ()


def put_one(writer: ProductWriter, row: BatchRow, rules: FetchRules) -> Written:
    """Apply one row with all of its pictures, or raise why that cannot be done: BadInput, LiveIndexFull, StoreError."""
    assert row.edit is not None  # who reads a single row raises its error
    addresses = [source for source in row.sources or () if isinstance(source, str)]
    if not addresses:
        return writer.put(replace(row.edit, pictures=_files(row.sources)))
    existing = writer.find([row.product_id])
    with fetching(writer.home, rules) as fetch_all:
        fetched = fetch_all(addresses, existing.values())
        failures = [error for error in fetched.values() if isinstance(error, WindowshopError)]
        if failures:
            raise type(failures[0])(failures[0].message, PICTURE_HINT)
        return writer.put(replace(row.edit, pictures=_files(row.sources, fetched)))


def put_batch(
    writer: ProductWriter, rows: Sequence[BatchRow], rules: FetchRules, recheck: bool = False
) -> list[RowResult]:
    """Apply the rows in order and return a result for each; a row that fails leaves the others as they are.

    With `recheck`, pictures that were fetched before are requested again. Raises StoreError when nothing can be stored.
    """
    _refuse_repeated(rows)
    addresses = _addresses(rows)
    existing = writer.find([row.product_id for row in rows if row.error is None])
    with ExitStack() as opened:
        fetched: Fetched = {}
        if addresses:
            fetched = opened.enter_context(fetching(writer.home, rules, recheck))(addresses, existing.values())
        written: dict[int, Written | WindowshopError] = {}
        readable = [(number, row) for number, row in enumerate(rows) if row.error is None]
        for first in range(0, len(readable), PRODUCTS_PER_COMMIT):
            part = readable[first : first + PRODUCTS_PER_COMMIT]
            written.update(_put_part(writer, part, fetched, existing))
    return [_result(row, written.get(number)) for number, row in enumerate(rows)]


def _files(
    sources: Sequence[bytes | str] | None, fetched: Fetched = MappingProxyType({})
) -> list[bytes | Picture] | None:
    """Return pictures as bytes or as fetched files; None without any."""
    if sources is None:
        return None
    pictures = [source if isinstance(source, bytes) else fetched[source] for source in sources]
    return [picture for picture in pictures if not isinstance(picture, WindowshopError)]


def _refuse_repeated(rows: Sequence[BatchRow]) -> None:
    """Refuse a row whose id an earlier one has."""
    first: dict[str, int] = {}
    for number, row in enumerate(rows):
        if row.error is None and first.setdefault(row.product_id, number) != number:
            message = f"Row {first[row.product_id]} of this batch has the id {row.product_id[:80]!r} too."
            row.error, row.bad_field = BadQuery(message, "Send each product once in a batch."), "id"


def _addresses(rows: Sequence[BatchRow]) -> set[str]:
    """Return the addresses of all pictures; refuse the rows that go beyond MAX_ADDRESSES."""
    addresses: set[str] = set()
    for row in rows:
        if row.error is None:
            more = addresses | {source for source in row.sources or () if isinstance(source, str)}
            if len(more) <= MAX_ADDRESSES:
                addresses = more
            else:
                message = f"The batch names more than {MAX_ADDRESSES:,} pictures."
                row.error, row.bad_field = BadQuery(message, "Send this row in another batch."), "pictures"
    return addresses


def _put_part(
    writer: ProductWriter,
    part: Sequence[tuple[int, BatchRow]],
    fetched: Fetched,
    existing: Mapping[str, Product],
) -> Iterator[tuple[int, Written | WindowshopError]]:
    """Yield what became of some rows, which are committed together."""
    with ExitStack() as locks:
        ready: list[tuple[int, ProductEdit]] = []
        for number, row in part:
            try:
                pictures = _pictures(row, fetched, locks, writer.home, row.product_id in existing)
            except WindowshopError as error:
                row.error, row.bad_field = error, "pictures"
                continue
            assert row.edit is not None  # a row without an edit has an error
            ready.append((number, replace(row.edit, pictures=pictures)))
        if not ready:
            return
        try:
            outcomes = writer.put_many([edit for _, edit in ready])
        except StoreError as error:
            outcomes = [error] * len(ready)
        yield from zip((number for number, _ in ready), outcomes, strict=True)


def _pictures(
    row: BatchRow, fetched: Fetched, locks: ExitStack, home: Path, exists: bool
) -> tuple[Picture, ...] | None:
    """Return the pictures of a row that can be used, with a note for each other one; None leaves those of the product.

    Raises BadInput when a new product would have none.
    """
    if row.sources is None:
        return None
    found: list[Picture] = []
    failure: WindowshopError | None = None
    for position, source in enumerate(row.sources):
        try:
            if isinstance(source, bytes):
                found += locks.enter_context(storing(home, [new_picture(source)]))
                continue
            picture = fetched[source]
            if isinstance(picture, WindowshopError):
                raise picture
            found.append(picture)
        except WindowshopError as error:
            failure = failure or error
            row.notes.append(f"pictures[{position}] is left out: {error.message}")
    if found or failure is None:
        return tuple(found)
    if not exists:
        raise type(failure)(failure.message, PICTURE_HINT)
    row.notes.append("No picture could be used, so the product keeps the pictures that it had.")
    return None


def _result(row: BatchRow, outcome: Written | WindowshopError | None) -> RowResult:
    notes = tuple(row.notes)
    error = row.error or (outcome if isinstance(outcome, WindowshopError) else None)
    if error is not None or outcome is None or isinstance(outcome, WindowshopError):
        return RowResult(row.product_id, FAILED, row.bad_field, error, notes)
    status = CREATED if outcome.created else UNCHANGED if outcome.unchanged else UPDATED
    return RowResult(row.product_id, status, notes=notes)
