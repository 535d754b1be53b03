"""Read a glossary: terms that shoppers use, with what the shop's products say instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalog.text.labelled_csv import LabelledRow, bad_line, read_labelled_csv

GLOSSARY = Path(__file__).with_name("glossary.csv")
COLUMNS = ("term", "language", "replacements")
ENGLISH = "en"
MAX_BYTES = 4 * 2**20
MAX_TERM = 100  # characters, of a term and of a replacement


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """What a term may also be called. In English: synonyms; in any other language: what it is in English, best first.

    A term without replacements is a stop word: the query is searched without it.
    """

    term: str
    language: str
    replacements: tuple[str, ...]


def read_glossary(path: Path) -> list[GlossaryEntry]:
    """Read a CSV file with the columns term, language, replacements, the last divided by "|".

    Raises BadFeed, which names the line, when it cannot be read or an entry cannot be used.
    """
    return list(_shipped()) if path == GLOSSARY else list(_entries(path))


@cache  # the shipped file never changes while a process runs, and each shop that is opened reads it
def _shipped() -> tuple[GlossaryEntry, ...]:
    return tuple(_entries(GLOSSARY))


def _entries(path: Path) -> Iterator[GlossaryEntry]:
    rows = read_labelled_csv(path, COLUMNS, max_bytes=MAX_BYTES, exact=True)
    return (_entry(path, row) for row in rows if any(row.values.values()))


def _entry(path: Path, row: LabelledRow) -> GlossaryEntry:
    term, language, text = map(row.values.__getitem__, COLUMNS)
    if not term or not language:
        hint = "For example: 红色,zh,red or jumper,en,sweater|pullover."
        raise bad_line(path, row.line, "no term, or no language", hint)
    replacements = tuple(part.strip() for part in text.split("|") if part.strip())
    if max(map(len, (term, *replacements))) > MAX_TERM:
        raise bad_line(path, row.line, f"longer than {MAX_TERM} characters", "Give single words and short names.")
    return GlossaryEntry(term, language.lower(), replacements)
