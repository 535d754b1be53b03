"""Bring the shop's products up to what the inbox holds: fetch pictures, put what changed, remove what is gone."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from catalog.errors import BadInput, BadRow, LiveIndexFull, NoAnswer, StoreError, UnknownProduct, WindowshopError
from catalog.feeds.field_mapping import product_from_row
from catalog.feeds.picture_paths import PictureResolver
from catalog.fetching.http_download import FetchRules
from catalog.product import Picture, Product
from search.connect.addressed_pictures import Fetched, fetching, is_address
from search.connect.inbox import Inbox, PendingDocument
from search.connect.product_batch import ProductWriter
from search.live.product_edit import ProductEdit, Written

DOCUMENTS_PER_STEP = 20
_RETRIED = (LiveIndexFull, StoreError, NoAnswer)
_OWN_FIELDS = tuple(known.name for known in fields(Product) if known.name not in ("id", "pictures"))
_IMAGE = "image"
Cells = dict[str, list[str]]
log = logging.getLogger(__name__)


class PlatformWriter(ProductWriter, Protocol):
    """The part of the engine that writes and removes products."""

    def remove(self, product_id: str) -> None:
        """Remove a product. Raises UnknownProduct."""


@dataclass(slots=True)
class _Work:
    """A document with the feed rows of its products, and what became of these; `broken` after an internal error."""

    pending: PendingDocument
    rows: list[Cells] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    retry: bool = False
    broken: bool = False

    def fail(self, product_id: str, error: WindowshopError, retry: bool) -> None:
        """Note why a product is not as its document wants it."""
        self.failures.append(f"{product_id}: {error.message}")
        self.retry = self.retry or retry
        if product_id in self.pending.shown:
            self.shown.append(product_id)  # as it was before

    def start_over(self) -> None:
        """Forget what became of the products."""
        self.shown, self.failures, self.retry = [], [], False

    def give_up(self) -> None:
        """Log the error that is being handled; the products stay as they are until the document is tried again."""
        log.exception("The products of the document %s could not be put", self.pending.product_id[:100])
        self.shown, self.failures = list(self.pending.shown), ["an internal error; the log has it"]
        self.retry = self.broken = True

    def note_missing(self, product_id: str, reasons: Sequence[str]) -> None:
        """Note pictures of a product that may come later."""
        if reasons:
            self.failures.append(f"{product_id}: {reasons[0]}")
            self.retry = True


class PlatformSync:
    """Works on the pending documents of an inbox with an engine. One thread uses it at a time."""

    def __init__(self, inbox: Inbox, rules: FetchRules, currency: str = "") -> None:
        self._inbox = inbox
        self._rules = rules
        self._currency = currency

    def step(self, writer: PlatformWriter) -> int:
        """Work on some pending documents and return how many; 0 when none waits. Raises StoreError."""
        pending = self._inbox.pending(DOCUMENTS_PER_STEP)
        works = [_Work(item) for item in pending]
        for work in works:
            self._read_rows(work)
        self._put_all(writer, [work for work in works if not work.broken])
        for work in works:
            if not work.broken:
                self._remove(writer, work)
            self._inbox.finish(work.pending, work.shown, "; ".join(work.failures), work.retry)
        return len(works)

    def _read_rows(self, work: _Work) -> None:
        document = work.pending.document
        try:
            work.rows = [] if document is None else list(document.rows(self._currency))
        except Exception:  # whatever it is, the documents behind this one must not wait for it for ever
            work.give_up()

    def _put_all(self, writer: PlatformWriter, works: Sequence[_Work]) -> None:
        """Put the products of documents together; one by one when that breaks, so that one alone fails."""
        try:
            if works:
                self._put(writer, works)
        except WindowshopError:
            raise
        except Exception:
            if len(works) == 1:
                works[0].give_up()
                return
            log.warning("Products of %d documents could not be put together", len(works), exc_info=True)
            for work in works:
                work.start_over()
                self._put_all(writer, [work])

    def _put(self, writer: PlatformWriter, works: Sequence[_Work]) -> None:
        addresses = {
            address for work in works for cells in work.rows for address in cells[_IMAGE] if is_address(address)
        }
        ids = [cells["id"][0] for work in works for cells in work.rows]
        existing = writer.find(ids)
        with fetching(writer.home, self._rules) as fetch_all:
            fetched = fetch_all(addresses, existing.values())
            edits: dict[str, tuple[_Work, ProductEdit]] = {}
            for work in works:
                for cells in work.rows:
                    try:
                        edit = _edit(cells, fetched, cells["id"][0] in existing, writer.home)
                    except BadInput as error:
                        work.fail(cells["id"][0], error, bool(_unanswered(cells, fetched)))
                        continue
                    work.note_missing(edit.product_id, _unanswered(cells, fetched))
                    edits[edit.product_id] = work, edit
            self._write(writer, list(edits.values()))

    @staticmethod
    def _write(writer: PlatformWriter, edits: Sequence[tuple[_Work, ProductEdit]]) -> None:
        """Put products together; what is written is found at once."""
        try:
            outcomes = writer.put_many([edit for _, edit in edits])
        except StoreError as error:
            outcomes = [error] * len(edits)
        for (work, edit), outcome in zip(edits, outcomes, strict=True):
            if isinstance(outcome, Written):
                work.shown.append(edit.product_id)
            else:
                work.fail(edit.product_id, outcome, isinstance(outcome, _RETRIED))

    @staticmethod
    def _remove(writer: PlatformWriter, work: _Work) -> None:
        """Remove the products that the document had before and does not have now."""
        now = {cells["id"][0] for cells in work.rows}
        gone = () if work.pending.document else (work.pending.product_id,)  # also where it was imported otherwise
        for product_id in dict.fromkeys((*work.pending.shown, *gone)):
            if product_id not in now:
                try:
                    with suppress(UnknownProduct):
                        writer.remove(product_id)
                except StoreError as error:
                    work.fail(product_id, error, retry=True)


class _FetchedNames(PictureResolver):
    """Resolves the addresses of a row to files that were fetched; there are no other pictures."""

    def __init__(self, root: Path, fetched: Fetched) -> None:
        super().__init__(root)
        self._fetched = fetched

    def split(self, cell: str) -> list[str]:
        return [cell]

    def find(self, name: str) -> str:
        picture = self._fetched.get(name)
        if picture is None:
            raise BadRow(f"picture {name[:120]!r} is no web address")
        if isinstance(picture, WindowshopError):
            raise BadRow(picture.message)
        return picture.path


def _edit(cells: Cells, fetched: Fetched, exists: bool, home: Path) -> ProductEdit:
    """Return the edit that makes a product what its row says. Raises BadInput.

    A product that is there keeps its pictures when none of the new ones can be used.
    """
    known = {picture.path: picture for picture in fetched.values() if isinstance(picture, Picture)}
    usable = [url for url in cells[_IMAGE] if isinstance(fetched.get(url), Picture)]
    replaced: list[Picture] | None = None
    if not usable and exists:
        keeping = {"": Picture("")}
        product = product_from_row({**cells, _IMAGE: [""]}, _FetchedNames(home, keeping), "").product
    else:
        product = product_from_row(cells, _FetchedNames(home, fetched), "").product
        replaced = [known[picture.path] for picture in product.pictures]
    values: Mapping[str, object] = {name: getattr(product, name) for name in _OWN_FIELDS}
    return ProductEdit(product.id, MappingProxyType(values), replaced)


def _unanswered(cells: Cells, fetched: Fetched) -> list[str]:
    """Return why pictures of a row did not come whose server did not answer: they may come later."""
    found = [fetched.get(url) for url in cells[_IMAGE]]
    return [error.message for error in found if isinstance(error, NoAnswer)]
