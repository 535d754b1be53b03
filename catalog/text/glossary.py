"""The words of shops, colours, categories, materials and the like, in English and Chinese: a table to be edited."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from catalog.errors import BadInput

GLOSSARY = Path(__file__).with_name("glossary.csv")
COLUMNS = ("term", "language", "replacements")
ENGLISH = "en"
BETWEEN = "|"
MAX_BYTES = 4 * 2**20
MAX_TERM = 100  # characters, of a term and of a replacement


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """What a term may also be called. In English: synonyms; in any other language: what it is in English, best first.

    Without replacements the term says nothing: it is left out.
    """

    term: str
    language: str
    replacements: tuple[str, ...]


def read_glossary(path: Path) -> list[GlossaryEntry]:
    """The entries of a CSV file with the columns term, language, replacements, the last divided by "|".

    Raises BadInput, which tells the line, when it cannot be read or an entry cannot be used.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path} is larger than {MAX_BYTES >> 20} MiB.", "Leave out what the shop does not sell.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _entries(path, file)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.", "Check the file.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 (byte {error.start:,}).", "Save it as CSV in UTF-8.") from error


def _entries(path: Path, file: TextIO) -> list[GlossaryEntry]:
    entries: list[GlossaryEntry] = []
    empty: list[str] = []
    reader = csv.reader(file, strict=True)
    try:
        header = next(reader, empty)
        if [name.strip().lower() for name in header] != list(COLUMNS):
            raise _bad(path, 1, f"the header is {','.join(header)[:MAX_TERM]!r}", f"It must be {','.join(COLUMNS)}.")
        for row in reader:
            if any(cell.strip() for cell in row):
                entries.append(_entry(path, reader.line_num, row))
    except csv.Error as error:
        raise _bad(path, reader.line_num, f"this is no CSV ({error})", "Close every quote.") from error
    return entries


def _entry(path: Path, line: int, row: list[str]) -> GlossaryEntry:
    if len(row) != len(COLUMNS):
        raise _bad(path, line, f"{len(row)} columns instead of {len(COLUMNS)}", f'Divide replacements by "{BETWEEN}".')
    term, language, replacements = (cell.strip() for cell in row)
    if not term or not language:
        raise _bad(path, line, "no term, or no language", "For example: 红色,zh,red or jumper,en,sweater|pullover.")
    found = tuple(part.strip() for part in replacements.split(BETWEEN) if part.strip())
    if any(len(text) > MAX_TERM for text in (term, *found)):
        raise _bad(path, line, f"longer than {MAX_TERM} characters", "Give single words and short names.")
    return GlossaryEntry(term, language.lower(), found)


def _bad(path: Path, line: int, what: str, hint: str) -> BadInput:
    return BadInput(f"{path}, line {line:,}: {what}.", hint)
