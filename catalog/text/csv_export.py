"""Write CSV tables whose cells a spreadsheet never takes for formulas, since feeds and shoppers wrote the text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
# The wide forms count too in some spreadsheets; and where a comma is the decimal sign, cells are cut at semicolons.
_FORMULA = re.compile(r"\A(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])")
_ESCAPED = re.compile(r"\A'(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])'(?=[=+\-@＝＋－＠])")


def escape_formula(text: str) -> str:
    """Return the text with an apostrophe before each part that a spreadsheet would take for a formula."""
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub("'", text)


def unescape_formula(text: str) -> str:
    """Reverse `escape_formula`; return any other text as it is.

    A text that had such an apostrophe from the beginning, as "'=1", loses it. Readers of tables drop the blanks
    before a cell, so that such a blank may be missing.
    """
    if "'" not in text:
        return text
    before = _ESCAPED.sub("", text)
    return before if text in (escape_formula(before), escape_formula(f" {before}")[1:]) else text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV, with every cell escaped."""
    out = io.StringIO()
    write_csv(out, (header, *rows))
    return out.getvalue()


def write_csv(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Write rows to a file as CSV, one after another, with every cell escaped."""
    csv.writer(file).writerows([escape_formula(str(cell)) for cell in row] for row in rows)
