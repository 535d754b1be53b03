"""Find the amounts of money in what a shopper typed, in digits or Chinese numerals, and the words of price limits.

The words are in `price_words.csv`. A number with a unit ("60 cm", "10人") or a thing that is counted ("10 people") is
no amount, unless it has a currency too. "Not money" are marks of currencies that mean something else to a shopper.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from catalog.money.amounts import THOUSANDTHS, plain_character, read_number
from catalog.money.currencies import MARKS, CurrencyMark, decimals_of
from catalog.money.price_text import mark_at
from catalog.text.numerals import MULTIPLIERS, NUMERALS, read_numerals
from catalog.text.quantities import quantity_end

_TABLE = Path(__file__).with_name("price_words.csv")
_MAX_AMOUNTS = 12  # numbers of a text that are looked at
_WINDOW = 40  # characters before an amount that are looked at for one word
_MAX_MARK = 8  # characters of a currency before a number

BELOW, UP_TO, ABOVE, FROM = "below", "up to", "above", "from"  # kinds of words before an amount
LIMIT = "limit"  # any of them

HAN = "\u2e80-\u9fff\uf900-\ufaff"
_HAN_START = re.compile(f"[{HAN}]")
_HAS_NUMBER = re.compile(rf"\d|[{NUMERALS}]")
_NUMBER = re.compile(rf"(?<![\w.])[0-9]+(?:[.,'· ][0-9]+)*|(?<=[{HAN}])[0-9]+(?:[.,'· ][0-9]+)*|[{NUMERALS}]+")
_SPACING = " :："
_ROUND = re.compile(r"[.,]-{1,2}(?![0-9])")
_THOUSAND = re.compile("k(?![a-z0-9])")
_KARATS = frozenset({8, 9, 10, 14, 18, 20, 21, 22, 23, 24})  # "18k" is gold
_RANGE_START = re.compile(rf"[到至~-][{NUMERALS}]")  # 三百到五百元
_SPACES = re.compile(r"\s*")
_SIGNS = re.compile(r"[<>~]|[0-9$] ?- ?[$0-9]|[0-9] and [$0-9]|[0-9] to ")
_INCHES = re.compile(r"\s*in\s+(?!height|width|length|diameter)\w")


class Amount(NamedTuple):
    """An amount from `start` to `end` of a text, with its currency if it has one."""

    start: int
    end: int
    value: float
    mark: CurrencyMark | None


def plain_query(text: str) -> str | None:
    """Return a text in lower case and plain digits, each character in its place; None when it cannot have a limit."""
    if not _HAS_NUMBER.search(text):
        return None
    if text.isascii():
        plain = text.lower()
        words = plain.replace(",", " ").split()
        return None if _SIGNALS.isdisjoint(words) and not _SIGNS.search(plain) else plain
    plain = "".join(map(_same_length, text)).lower()
    return plain if len(plain) == len(text) else None  # the lower case of some letters is two


def _same_length(character: str) -> str:
    plain = plain_character(character)
    return plain if len(plain) == 1 else character


def read_amounts(plain: str) -> list[Amount]:
    """Return the first numbers of a plain text that may be amounts of money."""
    return list(islice(_amounts(plain), _MAX_AMOUNTS))


def _amounts(plain: str) -> Iterator[Amount]:
    for found in _NUMBER.finditer(plain):
        for end in (found.end(), *([found.start() + found[0].index(" ")] if " " in found[0] else [])):
            amount = _amount(plain, found.start(), end)
            if amount is not None:
                yield amount
                break


def _amount(plain: str, start: int, end: int) -> Amount | None:
    digits = plain[start:end]
    number = read_number(digits) if digits[0].isascii() else None
    value = read_numerals(digits) if number is None else number.value
    if value is None or re.match(r" ?[0-9]", plain[end:]):
        return None
    if rounding := _ROUND.match(plain, end):
        end = rounding.end()
    if plain[end : end + 1] in MULTIPLIERS and not re.match("千[克瓦米]", plain[end:]):
        value, end = value * MULTIPLIERS[plain[end]], end + 1
    first, before = _mark_before(plain, start)
    if _THOUSAND.match(plain, end) and (
        before or _mark_after(plain, end + 1)[1] or (value < 100 and value not in _KARATS)
    ):
        value, end = value * 1000, end + 1  # $1k, 1.5k dollars, 2k
    last, after = _mark_after(plain, end)
    marks = [mark for mark in (before, after) if mark is not None]
    codes = frozenset.intersection(*(mark.codes for mark in marks)) if marks else frozenset()
    if marks and not codes:
        return None
    if number is None and not marks and not _RANGE_START.match(plain, end):  # 十 is part of too many words
        return None
    mark = CurrencyMark(codes, next((m.usual for m in marks if m.usual in codes), "")) if marks else None
    if number is not None and number.grouped is not None:  # no limit has thousandths, but where the currency has
        fine = codes and min(map(decimals_of, codes)) >= THOUSANDTHS
        value = value if fine else value * 10**THOUSANDTHS
    if mark is None and _has_unit(plain, start, end):
        return None
    return Amount(first, last, float(value), mark)


def _mark_before(plain: str, start: int) -> tuple[int, CurrencyMark | None]:
    text = plain[:start].rstrip(" ")
    for first in range(max(0, text.rfind(" ") + 1, len(text) - _MAX_MARK), len(text)):
        mark = MARKS.get(text[first:])
        if mark is None or text[first:] in _NOT_MONEY:
            continue
        if first == 0 or not (text[first].isalpha() and text[first - 1].isalpha() and text[first].isascii()):
            return first, mark
    return start, None


def _mark_after(plain: str, end: int) -> tuple[int, CurrencyMark | None]:
    place = past(_SPACES, plain, end)
    found = mark_at(plain, place)
    if found is None or found[0] in _NOT_MONEY:
        return end, None
    return place + len(found[0]), found[1]


def _has_unit(plain: str, start: int, end: int) -> bool:
    """Tell whether a number is followed by a unit, a thing that is counted, another side, or is part of a code."""
    rest = plain[end:]
    if rest[:1].isalnum() and not _HAN_START.match(rest):
        return True
    if _NOUN.match(rest):
        return True
    unit = plain[end : quantity_end(plain, start)].strip()
    return bool(unit) and not (unit == "in" and _INCHES.match(rest))


def _words() -> dict[str, list[str]]:
    words: dict[str, list[str]] = {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words.setdefault(row["kind"], []).extend(filter(None, row["words"].split("|")))
    return words


def word_before(plain: str, end: int, kind: str) -> int | None:
    """Return where the word of a kind begins that ends at a place, but for spaces and a colon; None without one."""
    text = plain[max(0, end - _WINDOW) : end].rstrip(_SPACING)
    words, longest = _ENDINGS[kind]
    for length in range(min(len(text), longest), 0, -1):
        word = text[-length:]
        if word in words:
            before = text[-length - 1 : -length]
            if not (word[0].isascii() and word[0].isalnum() and (before.isalnum() or before == "_")):
                return max(0, end - _WINDOW) + len(text) - length
    return None


def limit_kind(plain: str, start: int, end: int) -> str:
    """Return the kind of the limit's word that stands between two places."""
    return _LIMIT_KINDS[plain[start:end].rstrip(_SPACING)]


