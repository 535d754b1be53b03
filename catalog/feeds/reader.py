"""Read a merchant's feed as products, one by one, in any of FORMATS or as a folder of pictures."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import BadFeed, BadRow
from catalog.feeds.field_mapping import MappedRow, checked_id, product_from_row
from catalog.feeds.google_xml import read_xml
from catalog.feeds.json_lines import read_json_lines
from catalog.feeds.known_rows import KnownRows, UnchangedRow
from catalog.feeds.picture_folder import read_folder
from catalog.feeds.picture_paths import PictureResolver
from catalog.feeds.platforms import magento, prestashop, shopify, woocommerce
from catalog.feeds.rows.columns import PICTURE_COLUMNS
from catalog.feeds.rows.delimited import check_columns, open_table
from catalog.feeds.rows.encodings import UNICODE, detect
from catalog.feeds.rows.raw_bytes import GZIP
from catalog.feeds.rows.row import FeedRow, first
from catalog.feeds.rows.xml_bytes import xml_encoding
from catalog.money.habits import FeedHabits
from catalog.product import Product, Rejected, RowNote

if TYPE_CHECKING:
    from catalog.fetching.fetcher import PictureFetcher


FeedItem = Product | Rejected | RowNote | UnchangedRow


@dataclass(frozen=True, slots=True)
class FeedFormat:
    """A feed format: the endings of its files in lower case, its reader, and how to find out a file's encoding."""

    name: str
    endings: tuple[str, ...]
    read: Callable[..., Iterator[FeedRow]]  # of a file in an encoding, "" to find it out
    find_encoding: Callable[[Path, str], str] = detect


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A table that a shop platform exports: how its header tells it, and how its rows become rows of products."""

    name: str
    is_export: Callable[[Collection[str]], bool]
    join_rows: Callable[[Sequence[str], Iterator[FeedRow]], Iterator[FeedRow]]


PLATFORMS = (  # the first whose export a table is reads it
    TableFormat("Shopify export", shopify.is_export, shopify.join_rows),
    TableFormat("Magento export", magento.is_export, magento.join_rows),
    TableFormat("PrestaShop export", prestashop.is_export, prestashop.join_rows),
    TableFormat("WooCommerce export", woocommerce.is_export, woocommerce.join_rows),
)


def _read_table(path: Path, encoding: str, known: KnownRows | None = None) -> Iterator[FeedRow]:
    """Yield the rows of a table, or of an export's products; BadFeed when it lacks a column that a product needs."""
    with open_table(path, encoding, known) as (header, rows):
        if known is not None:
            known.begin(header, os.path.realpath(path.parent))
        platform = next((found for found in PLATFORMS if found.is_export(header)), None)
        if platform is None:
            check_columns(header, path.name)
            yield from rows
        else:
            yield from platform.join_rows(header, rows)


FORMATS = (  # the first that has a file's ending reads it
    FeedFormat("table", (".csv", ".tsv", ".txt"), _read_table),
    FeedFormat("JSON lines", (".jsonl", ".ndjson"), read_json_lines),
    FeedFormat("Google Merchant XML", (".xml",), read_xml, xml_encoding),
)


def read_feed(
    path: Path | str, fetch: PictureFetcher | None = None, encoding: str = "", known: KnownRows | None = None
) -> Iterator[FeedItem]:
    """Yield every product of the feed, and a Rejected for every row, or picture of a row, that was left out.

    A RowNote comes before a product of which a value was guessed or not understood, and first when the feed is not
    UTF-8. `encoding` is that of a file without a byte order mark; "" finds it out.

    Every picture of a product exists and lies inside the feed's folder, or `fetch` has fetched it from the web address
    in the feed, perhaps in an earlier import; then a Rejected says why not today. Rows are streamed. For table rows
    that are `known`, it yields UnchangedRow; it notes others there. It does neither in exports of platforms, nor with
    `fetch`.

    Raises BadFeed when the feed as a whole cannot be read: at once for a missing file or an unknown format, at the
    first row for a bad header, after the last whole row for a file that was cut short.
    """
    path = Path(path)
    if path.is_dir():
        return read_folder(path)
    if not path.exists():
        raise BadFeed(f"There is no feed at {path}.", "Check the path.")
    ending = Path(path.name.lower().removesuffix(GZIP)).suffix
    feed_format = next((found for found in FORMATS if ending in found.endings), None)
    if feed_format is None:
        endings = ", ".join(dict.fromkeys(ending for found in FORMATS for ending in found.endings))
        hint = f"Give a folder of pictures, or a file that ends in {endings}, or in one of these and {GZIP}."
        raise BadFeed(f"{path.name} is not in a feed format that can be read.", hint)
    known = known if fetch is None and feed_format.read is _read_table else None
    return _one_after_another(
        _encoding_note(path, encoding, feed_format.find_encoding),
        _products(path, partial(feed_format.read, encoding=encoding), fetch, known),
    )


