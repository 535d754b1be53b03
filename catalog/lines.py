"""A feed's text, line by line, in bounded memory: encodings by their mark, and lines that can be given back."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from catalog.errors import BadFeed, BadRow

MAX_CELL = 2**20
MAX_ROW = 4 * MAX_CELL
MAX_ROW_LINES = 1_000

# Stands for bytes that are no text in the feed's encoding. UTF-8 cannot hold it, so it cannot be in good text.
UNDECODABLE = "\udcff"

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_STRANGERS = (
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"%PDF", "a PDF document"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x89PNG", "a picture"),
)


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return UNDECODABLE, error.end


codecs.register_error("windowshop-undecodable", _stand_in)


class Lines:
    """The lines of a text file; those taken for a row that turns out to be broken can be given back."""

    def __init__(self, file: TextIO, encoding: str) -> None:
        self.encoding = encoding
        self.number = 0
        self._file = file
        self._ahead: deque[str] = deque()
        self.taken: list[str] = []
        self._length = 0

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
        if len(self.taken) > MAX_ROW_LINES:
            raise BadRow(f"the row goes on for more than {MAX_ROW_LINES:,} lines: a quote is opened and not closed")
        return line

    def begin_row(self) -> int:
        """Forget what was taken, and return the number of the line that comes next."""
        self.taken.clear()
        self._length = 0
        return self.number + 1

    def give_back(self, keep: int = 1) -> None:
        """Give back the lines taken since the row began, all but the first `keep`."""
        back = self.taken[keep:]
        self._ahead.extendleft(reversed(back))
        self.number -= len(back)

    def _read(self) -> str:
        line = self._file.readline(MAX_ROW + 1)
        if len(line) > MAX_ROW and not line.endswith(("\n", "\r")):
            while (rest := self._file.readline(MAX_ROW)) and not rest.endswith(("\n", "\r")):
                pass  # the rest of an endless line is read and dropped in pieces
        return line


@contextmanager
def open_lines(path: Path) -> Iterator[Lines]:
    """Open a feed as text in the encoding its first bytes tell, UTF-8 when they tell none; BadFeed when it is none."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
        encoding = _encoding(path, start)
        with path.open(encoding=encoding, errors="windowshop-undecodable", newline="") as text:
            yield Lines(text, encoding.removesuffix("-sig").upper())
    except OSError as error:
        raise BadFeed(f"The feed {path} cannot be read: {error.strerror}.", "Check the path and its rights.") from error


def _encoding(path: Path, start: bytes) -> str:
    for signature, name in _STRANGERS:
        if start.startswith(signature):
            raise BadFeed(f"The feed {path.name} is {name}, not text.", "Export it as CSV in UTF-8.")
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if start.count(0) * 4 > len(start):
        raise BadFeed(
            f"The feed {path.name} seems to be UTF-16 without a byte order mark.", "Save it as UTF-8, or with the mark."
        )
    return "utf-8"
