"""Read delimited text (CSV, TSV and their like) into feed rows; a row that cannot be read has a fault."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

from catalog.errors import BadFeed, BadRow
from catalog.feeds.rows.columns import ALL_PICTURE_COLUMNS, KNOWN_COLUMNS, PICTURE_COLUMNS, SINGLE_COLUMNS, column_name
from catalog.feeds.rows.line_reader import LineReader, open_lines
from catalog.feeds.rows.records import split_record
from catalog.feeds.rows.row import MAX_CELL, FeedRow, is_text, read_row
from catalog.images.formats import ENDINGS
from catalog.text.csv_export import unescape_formula

csv.field_size_limit(MAX_CELL)

_DELIMITERS = ",;\t|"
_SEP_LINE = re.compile(r"\s*\"?sep=(?P<mark>\\t|tab|[^\"\w\r\n])\"?[\s,;|\"]*", re.IGNORECASE)
_TEXT_FORMULA = re.compile(r'="([^"]+)"')  # so that spreadsheets leave digits as they are
_MAX_TITLE_ROWS = 20  # rows above the header that are looked at
_MAX_HEADER = 100_000
_MAX_COLUMNS = 2_000
_MAX_LINES_OF_QUOTES = 20
_WEB = ("http://", "https://")
_SEVERAL = re.compile(r"[|;,\r\n]")  # what stands between names of pictures

Record = tuple[int, list[str], str]


class RowIds(Protocol):
    """Ids of products by the digest of their rows."""

    def get(self, digest: bytes, /) -> str | None:
        """Return the id; None where no row had that digest."""


class RowRecognition(Protocol):
    """Tells rows that were read before by a digest of their cells."""

    before: RowIds

    def digest(self, cells: Sequence[str]) -> bytes:
        """Return the digest of a row."""


def check_columns(header: Sequence[str], source: str) -> None:
    """Raise BadFeed when a header lacks a column that a product needs."""
    for what, choices in (("id", ("id",)), ("title", ("title",)), ("picture", PICTURE_COLUMNS)):
        if not set(choices) & set(header):
            problem = f"The feed {source} has no {what} column; its columns are: {', '.join(header)[:500]}."
            raise BadFeed(problem, f"Name one of them {' or '.join(choices)}.")


@contextmanager
def open_table(
    path: Path, encoding: str = "", recognise: RowRecognition | None = None
) -> Iterator[tuple[list[str], Iterator[FeedRow]]]:
    """Open a table: the column names of its header, and its rows; BadFeed when the header cannot be read.

    A line "sep=;" or else the header decides on the delimiter. Rows of titles above the header are skipped. Cells that
    we escaped for spreadsheets are unescaped. `encoding` is that of a file without a byte order mark, "" to detect it.
    Rows that `recognise` knows have no cells, but where one of their cells may name several pictures.
    """
    with open_lines(path, encoding) as lines:
        lines.delimiter = _find_header(lines, path.name)
        header = _header(_records(lines, ()), lines, path.name)
        yield header, _rows(lines, header, recognise)


def _rows(lines: LineReader, header: list[str], recognise: RowRecognition | None) -> Iterator[FeedRow]:
    places = [place for place, name in enumerate(header) if name in PICTURE_COLUMNS]
    for line, cells, fault in _records(lines, header):
        if fault:
            yield FeedRow(line, fault=fault, product_id=_certain_id(lines.taken, header, lines.delimiter))
        elif recognise is None:
            yield read_row(line, _named, header, cells)
        else:
            digest = recognise.digest(cells)
            product_id = recognise.before.get(digest)
            if product_id is None:
                yield replace(read_row(line, _named, header, cells), digest=digest)
            elif any(_SEVERAL.search(cells[place]) for place in places if place < len(cells)):
                row = read_row(line, _named, header, cells)
                yield replace(row, product_id=product_id, digest=digest, is_known=True)
            else:
                yield FeedRow(line, product_id=product_id, digest=digest, is_known=True)


def _certain_id(taken: Sequence[str], header: Sequence[str], delimiter: str) -> str:
    """Return the id in the first line of a record that cannot be read, if the cells up to it can be; else ""."""
    if not taken or "id" not in header:
        return ""
    mark = re.escape(delimiter)
    plain, quoted = f'[^"{mark}]*', '(?:[^"]|"")*'
    cell = f'(?: *"{quoted}" *|{plain}){mark}'
    place = header.index("id")
    found = re.match(f'(?:{cell}){{{place}}}(?: *"({quoted})" *|({plain})){mark}', taken[0])
    if found is None:
        return ""
    return unescape_formula(found[2] or (found[1] or "").replace('""', '"')).strip()


def _find_header(lines: LineReader, source: str) -> str:
    """Go to the line of the header, and return the delimiter.

    The header is the first line. Below a line without any known column, it is the first one that names two of them. The
    delimiter is that of a line "sep=;", else the one that gives the header the most known names, then the most columns.
    """
    lines.begin_row()
    found: list[tuple[int, str]] = []  # the lines looked at, and how many lines are above
    given = ""
    try:
        for line in lines:
            if len(line) > _MAX_HEADER:
                raise BadRow("too long")
            if not found and (sep := _SEP_LINE.fullmatch(line)):
                given = sep["mark"] if len(sep["mark"]) == 1 else "\t"
            elif line.strip(" \r\n\t,;|"):
                found.append((len(lines.taken) - 1, line))
                if _known_names(line, given) >= min(len(found), 2) or len(found) > _MAX_TITLE_ROWS:
                    break
    except BadRow:
        if not found:
            hint = "Check that it is a table."
            raise BadFeed(f"The first line of {source} is longer than any header.", hint) from None
    if not found:
        lines.unread(but=len(lines.taken))
        return given or ","
    above, header = found[-1] if _known_names(found[-1][1], given) >= 2 else found[0]
    lines.unread(but=above)
    if given and given in header:
        return given
    return max(_DELIMITERS, key=lambda delimiter: _score(header, delimiter))


def _known_names(line: str, given: str) -> int:
    return max(_score(line, delimiter)[0] for delimiter in given or _DELIMITERS)


def _score(line: str, delimiter: str) -> tuple[int, int]:
    names = [column_name(cell.strip('" \r\n')) for cell in line.split(delimiter)]
    return len(KNOWN_COLUMNS.intersection(names)), len(names)


def _records(lines: LineReader, header: Sequence[str]) -> Iterator[Record]:
    """Yield (line of its start, cells, fault) of every record that is not blank.

    An unclosed quote swallows the lines after it. Strict parsing notices that at the next quote, at a limit, or at the
    end. Then the lines are read again: the first one by itself where a reading of its quotes makes sense, else it is
    lost, and the others are rows of their own.
    """
    reader = csv.reader(lines, delimiter=lines.delimiter, strict=True, skipinitialspace=True)
    while True:
        line = lines.begin_row()
        try:
            cells, fault = next(reader), ""
        except StopIteration:
            return
        except (BadRow, csv.Error) as error:
            cells, fault = [], _fault(error)
        if len(lines.taken) > 1 and not fault and _joins_rows(lines.taken, header, lines.delimiter):
            fault = "a quote is opened and not closed, so that the rows below would be lost"
        if fault:
            mended = _mended(lines, header)
            if mended is None:
                yield line, [], fault
                continue
            cells = mended
        if len(cells) == 1 and len(header) != 1 and lines.delimiter in cells[0]:  # a row that was quoted as a whole
            cells = split_record(cells[0], lines.delimiter, len(header)) or cells
        if len(cells) > len(header) > 0 and any('"' in cell for cell in cells):
            cells = _with_quoted_delimiters(lines, header) or cells
        if any(map(str.strip, cells)):
            yield line, cells, ""


def _mended(lines: LineReader, header: Sequence[str]) -> list[str] | None:
    """Return the cells of a record whose quotes break the rules, or None when its first line is lost.

    Leaves the lines behind the record, or behind that line, to be read.
    """
    lines.unread()
    first = lines.taken[0]
    if cells := split_record(first, lines.delimiter, len(header), escaped_ends=False):
        return cells
    with suppress(StopIteration, BadRow):
        while len(lines.taken) <= _MAX_LINES_OF_QUOTES:
            if '"' not in next(lines) or _joins_rows(lines.taken, header, lines.delimiter):
                continue
            cells = split_record("".join(lines.taken), lines.delimiter, len(header), escaped_ends=False)
            if cells is not None and len(cells) == len(header):
                return cells
    lines.unread()
    return split_record(first, lines.delimiter, len(header))


def _with_quoted_delimiters(lines: LineReader, header: Sequence[str]) -> list[str] | None:
    """Return as many cells as the header has, of a record with bare quotes: "Mug 12", blue". None without them."""
    text = "".join(lines.taken)
    if '""' in text:
        return None
    cells = split_record(text, lines.delimiter, len(header))
    return cells if cells is not None and len(cells) == len(header) else None


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
        while cells and not cells[-1].strip():
            cells.pop()
        if len(cells) > len(header):
            return False
        named = zip(header, cells, strict=False)
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
    while len(cells) > _MAX_COLUMNS and not cells[-1].strip():
        cells.pop()
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
    """Return the cells by name. Cells missing at the end are empty; further ones than the header has must be."""
    if len(cells) > len(header) and any(map(str.strip, cells[len(header) :])):
        product_id = unescape_formula(cells[0]).strip() if header[0] == "id" else ""  # a later cell may have moved
        raise BadRow(f"too many cells: {len(cells)}, but the header has {len(header)}", product_id=product_id)
    named: dict[str, list[str]] = {}
    for name, cell in zip(header, cells, strict=False):
        if value := unescape_formula(cell).strip():
            if value[0] == "=" and (text := _TEXT_FORMULA.fullmatch(value)):
                value = text[1]
            named.setdefault(name, []).append(value)
    return named