def _one_after_another(*parts: Iterator[FeedItem]) -> Iterator[FeedItem]:
    """Yield from all parts; closing this generator closes the part that is being read, and with it what it fetches."""
    for part in parts:
        yield from part


def _encoding_note(path: Path, encoding: str, find_encoding: Callable[[Path, str], str]) -> Iterator[FeedItem]:
    codec = find_encoding(path, encoding)
    if codec not in UNICODE:
        yield RowNote(path.name, 1, f"the feed is not UTF-8: it is read as {codec}")


def _products(
    path: Path, read: Callable[..., Iterator[FeedRow]], fetch: PictureFetcher | None, known: KnownRows | None
) -> Iterator[FeedItem]:
    folder, habits = PictureResolver(path.parent, fetch), FeedHabits(partial(_all_cells, path, read))
    make_row = partial(_make, folder, habits, path.name)
    rows = read(path) if known is None else read(path, known=known)
    lines: dict[str, int] = {}
    for row, make in _prefetched(rows, make_row, fetch.threads if fetch else 0):
        try:
            product_id = row.product_id if row.is_known else first(row.cells, "id")
            if product_id in lines:
                raise BadRow(f"duplicate id {product_id[:80]!r}: line {lines[product_id]} has it too")
            if known is not None and row.is_known and not _is_one_file(row, folder):
                lines[product_id] = row.line
                known.note_again(row.digest, product_id)
                yield UnchangedRow(product_id)
                continue
            uses, folder.unsettled = habits.uses, False
            product, faults, notes = make()
        except BadRow as error:
            yield Rejected(path.name, row.line, error.message, _id_in(row), _lists_product(row))
            continue
        lines[product.id] = row.line
        if faults or notes or row.notes:
            yield from (Rejected(path.name, row.line, reason, product.id) for reason in faults)
            yield from (RowNote(path.name, row.line, message) for message in (*row.notes, *notes))
        elif known is not None and not folder.unsettled and habits.uses == uses:
            known.note(row.digest, product.id, row.cells)
        yield product


def _is_one_file(row: FeedRow, folder: PictureResolver) -> bool:
    """Tell whether a cell of the row that named several pictures has become the name of one."""
    return any(folder.is_one_file(cell) for name in PICTURE_COLUMNS for cell in row.cells.get(name, ()))


def _id_in(row: FeedRow) -> str:
    """Return the id of a rejected row; "" when it is not known or cannot be an id."""
    try:
        return checked_id(row.product_id or first(row.cells, "id"))
    except BadRow:
        return ""


def _lists_product(row: FeedRow) -> bool:
    """Tell whether a rejected row lists a product: a row without id, title and picture holds totals or leftovers."""
    if row.fault:
        return row.lists_product
    return row.is_known or any(row.cells.get(name) for name in ("id", "title", *PICTURE_COLUMNS))


def _all_cells(path: Path, read: Callable[[Path], Iterator[FeedRow]]) -> Iterator[dict[str, list[str]]]:
    """Yield the cells of every row up to where the feed cannot be read any more, which its reader reports."""
    with suppress(BadFeed):
        yield from (row.cells for row in read(path))


def _make(folder: PictureResolver, habits: FeedHabits, source: str, row: FeedRow) -> MappedRow:
    if row.fault:
        raise BadRow(row.fault)
    return product_from_row(row.cells, folder, f"{source}:{row.line}", habits)


def _prefetched(
    rows: Iterator[FeedRow], make: Callable[[FeedRow], MappedRow], threads: int
) -> Iterator[tuple[FeedRow, Callable[[], MappedRow]]]:
    """Yield every row and how to get its product; with threads, those of the next rows are made meanwhile."""
    if not threads:
        yield from ((row, partial(make, row)) for row in rows)
        return
    pending: deque[tuple[FeedRow, Callable[[], MappedRow]]] = deque()
    pool = ThreadPoolExecutor(threads, "fetch")
    try:
        for row in rows:
            pending.append((row, pool.submit(make, row).result))
            if len(pending) > threads:
                yield pending.popleft()
        yield from pending
    except BadFeed:
        yield from pending  # the rows before the fault come first
        raise
    finally:
        pool.shutdown(cancel_futures=True)
