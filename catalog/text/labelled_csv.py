"""Read CSV files whose first line names the columns, and work through their rows in batches."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO, TypeVar

from catalog.errors import BadFeed, BadInput, BadQuery

BATCH_ROWS = 32

T = TypeVar("T")
Progress = Callable[[Sequence[str]], Iterable[str]]


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One row: the line where it begins (the header is line 1), and its values by column, stripped."""

    line: int
    values: Mapping[str, str]


def read_labelled_csv(
    path: Path, required: Sequence[str], *, max_bytes: int | None = None, exact: bool = False
) -> list[LabelledRow]:
    """Read all rows of a UTF-8 CSV file with a header; a cell that is missing at the end of a row is "".

    With `exact`, the header must be `required`, and each row must have that many cells. Raises BadFeed, which names
    the file and where it can the line, when the file cannot be read, is larger than `max_bytes` or lacks a column.
    """
    try:
        if max_bytes is not None and path.stat().st_size > max_bytes:
            raise BadFeed(f"{path} is larger than {max_bytes:,} bytes.", "Leave out what the shop does not need.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_rows(path, file, required, exact))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadFeed(f"{path} cannot be read: {reason}.", "Give a CSV file in UTF-8.") from error


def _rows(path: Path, file: TextIO, required: Sequence[str], exact: bool) -> Iterator[LabelledRow]:
    reader = csv.reader(file, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if exact and header != list(required):
            raise bad_line(path, 1, f"the header is {','.join(header)[:100]!r}", f"It must be {','.join(required)}.")
        if missing := [name for name in required if name not in header]:
            problem = f"{path} has no column {' nor '.join(map(repr, missing))}; its columns are: {', '.join(header)}."
            hint = f"Its first line must name the columns {' and '.join(required)}, with commas between."
            raise BadFeed(problem, hint)
        line = reader.line_num + 1
        for row in reader:
            if exact and any(map(str.strip, row)) and len(row) != len(header):
                raise bad_line(path, line, f"{len(row)} cells instead of {len(header)}", "Put commas between cells.")
            if row:
                cells = [cell.strip() for cell in row] + [""] * (len(header) - len(row))
                yield LabelledRow(line, dict(zip(header, cells, strict=False)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise bad_line(path, reader.line_num, f"this is not CSV ({error})", "Close every quote.") from error


def bad_line(path: Path, line: int, reason: str, hint: str) -> BadFeed:
    """Return the error that names a file and its line, and says what is wrong there."""
    return BadFeed(f"{path}, line {line:,}: {reason}.", hint)


def in_batches(
    keys: Iterable[str], make: Callable[[str], T], refused: dict[str, str]
) -> Iterator[tuple[list[str], list[T]]]:
    """Yield up to 32 keys at a time with what `make` makes of them; add the reason to `refused` where it cannot."""
    remaining = iter(keys)
    while batch := list(islice(remaining, BATCH_ROWS)):
        made = {}
        for key in batch:
            try:
                if not key:
                    raise BadQuery("The field is blank.")
                made[key] = make(key)
            except BadInput as error:
                refused[key] = error.message
        if made:
            yield list(made), list(made.values())
