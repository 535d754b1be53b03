"""Read what a message was asked to hold: an order's number, a mail address."""

from __future__ import annotations

import re
import unicodedata

from catalog.text.tokenizer import normalise
from search.assistant.threads.mail_addresses import addresses_in, without_addresses

MAX_NUMBER = 40  # characters
# Between other letters and digits: "order 10482", "#10482", "订单号10482", "WS-2024-001".
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9@.-])#?((?:[A-Za-z]{1,6}-?)?\d[A-Za-z0-9]*(?:-[A-Za-z0-9]+)*)(?![A-Za-z0-9@])", re.ASCII
)
_DIGITS = 4  # at least, of an order's number in a sentence: "2 mugs" has none
_UNIT = re.compile(
    r"\s*(?:(?:cm|mm|m|kg|g|ml|l|eur|euros?|usd|dollars?|pounds?|days?|weeks?|tage|jours|días)\b|[€$£%欧元天厘])",
    re.IGNORECASE,
)
_ORDER_WORDS = re.compile(
    r"order|parcel|purchase|bestell|auftrag|command|colis|pedid|订单|单号|快递|包裹|\b(?:no|nr|number|nummer|numero)\b"
)


def email_in(text: str) -> str:
    """Return the first mail address of a text, "" without one."""
    return next(iter(addresses_in(text)), "")


def order_number_in(text: str, *, wanted: bool = False) -> str:
    """Return the order number in a text, "" without one.

    `wanted`: the customer was asked for it, so that any word with a digit is one, but not "3 days". Else it needs at
    least four digits, no unit behind it, and a word such as "order" in the text.
    """
    rest = without_addresses(text)
    if not wanted and not _ORDER_WORDS.search(normalise(rest)):
        return ""
    for found in _NUMBER.finditer(rest):
        number = found[1]
        long = has_digits(number)
        if len(number) > MAX_NUMBER or not (long or wanted):
            continue
        if (wanted and long) or not _UNIT.match(rest, found.end()):
            return number
    return ""


def has_digits(number: str) -> bool:
    """Return whether a number has as many digits as an order's has in a sentence."""
    return sum(map(str.isdigit, number)) >= _DIGITS


def is_order_number(text: str) -> bool:
    """Return whether a text is nothing but what looks like an order's number; one with 0 before it is a telephone's."""
    text = unicodedata.normalize("NFKC", text).strip()
    found = _NUMBER.fullmatch(text)
    return bool(found) and len(text) <= MAX_NUMBER and has_digits(text) and not text.startswith("0")
