"""Read delimited text (CSV, TSV and their like) into feed rows; a row that cannot be read has a fault."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from catalog.errors import BadFeed, BadRow
from catalog.feeds.rows.columns import ALL_PICTURE_COLUMNS, KNOWN_COLUMNS, PICTURE_COLUMNS, SINGLE_COLUMNS, column_name
from catalog.feeds.rows.line_reader import LineReader, open_lines, read_records
from catalog.feeds.rows.row import MAX_CELL, FeedRow, is_text, read_row
from catalog.images.formats import ENDINGS
from catalog.text.csv_export import unescape_formula

csv.field_size_limit(MAX_CELL)

_DELIMITERS = ",;\t|"
_MAX_HEADER = 100_000
_MAX_COLUMNS = 2_000
_WEB = ("http://", "https://")


Record = tuple[int, list[str], str]


def read_table(path: Path) -> Iterator[FeedRow]:
    """Yield the rows of a table; BadFeed when its header lacks a column that a product needs."""
    with open_table(path) as (header, rows):
        check_columns(header, path.name)
        yield from rows


def check_columns(header: Sequence[str], source: str) -> None:
    """Raise BadFeed when a header lacks a column that a product needs."""
    for what, choices in (("id", ("id",)), ("title", ("title",)), ("picture", PICTURE_COLUMNS)):
        if not set(choices) & set(header):
            problem = f"The feed {source} has no {what} column; its columns are: {', '.join(header)[:500]}."
            raise BadFeed(problem, f"Name one of them {' or '.join(choices)}.")


@contextmanager
def open_table(path: Path) -> Iterator[tuple[list[str], Iterator[FeedRow]]]:
    """Open a table: the column names of its header, and its rows; BadFeed when the header cannot be read.

    The header decides on the delimiter. Cells that we escaped for spreadsheets are unescaped.
    """
    with open_lines(path) as lines:
        lines.delimiter = _delimiter(lines, path.name)
        records = _records(lines)
        header = _header(records, lines, path.name)
        yield header, _rows(records, lines, header)


def _rows(records: Iterator[Record], lines: LineReader, header: list[str]) -> Iterator[FeedRow]:
    for line, cells, fault in records:
        if fault:
            yield FeedRow(line, fault=fault)
        elif _joins_rows(lines.taken, header, lines.delimiter):
            lines.unread()
            yield FeedRow(line, fault="a quote is opened and not closed, so that the rows below would be lost")
        else:
            yield read_row(line, _named, header, cells)


def _delimiter(lines: LineReader, source: str) -> str:
    """Return the delimiter that gives the header the most known column names, then the most columns."""
    lines.begin_row()
    too_long = BadFeed(f"The first line of {source} is longer than any header.", "Check that it is a table.")
    try:
        first = next((line for line in lines if line.strip()), "")
    except BadRow:
        raise too_long from None
    if len(first) > _MAX_HEADER:
        raise too_long
    lines.unread(but=0)

    def score(delimiter: str) -> tuple[int, int]:
        names = [column_name(cell.strip('" ')) for cell in first.split(delimiter)]
        return len(KNOWN_COLUMNS.intersection(names)), len(names)

    return max(_DELIMITERS, key=score)


def _records(lines: LineReader) -> Iterator[Record]:
    """Yield (line of its start, cells, fault) of every record that is not blank.

    An unclosed quote swallows the lines after it. Strict parsing notices that at the next quote, at a limit, or at the
    end.
    """
    for line, cells, error in read_records(lines, delimiter=lines.delimiter, strict=True, skipinitialspace=True):
        yield line, cells, "" if error is None else _fault(error)


def _joins_rows(taken: Sequence[str], header: Sequence[str], delimiter: str) -> bool:
    """Tell whether a record of several lines looks like several rows joined by a stray quote.

    A line of a description may have as many commas as a row, but hardly a picture's name in the right column too.
    """
    if len(taken) < 2:
        return False

    def whole(line: str, quotes: bool) -> bool:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
        try:
            cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, quoting=quoting), [])
        except csv.Error:
            return False
        if len(cells) != len(header):
            return False
        named = zip(header, cells, strict=True)
        pictures = [cell.strip(' "\r\n').lower() for name, cell in named if name in ALL_PICTURE_COLUMNS]
        return any(cell.endswith(ENDINGS) or cell.startswith(_WEB) for cell in pictures)

    if any(whole(line, quotes=True) for line in taken[1:-1]):
        return True
    return whole(taken[0], quotes=False) and (whole(taken[-1], quotes=True) or whole(taken[-1], quotes=False))


def _fault(error: BadRow | csv.Error) -> str:
    if isinstance(error, BadRow):
        return error.message
    if "field larger" in str(error):
        return f"a cell is longer than {MAX_CELL:,} characters, or a quote is opened and not closed"
    if "NUL" in str(error):
        return "the row holds a NUL character"
    return "a quote is opened and not closed, or stands within a quoted cell without being doubled"


def _header(records: Iterator[Record], lines: LineReader, source: str) -> list[str]:
    """Return the column names from the first record. Raises BadFeed."""
    _, cells, fault = next(records, (0, [], ""))
    if fault:
        raise BadFeed(f"The header of {source} cannot be read: {fault}.", "Correct its first line.")
    if not cells:
        raise BadFeed(f"The feed {source} is empty.", "Its first line names the columns: id,title,category,image.")
    if len(cells) > _MAX_COLUMNS:
        problem = f"The feed {source} has {len(cells):,} columns; {_MAX_COLUMNS:,} are read."
        raise BadFeed(problem, "Check that it is a table.")
    names = [column_name(unescape_formula(cell)) or f"column_{number}" for number, cell in enumerate(cells, 1)]
    if not all(map(is_text, names)):
        raise BadFeed(f"The header of {source} is not valid {lines.encoding}.", "Save the feed as UTF-8.")
    twice = sorted(name for name in SINGLE_COLUMNS if names.count(name) > 1)
    if twice:
        raise BadFeed(f"The feed {source} has the column {twice[0]} more than once.", "Rename or remove one of them.")
    return names


def _named(header: Sequence[str], cells: Sequence[str]) -> dict[str, list[str]]:
    if len(cells) != len(header):
        few_or_many = "few" if len(cells) < len(header) else "many"
        raise BadRow(f"too {few_or_many} cells: {len(cells)}, but the header has {len(header)}")
    named: dict[str, list[str]] = {}
    for name, cell in zip(header, cells, strict=True):
        if value := unescape_formula(cell).strip():
            named.setdefault(name, []).append(value)
    return named
