"""Hold the rows of an export while their groups are found, in bounded memory: the rest lies in a temporary file."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Mapping
from itertools import chain
from typing import IO, Any, NamedTuple

from catalog.errors import BadFeed

MEMORY = 32 * 2**20  # estimated bytes of the rows in memory
MAX_SPOOL = 4 * 2**30  # bytes of the file
_MARK = "\0"
_ROW_BYTES = 500  # of a dict
_CELL_BYTES = 60  # of a short string


class ExportRow(NamedTuple):
    """The cells of one row by field: its line in the file, its number among the readable rows, its characters."""

    line: int
    cells: dict[str, str]
    number: int
    length: int


class RowSpool:
    """Rows by number, from 0 in the order of the export. All are added before the first is read."""

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._rows: list[dict[str, str]] = []
        self._lines = array("q")
        self._lengths = array("q")
        self._ends = array("q")
        self._file: IO[Any] | None = None
        self._end = 0

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, number: int) -> ExportRow:
        known = len(self._rows)
        cells = self._rows[number] if number < known else self._read(number - known)
        return ExportRow(self._lines[number], cells, number, self._lengths[number])

    def add(self, line: int, cells: dict[str, str]) -> int:
        """Add a row, which nobody changes later, and return its number. Raises BadFeed when they fill the disk."""
        length = sum(map(len, cells.values()))
        self._lines.append(line)
        self._lengths.append(length)
        if self._memory > 0:
            self._memory -= _ROW_BYTES + _CELL_BYTES * len(cells) + length
            self._rows.append(cells)
        else:
            self._write(cells)
        return len(self._lines) - 1

    def close(self) -> None:
        """Free the rows, and remove the file."""
        self._rows.clear()
        if self._file is not None:
            self._file.close()

    def _write(self, cells: Mapping[str, str]) -> None:
        """Write names and values, between NULs, which the rows of a feed never hold."""
        if self._file is None:
            self._file = tempfile.TemporaryFile("w+b")  # noqa: SIM115  # closed by close()
        self._end += self._file.write(_MARK.join(chain.from_iterable(cells.items())).encode())
        self._ends.append(self._end)
        if self._end > MAX_SPOOL:
            problem = f"The rows of this export are more than {MAX_SPOOL:,} bytes."
            raise BadFeed(problem, "Export the products in several files.")

    def _read(self, number: int) -> dict[str, str]:
        assert self._file is not None
        start = self._ends[number - 1] if number else 0
        self._file.seek(start)
        parts = iter(self._file.read(self._ends[number] - start).decode().split(_MARK))
        return dict(zip(parts, parts, strict=False))
