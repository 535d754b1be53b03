"""Words that the checks of generated answers know: numbers, units, terms that must be stated, yes and no, negations."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from catalog.text.scripts import unspaced

_FOLDER = Path(__file__).parent
YES_NO, NEGATION, INSTRUCTION, SECRET = "yes_no", "negation", "instruction", "secret"
UNIT, TERM = "unit", "term"


@cache
def pattern(kind: str) -> re.Pattern[str]:
    """Return a pattern of all forms of a kind of wording, in every language."""
    return _any_of(form for row in _rows("wordings.csv") if row["kind"] == kind for form in row["forms"].split("|"))


@cache
def names(kind: str) -> dict[str, str]:
    """Return the name of each form of the units or terms, forms in small letters."""
    rows = [row for row in _rows("terms.csv") if row["kind"] == kind]
    return {form.lower(): row["name"] for row in rows for form in row["forms"].split("|")}


@cache
def term_pattern() -> re.Pattern[str]:
    """Return a pattern of all forms of terms that an answer may only have where the passages have them."""
    return _any_of(names(TERM))


@cache
def unit_pattern() -> re.Pattern[str]:
    """Return a pattern of the forms of units, to be matched at a place of a text."""
    return re.compile(r"\s{0,2}[-–]?\s{0,2}(" + _alternatives(names(UNIT)) + ")", re.IGNORECASE)


@cache
def number_words() -> dict[str, str]:
    """Return the number that each number word stands for, words in small letters."""
    return {word.lower(): row["value"] for row in _rows("number_words.csv") for word in row["words"].split("|")}


@cache
def number_word_pattern() -> re.Pattern[str]:
    """Return a pattern of number words; a Chinese one only before a unit."""
    words = number_words()
    spaced = _alternatives([word for word in words if not unspaced(word)])
    chinese = _alternatives([word for word in words if unspaced(word)])
    units = _alternatives([form for form in names(UNIT) if unspaced(form)])
    return re.compile(rf"({spaced})|((?:{chinese})(?=(?:个)?(?:{units})))", re.IGNORECASE)


def _rows(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _any_of(forms: object) -> re.Pattern[str]:
    return re.compile(_alternatives(forms), re.IGNORECASE)


def _alternatives(forms: object) -> str:
    """Return alternatives, the longest first; a form in letters with spaces between words is a whole word."""
    listed = sorted(map(str, forms), key=len, reverse=True)  # type: ignore[call-overload]
    return "|".join(_whole(form) for form in listed)


def _whole(form: str) -> str:
    escaped = re.escape(form)
    if unspaced(form) or not form[0].isalnum():
        return escaped
    return rf"(?<!\w){escaped}(?!\w)"
