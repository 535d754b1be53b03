"""Rows of a file of events: one reader and one parser, for logs that are measured and logs that a shop imports.

CSV, gzipped where the file's name ends with .gz, with the columns visitor, time (ISO 8601; UTC without a zone), type
(view, click, cart, purchase, dismiss) and product_id, and perhaps quantity, price (of one unit), query_id and rank.
A line is one row: a quoted cell does not go on in the next line, so that a missing quote loses one row.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from catalog.errors import BadFeed
from catalog.text.csv_export import unescape_formula
from search.recommend.events.event_log import (
    MAX_PRICE,
    MAX_PRODUCT_ID,
    MAX_QUANTITY,
    MAX_QUERY_ID,
    MAX_RANK,
    MAX_VISITOR,
)
from search.recommend.events.interactions import KIND_CODES

REQUIRED = ("visitor", "time", "type", "product_id")
OPTIONAL = ("quantity", "price", "query_id", "rank")
EVENT_COLUMNS = (*REQUIRED, *OPTIONAL)
MAX_LINE = 65_536  # characters


class EventRow(NamedTuple):
    """An event of a file; `kind` is a position in EVENT_KINDS, `at` unix seconds, None is what the file leaves out."""

    visitor: str
    at: int
    kind: int
    product_id: str
    quantity: float | None
    price: float | None
    query_id: str | None
    rank: int | None


class BadEvent(ValueError):
    """A row that is no event; the message is the reason.

    It names the column and not the cell: in a row that is shifted, any cell may have the visitor's id.
    """


@dataclass(frozen=True, slots=True)
class EventFileReader:
    """The rows of an open file; `position` is how many of its bytes were read."""

    path: Path
    raw: BinaryIO
    text: TextIO

    @property
    def position(self) -> int:
        """The bytes of the file that were read."""
        return self.raw.tell()

    def cells(self) -> Iterator[tuple[int, list[str] | str]]:
        """Yield for each row its line, and its cells in the order of EVENT_COLUMNS or the reason why it has none.

        Raises BadFeed without a header that has the required columns.
        """
        header = self._header()
        places = [header.index(name) if name in header else -1 for name in EVENT_COLUMNS]
        line = 1
        while True:
            line += 1
            try:
                text = self.text.readline(MAX_LINE)
                if cut := len(text) == MAX_LINE and not text.endswith("\n"):
                    while len(rest := self.text.readline(MAX_LINE)) == MAX_LINE and not rest.endswith("\n"):
                        pass
            except (EOFError, OSError, zlib.error) as error:
                yield line, f"the file cannot be read further: {error}"
                return
            if not text:
                return
            if text.isspace():
                continue
            if cut:
                yield line, f"it has more than {MAX_LINE:,} characters"
                continue
            cells = _split(text)
            if isinstance(cells, str) or len(cells) != len(header):
                reason = cells if isinstance(cells, str) else f"it has {len(cells)} cells, the header {len(header)}"
                yield line, reason
                continue
            yield line, [cells[place] if place >= 0 else "" for place in places]

    def _header(self) -> list[str]:
        try:
            cells = _split(self.text.readline(MAX_LINE))
        except (EOFError, OSError, zlib.error) as error:
            raise BadFeed(f"{self.path} cannot be read: {error}.", "Give a CSV file, or one packed by gzip.") from error
        header = [] if isinstance(cells, str) else [cell.strip() for cell in cells]
        if missing := [name for name in REQUIRED if name not in header]:
            hint = f"A file of events has a header with {', '.join(REQUIRED)}, and perhaps {', '.join(OPTIONAL)}."
            if "visitor_hash" in header:
                hint = "An export has hashes of visitors, and no ids to import; a backup has the whole log."
            raise BadFeed(f"{self.path}, line 1: there is no column {', '.join(missing)}.", hint)
        return header


@contextmanager
def open_event_file(path: Path) -> Iterator[EventFileReader]:
    """Open a file of events. Raises OSError."""
    with path.open("rb") as raw:
        unpacked = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        # Bytes that are no UTF-8 become characters that `parse_event` refuses, row by row.
        with io.TextIOWrapper(unpacked, "utf-8-sig", errors="surrogateescape") as text:
            yield EventFileReader(path, raw, text)


def parse_event(cells: Sequence[str]) -> EventRow:
    """Return the event of a row's cells, in the order of EVENT_COLUMNS. Raises BadEvent."""
    visitor, time, kind, product_id, quantity, price, query_id, rank = cells
    if kind not in KIND_CODES:
        raise BadEvent(f"the type is none of {', '.join(KIND_CODES)}")
    return EventRow(
        _text("visitor", visitor, MAX_VISITOR),
        _seconds(time),
        KIND_CODES[kind],
        _text("product_id", product_id, MAX_PRODUCT_ID),
        _number("quantity", quantity, MAX_QUANTITY) if quantity else None,
        _number("price", price, MAX_PRICE) if price else None,
        _text("query_id", query_id, MAX_QUERY_ID) if query_id else None,
        _rank(rank) if rank else None,
    )


def _split(line: str) -> list[str] | str:
    if '"' not in line:
        return line.rstrip("\r\n").split(",")
    if line.count('"') % 2:
        return "a quoted cell does not end in this line"
    try:
        return next(csv.reader((line,), strict=True))
    except (csv.Error, StopIteration) as error:
        return f"its quotes are not understood: {error}"


@lru_cache(maxsize=65_536)
def _text(name: str, text: str, limit: int) -> str:
    text = unescape_formula(text.strip())
    if not text:
        raise BadEvent(f"there is no {name}")
    if len(text) > limit or not text.isprintable():
        raise BadEvent(f"the {name} has more than {limit} characters, or some that cannot be printed")
    return text


@lru_cache(maxsize=65_536)
def _seconds(text: str) -> int:
    try:
        at = datetime.fromisoformat(text.strip())
        seconds = int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())
    except (ValueError, OverflowError):
        raise BadEvent("the time is not like 2026-11-25T18:30:00Z") from None
    if seconds < 0:
        raise BadEvent("the time is before 1970")
    return seconds


@lru_cache(maxsize=65_536)
def _number(name: str, text: str, limit: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise BadEvent(f"the {name} is no number") from None
    least = math.ulp(0.0) if name == "quantity" else 0.0
    if not least <= value <= limit:
        raise BadEvent(f"the {name} is not between 0 and {limit:,}")
    return value


def _rank(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_RANK):
        raise BadEvent(f"the rank is not a whole number from 1 to {MAX_RANK:,}")
    return int(text)
