"""The CSV files that evaluate and categorise read, and the pictures that those or a command line name."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO, TypeVar

from catalog.errors import BadFeed, BadInput, BadQuery

BATCH = 32

T = TypeVar("T")
Progress = Callable[[Sequence[str]], Iterable[str]]


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One row of such a file: the line it began on (the header is line 1) and its values, stripped."""

    line: int
    values: Mapping[str, str]


def read_labelled_csv(path: Path, required: Sequence[str]) -> list[LabelledRow]:
    """All rows of a CSV file with a header; BadFeed when it cannot be read or lacks a required column."""
    with _opened(path) as file:
        reader = csv.reader(file)
        header = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in required if name not in header]
        if missing:
            raise BadFeed(
                f"{path.name} has no column {' nor '.join(map(repr, missing))}; its columns are: {', '.join(header)}.",
                f"Its first line must name the columns {' and '.join(required)}, with commas between.",
            )
        samples = []
        line = reader.line_num + 1
        for row in reader:
            if row:
                values = [value.strip() for value in row] + [""] * (len(header) - len(row))
                samples.append(LabelledRow(line, dict(zip(header, values, strict=False))))
            line = reader.line_num + 1
        return samples


def in_batches(
    keys: Iterable[str], make: Callable[[str], T], refused: dict[str, str]
) -> Iterator[tuple[list[str], list[T]]]:
    """What `make` makes of the keys, up to 32 at a time beside their keys; why it could not goes into `refused`."""
    remaining = iter(keys)
    while batch := list(islice(remaining, BATCH)):
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


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadFeed(f"{path.name} cannot be read: {reason}.", "Give a CSV file in UTF-8.") from error
