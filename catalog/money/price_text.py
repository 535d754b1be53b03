"""Take the text of a price apart: its number, its currency, and words around them ("ab 12,90 €/Stk.", "CHF 12.-").

The words are in `price_words.csv`: fillers that say nothing of the amount, joiners of a unit ("per", "/"), words of a
range ("10 to 20"), and texts that stand for no price ("N/A") or a price on request. Any other word makes the text bad.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from catalog.errors import BadRow
from catalog.money.amounts import DECIMAL_MARK, Number, plain_text, read_number
from catalog.money.currencies import MARKS, CurrencyMark, fold_mark

_TABLE = Path(__file__).with_name("price_words.csv")
MAX_PRICE = 100  # characters; the pattern would look at a longer text more than once
EXAMPLE = "write it like 12.90 EUR"
FILLER, PER, RANGE, NOTHING, REQUEST = "filler", "per", "range", "nothing", "request"

_SYMBOLS = "€£$¥₺₽₩₹₪₴₫฿₱₦₸₾"
# Most prices; they need no look at every character.
_COMMON = re.compile(r"(?:([€$£]|[A-Z]{3})[ \u00a0]?)?([0-9][0-9.,]{0,40})(?:[ \u00a0]?([€$£]|[A-Z]{3}))?")
_NUMBER = re.compile(
    rf"(?P<before>[^0-9]*?)(?P<number>(?:(?:(?<=[\s(\[{_SYMBOLS}])|\A)[.,])?[0-9](?:[0-9.,:' {DECIMAL_MARK}]*[0-9])?)"
    r"(?P<round>\s?[.,:]\s?[-=]{1,2}(?!\s?[0-9])|[.,](?=[\s)\]]|\Z))?(?P<after>.*)",
    re.DOTALL,
)
_MINUS = re.compile(r"(?<![^\W\d_])-|-(?![^\W\d_])")  # no hyphen
_BETWEEN = re.compile(rf"([0-9])\s?([{_SYMBOLS}])([0-9]{{2}})(?![0-9.,])")  # 12€90
_UNIT = re.compile(r"\s*(?:[0-9]{1,4}\s?)?[^\W\d_]{1,14}(?:\.|[23²³](?![0-9]))?")
_PASSED = " \t\r\n:;()[]*."
# First and last characters: compiling a pattern of them takes 3 ms.
_UNSPACED = (("\u0e00", "\u0eff"), ("\u2e80", "\u9fff"), ("\uac00", "\ud7af"), ("\uf900", "\ufaff"))


class PriceText(NamedTuple):
    """The parts of a price's text: the number, None where the text says that there is none; the currency mark, the
    text of it; and whether the number is the lower end of a range."""

    number: Number | None
    currency: CurrencyMark | None = None
    mark: str = ""
    is_range: bool = False


class _Words(NamedTuple):
    marks: tuple[tuple[str, CurrencyMark], ...]
    upper: str  # the rest of the text from the upper end of a range on; "" without one


def take_apart(text: str) -> PriceText:
    """Return the parts of a price's text. Raises BadRow when it is malformed or negative."""
    if (common := _COMMON.fullmatch(text)) is not None:
        mark = (common[1] or common[3] or "").lower()
        number = read_number(common[2])
        if number is not None and (not mark or mark in MARKS) and not (common[1] and common[3]):
            return PriceText(number, MARKS.get(mark), mark)
    return _parse(text)


@lru_cache(maxsize=4096)
def _parse(text: str) -> PriceText:
    shown = f"bad price {text[:40]!r}"
    if len(text) > MAX_PRICE:
        raise BadRow(f"{shown}: {EXAMPLE}")
    plain = " ".join(fold_mark(text).split())
    if plain in _KINDS[NOTHING] or plain in _KINDS[REQUEST]:
        return PriceText(None)
    found = _NUMBER.fullmatch(_BETWEEN.sub(rf"\1{DECIMAL_MARK}\3\2", plain))
    if found is None:
        raise BadRow(f"{shown}: {EXAMPLE}")
    before, after = found["before"], found["after"]
    if _is_negative(before, after):
        raise BadRow(f"{shown}: it is negative")
    number = read_number(found["number"])
    left, right = _scan(before, leading=True), _scan(after, leading=False)
    if number is None or left is None or right is None:
        raise BadRow(f"{shown}: {EXAMPLE}")
    mark, currency = _agreed([*left.marks, *right.marks], shown)
    if not right.upper:
        return PriceText(number, currency, mark)
    upper = take_apart(right.upper)
    if upper.number is None or upper.is_range or upper.number.value <= number.value:
        raise BadRow(f"{shown}: {EXAMPLE}")
    marks = [(part, marked) for part, marked in ((mark, currency), (upper.mark, upper.currency)) if marked]
    mark, currency = _agreed(marks, shown)
    return PriceText(number, currency, mark, is_range=True)


