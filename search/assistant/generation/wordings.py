"""Words that the checks of generated answers know: numbers, units, terms that must be stated, yes and no, negations."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from catalog.text.scripts import unspaced

_FOLDER = Path(__file__).parent
YES_NO, NEGATION, INSTRUCTION, SECRET = "yes_no", "negation", "instruction", "secret"
EXCEPTION = "exception"
UNIT, TERM, ONE_SENTENCE = "unit", "term", "one sentence"
_JOINED = r"(?:\s?[-–]\s?|\s{1,2}(?:(?:and|und|et|y)\s{1,2})?)"
_CHINESE = "[一二三四五六七八九十百千万两零半几数壹贰叁肆伍陆柒捌玖拾佰]"
_TENS = "zwanzig|drei(?:ß|ss)ig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig|hundert|tausend"


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
def sentence_term_pattern() -> re.Pattern[str]:
    """Return a pattern of who does something and of "below", "from": a sentence has them where its passage has."""
    return _any_of(names(ONE_SENTENCE))


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
    """Return a pattern of number words; a Chinese one, and "one" or "a", only before a unit."""
    words = number_words()
    ones = _alternatives([word for word in words if words[word] == "1" and not unspaced(word)])
    spaced = _alternatives([word for word in words if words[word] != "1" and not unspaced(word)])
    chinese = _alternatives([word for word in words if unspaced(word)])
    units = _alternatives([form for form in names(UNIT) if unspaced(form)])
    before_unit = rf"(?:{ones})(?={unit_pattern().pattern})"
    return re.compile(rf"({spaced})|((?:{chinese})(?=(?:个)?(?:{units})))|({before_unit})", re.IGNORECASE)


@cache
def unknown_number_pattern() -> re.Pattern[str]:
    """Return a pattern of numbers whose value the table does not have: "thirty-two", "einunddreißig", "½", "XXX"."""
    words = [word for word in number_words() if not unspaced(word)]
    several = _alternatives([word for word in words if number_words()[word] != "1"])
    units = _alternatives([form for form in names(UNIT) if unspaced(form)])
    forms = (
        rf"(?:{several}){_JOINED}(?:{_alternatives(words)}|\w+(?=ième))",
        rf"(?<!\w)(?:\w{{2,20}}(?:{_TENS})\w{{0,20}}|(?:hundert|tausend)\w{{2,20}})(?!\w)",
        rf"{_CHINESE}{{2,9}}(?=个?(?:{units}))",
        "[\u00bc-\u00be\u2150-\u218b\u2460-\u249b\u3220-\u3229]",
        r"(?<!\w)(?-i:[IVXLCDM]{2,9})(?!\w)",
    )
    return re.compile("|".join(forms), re.IGNORECASE)


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
