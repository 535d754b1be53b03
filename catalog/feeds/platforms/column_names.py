"""Name a platform's columns by their headers, in the languages that its export is written in."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from catalog.feeds.rows.columns import FIELD_COLUMNS, column_name

_NUMBER = re.compile(r"[0-9]+")


class ColumnNames:
    """The fields of one header's columns; `fields` are those that it has, numbers left out."""

    def __init__(self, table: str, header: Iterable[str]) -> None:
        known = _known_headers(table)
        self._fields: dict[str, str] = {}
        self.fields: set[str] = set()
        for name in header:
            plain = _plain(name)
            number = next(iter(_NUMBER.findall(plain)), "")
            if field := known.get(plain):
                self._fields[name] = field
            elif number and (field := known.get(plain.replace(number, "#"))):
                self._fields[name] = f"{field} {number}"
            if field:
                self.fields.add(field)

    def rename(self, cells: Mapping[str, list[str]]) -> dict[str, str]:
        """Return the first value of each known column by field; a numbered column is "attribute_name 2"."""
        named: dict[str, str] = {}
        for name, values in cells.items():
            if field := self._fields.get(name):
                named.setdefault(field, values[0])
        return named


def words_of(table: str, column: str) -> frozenset[str]:
    """Return the folded words of one column of a table in this folder."""
    with Path(__file__).with_name(table).open(encoding="utf-8", newline="") as file:
        return frozenset(row[column].casefold() for row in csv.DictReader(file))


def field_of(table: str, header: str) -> str:
    """Return the field that a header means in any language of a table; "" for none."""
    return _known_headers(table).get(_plain(header), "")


@lru_cache(maxsize=4096)
def free_name(name: str) -> str:
    """Return the column name of an attribute; "Price" or "Image" must not overwrite the product's own."""
    name = column_name(name[:80])
    return f"option_{name}" if name in FIELD_COLUMNS else name


@cache
def _known_headers(table: str) -> dict[str, str]:
    """Return the field of each header in its plain form; an earlier row of the table takes precedence."""
    known: dict[str, str] = {}
    with Path(__file__).with_name(table).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            known.setdefault(_plain(row["header"]), row["field"])
    return known


def _plain(header: str) -> str:
    """Return a header without case, accents, spaces and signs: spreadsheets and translators change these."""
    letters = unicodedata.normalize("NFKD", header).casefold()
    return "".join(letter for letter in letters if letter.isalnum() or letter == "#")
