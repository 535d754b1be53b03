"""Tables that people will open in a spreadsheet, where a cell must never run: text from a feed is not ours."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
# The wide forms count too in some spreadsheets; and where a comma is the decimal sign, cells are cut at semicolons.
_FORMULA = re.compile(r"\A(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])")
_MADE_HARMLESS = re.compile(r"\A'(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])'(?=[=+\-@＝＋－＠])")


def escape_formula(text: str) -> str:
    """Return the text with an apostrophe wherever a spreadsheet would take what follows for a formula."""
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub("'", text)


def unescape_formula(text: str) -> str:
    """Return what `escape_formula` made this text of, and any other text as it is.

    What is lost: a text that was written with such an apostrophe, as "'=1", comes back without.
    """
    if "'" not in text:
        return text
    before = _MADE_HARMLESS.sub("", text)
    return before if escape_formula(before) == text else text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table as CSV, every cell made harmless."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([escape_formula(str(cell)) for cell in row] for row in (header, *rows))
    return out.getvalue()
