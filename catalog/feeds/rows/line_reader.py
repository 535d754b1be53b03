"""Read a feed's text line by line in bounded memory; detect its encoding; allow lines to be read again."""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from catalog.errors import BadFeed, BadRow
from catalog.feeds.rows.raw_bytes import open_bytes
from catalog.feeds.rows.row import MAX_ROW, MAX_VALUES

MAX_ROW_LINES = 1_000
MAX_LINE = 2**28

# Stands for undecodable bytes. UTF-8 cannot hold this character, so valid text never contains it.
UNDECODABLE = "\udcff"

_PEEKED_BYTES = 4096  # bytes
_MARKS: dict[str, bytes | tuple[bytes, ...]] = {
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),  # before UTF-16, whose mark its own begins with
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-8-sig": codecs.BOM_UTF8,
}


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return UNDECODABLE, error.end


codecs.register_error("windowshop-undecodable", _stand_in)


class LineReader:
    """The lines of a text file; the lines of a broken row can be read again as rows of their own.

    With a `delimiter`, the cells of a row are counted before they are split: each would take twenty times its length.
    """

    def __init__(self, file: TextIO, encoding: str) -> None:
        self.encoding = encoding
        self.delimiter = ""
        self.number = 0
        self._file = file
        self._ahead: deque[str] = deque()
        self.taken: list[str] = []
        self._length = 0
        self._cells = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else self._read()
        if not line:
            raise StopIteration
        self.taken.append(line)
        self._length += len(line)
        self.number += 1
        if self._length > MAX_ROW:
            raise BadRow(f"the row is longer than {MAX_ROW:,} characters, or a quote is opened and not closed")
        if self.delimiter:
            self._cells += line.count(self.delimiter)
            if self._cells > MAX_VALUES:
                raise BadRow(f"the row has more than {MAX_VALUES:,} cells, or a quote is opened and not closed")
        if len(self.taken) > MAX_ROW_LINES:
            raise BadRow(f"the row goes on for more than {MAX_ROW_LINES:,} lines: a quote is opened and not closed")
        return line

    def begin_row(self) -> int:
        """Start a row, and return the number of its first line."""
        self.taken.clear()
        self._length = self._cells = 0
        return self.number + 1

    def unread(self, but: int = 1) -> None:
        """Let the lines of the row be read again, except the first `but` ones."""
        back = self.taken[but:]
        self._ahead.extendleft(reversed(back))
        self.number -= len(back)

    def _read(self) -> str:
        line = self._file.readline(MAX_ROW + 1)
        if len(line) > MAX_ROW and not line.endswith(("\n", "\r")):
            dropped = len(line)
            while (rest := self._file.readline(MAX_ROW)) and not rest.endswith(("\n", "\r")):
                dropped += len(rest)  # read and drop the rest of an endless line in pieces
                if dropped > MAX_LINE:
                    problem = f"Line {self.number + 1:,} of the feed is longer than {MAX_LINE:,} characters."
                    raise BadFeed(problem, "Check that it is a table: a row ends at the end of its line.")
        return line


def read_records(lines: LineReader, **dialect: Any) -> Iterator[tuple[int, list[str], BadRow | csv.Error | None]]:
    """Yield (line of its start, cells, error) of every record that is not blank; `dialect` is that of `csv.reader`.

    After an error, only the line where the record began is lost; the lines that it swallowed are read again.
    """
    reader = csv.reader(lines, **dialect)
    while True:
        line = lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (BadRow, csv.Error) as error:
            lines.unread()
            yield line, [], error
        else:
            if any(map(str.strip, cells)):
                yield line, cells, None


@contextmanager
def open_lines(path: Path) -> Iterator[LineReader]:
    """Open a feed as text in the encoding of its byte order mark, else in UTF-8. Raises BadFeed when it is not text."""
    with open_bytes(path) as file:
        encoding = _encoding(path, file.peek(_PEEKED_BYTES)[:_PEEKED_BYTES])
        with io.TextIOWrapper(file, encoding, errors="windowshop-undecodable", newline="") as text:
            yield LineReader(text, encoding.removesuffix("-sig").upper())


def _encoding(path: Path, start: bytes) -> str:
    for encoding, marks in _MARKS.items():
        if start.startswith(marks):
            return encoding
    if start.count(0) * 4 > len(start):
        problem = f"The feed {path.name} seems to be UTF-16 without a byte order mark."
        raise BadFeed(problem, "Save it as UTF-8, or with the mark.")
    return "utf-8"
