"""Purchase logs as files: the events and the products of a shop that need not be in a catalogue.

`event_rows.py` says what a file of events is. Products are CSV, gzipped where the file's name ends with .gz, with the
columns id, title, category, brand and price.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from catalog.errors import BadFeed
from catalog.product import Product
from search.recommend.events.event_rows import EVENT_COLUMNS, BadEvent, open_event_file, parse_event
from search.recommend.events.interactions import History, Interactions
from search.recommend.events.product_table import ProductTable

PRODUCT_COLUMNS = ("id", "title", "category", "brand", "price")


def read_products(path: Path) -> ProductTable:
    """Read the products of a log. Raises BadFeed, which names the line."""
    try:
        with _opened(path) as file:
            return ProductTable.of(_products(path, file))
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error, csv.Error) as error:
        raise BadFeed(f"{path} cannot be read: {error}.", "Give a CSV file in UTF-8, or one packed by gzip.") from error


def read_events(path: Path, products: ProductTable) -> Interactions:
    """Read the events on these products; others are left out. Raises BadFeed, which names the line."""
    visitors: dict[str, int] = {}
    codes = array("i")
    columns: tuple[array[Any], ...] = (array("i"), array("q"), array("B"), array("f"), array("f"))
    code_of = products.code_of
    with open_event_file(path) as file:
        for line, cells in file.cells():
            if isinstance(cells, str):
                raise _bad(path, line, cells)
            try:
                event = parse_event(cells)
            except BadEvent as error:
                raise _bad(path, line, str(error)) from error
            if (product := code_of.get(event.product_id)) is None:
                continue
            codes.append(visitors.setdefault(event.visitor, len(visitors)))
            price = math.nan if event.price is None else event.price
            row = (product, event.at, event.kind, event.quantity or 1.0, price)
            for column, value in zip(columns, row, strict=True):
                column.append(value)
    history = History(*(np.frombuffer(column, column.typecode) for column in columns))
    return Interactions.of([name.encode() for name in visitors], np.frombuffer(codes, np.int32), history)


def _products(path: Path, file: TextIO) -> Iterator[Product]:
    for line, (product_id, title, category, brand, price) in _rows(path, file, PRODUCT_COLUMNS):
        try:
            amount = Decimal(price) if price else None
        except InvalidOperation:
            raise _bad(path, line, f"the price {price[:40]!r} is no number", PRODUCT_COLUMNS) from None
        yield Product(product_id, title, (), category, amount, brand=brand)


def _rows(path: Path, file: TextIO, wanted: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Yield the wanted cells of each row with its line."""
    reader = csv.reader(file)
    header = next(reader, [])
    if missing := [name for name in wanted if name not in header]:
        raise _bad(path, 1, f"there is no column {', '.join(missing)}", wanted)
    places = [header.index(name) for name in wanted]
    for row in reader:
        if len(row) != len(header):
            raise _bad(path, reader.line_num, f"it has {len(row)} cells, the header {len(header)}", wanted)
        yield reader.line_num, [row[place] for place in places]


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield file


def _bad(path: Path, line: int, reason: str, columns: tuple[str, ...] = EVENT_COLUMNS) -> BadFeed:
    return BadFeed(f"{path}, line {line}: {reason}.", f"The file has the columns {', '.join(columns)}.")