def mark_at(text: str, place: int) -> tuple[str, CurrencyMark] | None:
    """Return the currency mark at a place of a folded text and what it stands for; None when none stands there."""
    word = _longest(text, place)
    return None if word is None or word not in MARKS else (word, MARKS[word])


def is_placeholder(text: str) -> bool:
    """Tell whether a text says that there is no value: "N/A", "-", "null"."""
    return " ".join(fold_mark(text).split()) in _KINDS[NOTHING]


def _is_negative(before: str, after: str) -> bool:
    in_brackets = before.lstrip().startswith("(") and ")" not in before and after.rstrip().endswith(")")
    return in_brackets or _MINUS.search(before) is not None or re.match(r"\s?-(?!\s?[0-9€£$])", after) is not None


def _agreed(marks: list[tuple[str, CurrencyMark]], shown: str) -> tuple[str, CurrencyMark | None]:
    """Return the currency that all marks of a text allow. Raises BadRow when none does."""
    if not marks:
        return "", None
    codes = frozenset.intersection(*(mark.codes for _, mark in marks))
    if not codes:
        raise BadRow(f"{shown}: it names two currencies, {marks[0][0]} and {marks[-1][0]}")
    usual = [mark.usual for _, mark in marks if mark.usual in codes]
    named = [mark.usual for _, mark in marks if mark.codes == {mark.usual}]
    return marks[0][0], CurrencyMark(codes, (named or usual or [""])[0] if len(codes) > 1 else min(codes))


@lru_cache(maxsize=4096)
def _scan(text: str, leading: bool) -> _Words | None:
    """Return what stands before (`leading`) or behind a number; None when a word of it is not known."""
    place = 0
    marks: list[tuple[str, CurrencyMark]] = []
    while place < len(text):
        if text[place] in _PASSED:
            place += 1
            continue
        word = _longest(text, place)
        if word is None:
            return None
        kinds = _KINDS_OF.get(word, ())
        place += len(word)
        if not leading and RANGE in kinds and re.search("[0-9]", text[place:]):
            return _Words(tuple(marks), text[place:].strip())
        if not leading and PER in kinds:
            unit = _UNIT.match(text, place)
            if unit is None:
                return None
            place = unit.end()
        elif word in MARKS and not (leading and kinds):  # Italy's "da 12,90" is no Algerian dinar
            marks.append((word, MARKS[word]))
        elif not kinds or not {FILLER, PER}.intersection(kinds):
            return None
    return _Words(tuple(marks), "")


def _longest(text: str, place: int) -> str | None:
    """Return the longest known word at a place that ends where a word can end."""
    for end in range(min(len(text), place + _LONGEST.get(text[place : place + 1], 0)), place, -1):
        word = text[place:end]
        if word not in MARKS and word not in _KINDS_OF:
            continue
        following = text[end : end + 1]
        if not (word[-1].isalpha() and following.isalpha()) or _is_unspaced(word[-1]) or _is_unspaced(following):
            return word
    return None


def _is_unspaced(char: str) -> bool:
    """Tell whether a character is of a script without spaces between words."""
    return any(start <= char <= end for start, end in _UNSPACED)


def _rows() -> Iterator[tuple[str, str]]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for word in filter(None, row["words"].split("|")):
                yield row["kind"], " ".join(plain_text(word).casefold().split())


_KINDS: dict[str, set[str]] = {}  # words by kind
_KINDS_OF: dict[str, set[str]] = {}  # kinds by word, of those that stand around a number
for _kind, _word in _rows():
    _KINDS.setdefault(_kind, set()).add(_word)
    if _kind in (FILLER, PER, RANGE):
        _KINDS_OF.setdefault(_word, set()).add(_kind)
_LONGEST: dict[str, int] = {}  # length of the longest word by its first character
for _word in (*MARKS, *_KINDS_OF):
    _LONGEST[_word[0]] = max(len(_word), _LONGEST.get(_word[0], 0))
