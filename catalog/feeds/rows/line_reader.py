"""Read a feed's text line by line in bounded memory; detect its encoding; allow lines to be read again."""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from catalog.errors import BadFeed, BadRow
from catalog.feeds.rows.encodings import detect
from catalog.feeds.rows.raw_bytes import open_bytes
from catalog.feeds.rows.row import MAX_ROW, MAX_VALUES

MAX_ROW_LINES = 1_000
MAX_LINE = 2**28

# Stands for undecodable bytes. UTF-8 cannot hold this character, so valid text never contains it.
UNDECODABLE = "\udcff"

_END_OF_FILE = "\x1a"  # Ctrl-Z


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
        del self.taken[but:]
        self._length = sum(map(len, self.taken))
        self._cells = sum(line.count(self.delimiter) for line in self.taken) if self.delimiter else 0

    def _read(self) -> str:
        line = self._file.readline(MAX_ROW + 1)
        if not self.number and not self.taken:
            line = line.lstrip("\ufeff").removeprefix("ï»¿")  # a mark again, also one that was read as Windows text
        if len(line) > MAX_ROW and not line.endswith(("\n", "\r")):
            dropped = len(line)
            while (rest := self._file.readline(MAX_ROW)) and not rest.endswith(("\n", "\r")):
                dropped += len(rest)  # read and drop the rest of an endless line in pieces
                if dropped > MAX_LINE:
                    problem = f"Line {self.number + 1:,} of the feed is longer than {MAX_LINE:,} characters."
                    raise BadFeed(problem, "Check that it is a table: a row ends at the end of its line.")
        elif line and (line[-1] not in "\r\n" or line[0] == _END_OF_FILE):
            return _without_filling(line)
        return line


def _without_filling(line: str) -> str:
    """Return a line without the mark that old programs put at the end of a file, and zeros behind it."""
    text = line.rstrip("\r\n")
    return text.lstrip(_END_OF_FILE).rstrip(_END_OF_FILE + "\0") + line[len(text) :] or "\n"


@contextmanager
def open_lines(path: Path, encoding: str = "") -> Iterator[LineReader]:
    """Open a feed as text in the encoding of its byte order mark, else in the named or detected one.

    Raises BadFeed when the feed is not text, or may be in several encodings.
    """
    codec = detect(path, encoding)
    with open_bytes(path) as file, io.TextIOWrapper(file, codec, errors="windowshop-undecodable", newline="") as text:
        yield LineReader(text, codec.removesuffix("-sig").upper())