def any_of(kind: str) -> str:
    """Return a pattern of the words of a kind, the longest first; a Latin word is no part of a longer one."""
    ordered = sorted(_WORDS[kind], key=len, reverse=True)
    return (
        "(?:"
        + "|".join(
            (r"(?<![^\W_])" if word[0].isascii() and word[0].isalnum() else "")
            + re.escape(word).replace(r"\ ", r"\s+")
            + (r"(?![^\W\d_])" if word[-1].isascii() and word[-1].isalpha() else "")
            for word in ordered
        )
        + ")"
    )


def past(pattern: re.Pattern[str], plain: str, place: int) -> int:
    """Return where a match of the pattern at a place ends; the place itself without one."""
    found = pattern.match(plain, place)
    return place if found is None else found.end()


_WORDS = _words()
_LIMIT_KINDS = {word: kind for kind in (BELOW, UP_TO, ABOVE, FROM) for word in _WORDS[kind]}
_ENDINGS = {
    kind: (frozenset(words), max(map(len, words))) for kind, words in (*_WORDS.items(), (LIMIT, [*_LIMIT_KINDS]))
}
_NOT_MONEY = frozenset(_WORDS["not money"])
# First words of limits in ASCII; a text without any of them has none.
_SIGNALS = frozenset(
    form
    for kind in ("below", "up to", "above", "from", "between", "most", "least")
    for word in _WORDS[kind]
    for form in (word.split()[0], word.split()[0] + ":", "(" + word.split()[0])
    if word.isascii()
)
_NOUN = re.compile(rf"[\s-]*{any_of('noun')}")
