"""Read numbers as people write them: "1,299.00", "1.299,00", "1'299.–", "1 299", "1,00,000", in digits of any script.

Exactly three digits behind one point or comma may be thousandths or a group of thousands. `read_number` returns both
readings; `catalog.money.habits` decides.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

MAX_WHOLE_DIGITS = 12
_MAX_DECIMALS = 20  # a float has up to seventeen
_MAX_LENGTH = 40  # characters
USUAL_DECIMALS = 2  # of a currency that is not known
THOUSANDTHS = 3  # decimals
FRACTION_DECIMALS = 4  # kept of an amount below a tenth: a screw may cost 0.0125
_TENTH = Decimal("0.1")

DECIMAL_MARK = "·"  # a mark that can only be decimal
_CHARACTERS = {
    **dict.fromkeys("’‘‛ʼʻ′`´＇٬", "'"),
    **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
    **dict.fromkeys("،﹐，⹁、", ","),
    **dict.fromkeys("。．﹒", "."),
    "٫": DECIMAL_MARK,
    "‧": DECIMAL_MARK,
}
_TRANSLATED = str.maketrans(_CHARACTERS)
_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_CENTS = re.compile("(?<=[0-9])[⁰¹²³⁴-⁹]{2}(?![⁰¹²³⁴-⁹])")  # 12⁹⁰
_FOOTNOTE = re.compile("(?<=[0-9])[⁰¹²³⁴-⁹](?![⁰¹²³⁴-⁹])")  # 12.90¹

_CENTS_ONLY = re.compile(rf"[0-9]{{1,{MAX_WHOLE_DIGITS}}}(?P<mark>[.,])[0-9]{{1,2}}")
_GROUPED_CENTS = re.compile(
    r"[1-9][0-9]{0,2}(?P<group>[.,' ])[0-9]{3}(?:(?P=group)[0-9]{3}){0,2}(?P<mark>[.,])[0-9]{1,2}"
)
_NO_DIGIT = re.compile("[^0-9]")
_GROUPS = re.compile(
    r"[1-9][0-9]{0,2}(?P<mark>[.,' ])[0-9]{3}(?:(?P=mark)[0-9]{3})*"
    r"|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"  # India counts in lakhs: 12,34,567
)
_DECIMALS = re.compile(rf"(?P<whole>.*?)(?P<mark>[.,:{DECIMAL_MARK}])(?P<decimals>[0-9]*)")
_THREE_DIGITS = re.compile(r"[1-9][0-9]{0,2}(?P<mark>[.,])[0-9]{3}")


class Number(NamedTuple):
    """A number that was read.

    `mark` is its decimal mark, "" for a whole number. When three digits stand behind its only separator, `value` takes
    them for decimals and `grouped` for thousands; else `grouped` is None.
    """

    value: Decimal
    mark: str = ""
    grouped: Decimal | None = None


def plain_text(text: str) -> str:
    """Return the text with ASCII digits, plain spaces, apostrophes and dashes, and without characters nobody sees."""
    if text.isascii():
        return text
    text = _CENTS.sub(lambda cents: DECIMAL_MARK + cents[0].translate(_RAISED), _UNSEEN.sub("", text))
    return "".join(plain_character(character) for character in _FOOTNOTE.sub("", text))


@lru_cache(maxsize=4_096)
def plain_character(character: str) -> str:
    """Return one character as `plain_text` has it: "１" -> "1", "’" -> "'", mostly of one character again."""
    if character.isascii():
        return character
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if unicodedata.category(character) == "No":  # ½ and ① are no digits of a number
        return character
    return unicodedata.normalize("NFKC", character.translate(_TRANSLATED)).translate(_TRANSLATED)


def read_number(text: str) -> Number | None:
    """Read a number that `plain_text` has made plain; None when it is none."""
    text = text.strip()
    if found := _CENTS_ONLY.fullmatch(text):
        return Number(Decimal(text.replace(",", ".")), found["mark"])
    if found := _THREE_DIGITS.fullmatch(text):
        mark = found["mark"]
        return Number(Decimal(text.replace(mark, ".")), mark, Decimal(text.replace(mark, "")))
    if (found := _GROUPED_CENTS.fullmatch(text)) and found["group"] != found["mark"]:
        return Number(Decimal(text.replace(found["group"], "").replace(found["mark"], ".")), found["mark"])
    if len(text) > _MAX_LENGTH:
        return None
    whole = _whole(text)
    if whole is not None:
        return Number(whole)
    found = _DECIMALS.fullmatch(text)
    if found is None or found["mark"] in found["whole"] or len(found["decimals"]) > _MAX_DECIMALS:
        return None
    if found["mark"] == ":" and len(found["decimals"]) != USUAL_DECIMALS:  # as Sweden writes 12:90
        return None
    whole = _whole(found["whole"]) if found["whole"] else Decimal(0)
    if whole is None or not (found["whole"] or found["decimals"]):
        return None
    if not found["decimals"]:
        return Number(whole)
    return Number(Decimal(f"{whole}.{found['decimals']}"), found["mark"])


def _whole(text: str) -> Decimal | None:
    if not text.isdecimal():
        if not _GROUPS.fullmatch(text):
            return None
        text = _NO_DIGIT.sub("", text)
    return Decimal(text) if len(text) <= MAX_WHOLE_DIGITS else None


def number_text(number: float | str) -> str:
    """Return a number of JSON as a text that can be read in one way only: 1.299 -> "1.2990", 1.5e3 -> "1500".

    What JSON calls a number is never grouped. Text that is no number ("NaN") is returned unchanged.
    """
    text = str(number)
    if "." not in text and "e" not in text and "E" not in text:
        return text
    try:
        plain = f"{Decimal(text):f}" if abs(Decimal(text).adjusted()) <= _MAX_LENGTH else text
    except ArithmeticError:
        return text
    _, _, decimals = plain.partition(".")
    return f"{plain}0" if len(decimals) == THOUSANDTHS else plain


def rounded(amount: Decimal, decimals: int | None) -> Decimal:
    """Return an amount without the noise of floats: 19.990000000000002 -> 19.99, 12.900000 -> 12.90.

    `decimals` are those of its currency, None when it is not known: then three digits that were written stay. Digits
    that say something are never cut to less than two, and an amount below a tenth keeps four.
    """
    least = USUAL_DECIMALS if decimals is None else decimals
    written = -int(amount.as_tuple().exponent)
    if written <= least:
        return amount
    most = max(least, USUAL_DECIMALS)
    if decimals is None and -int(amount.normalize().as_tuple().exponent) == THOUSANDTHS:
        most = THOUSANDTHS
    if amount < _TENTH:
        most = max(most, FRACTION_DECIMALS)
    if written > most:
        amount = amount.quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP)
    if not least and amount == amount.to_integral_value():
        return amount.to_integral_value()
    while -int(amount.as_tuple().exponent) > max(least, USUAL_DECIMALS) and not amount.as_tuple().digits[-1]:
        amount = amount.quantize(Decimal(1).scaleb(int(amount.as_tuple().exponent) + 1))
    return amount
