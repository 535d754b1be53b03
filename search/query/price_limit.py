"""Find the price limit in what a shopper typed: "rug under 1,000", "between 20 and 50 €", "200块以下的灯".

A number with a unit ("under 60 cm", "10人以下") is no limit; one with a currency is. Without either, the words around
decide: "mugs under 20 for a gift" has a limit, "up to 10 people" has none.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from catalog.money.currencies import CurrencyMark
from search.query.filters import PRICE, Between, Filter
from search.query.price_amounts import (
    BELOW,
    FROM,
    HAN,
    LIMIT,
    UP_TO,
    Amount,
    any_of,
    limit_kind,
    past,
    plain_query,
    read_amounts,
    word_before,
)

_MAX_LIMITS = 3
_MAX_LEADS = 4

_COMMAS = (",", ";", "，", "；", "、")
_EDGES = " !?" + "".join(_COMMAS)
_HEART = re.compile(r"<3(?![0-9.,])")
_PARTY = 12  # people: more are hardly counted without saying so
_ADULT = 18  # years: no limit of an age lies higher


@dataclass(frozen=True, slots=True)
class PriceLimit:
    """The least and the most that a product may cost, and the currency mark in the text, which may be unclear."""

    minimum: float | None = None
    maximum: float | None = None
    currency: CurrencyMark | None = None


class _Found(NamedTuple):
    start: int
    end: int
    minimum: float | None
    maximum: float | None
    mark: CurrencyMark | None


def within_limit(narrowed: Filter | None, limit: PriceLimit | None, currency: str = "") -> Filter | None:
    """Add a price limit to a filter, within the price range that it has; return it unchanged without a limit.

    `currency` is that of the bounds, when the filter has none. That of the limit itself is left to `meant_currency`.
    """
    if limit is None:
        return narrowed
    narrowed = narrowed or Filter()
    given = narrowed.on(PRICE)
    given = given if isinstance(given, Between) else Between(PRICE)
    most = min((bound for bound in (limit.maximum, given.maximum) if bound is not None), default=None)
    least = max((bound for bound in (limit.minimum, given.minimum) if bound is not None), default=None)
    if most is not None and least is not None:
        least = min(least, most)
    price = Between(PRICE, least, most, given.currency or currency)
    return Filter((*narrowed.without(PRICE).conditions, price))


def meant_currency(mark: CurrencyMark, known: Collection[str]) -> str:
    """Return which of the shop's currencies a mark means; "" when it has one currency, none of these, or several.

    A limit in a currency that the shop does not have is a limit in its own: nothing converts amounts.
    """
    meant = mark.codes.intersection(known)
    if len(known) < 2 or not meant:
        return ""
    return mark.usual if mark.usual in meant else min(meant) if len(meant) == 1 else ""


def split_price_limit(text: str) -> tuple[str, PriceLimit | None]:
    """Return the text without its price limits, and the limit; the text unchanged and None when it has none."""
    limit = None
    for _ in range(_MAX_LIMITS):
        found = _find(text)
        if found is None:
            break
        known = limit or PriceLimit()
        limit = PriceLimit(
            known.minimum if found.minimum is None else found.minimum,
            known.maximum if found.maximum is None else found.maximum,
            found.mark or known.currency,
        )
        text = _without(text, found)
    if limit is None or None in (limit.minimum, limit.maximum) or (limit.minimum or 0) <= (limit.maximum or 0):
        return text, limit
    return text, PriceLimit(limit.maximum, limit.minimum, limit.currency)


def _without(text: str, found: _Found) -> str:
    """Cut a limit out; a comma next to it stays, because "no stripes" means something else behind one."""
    before, after = text[: found.start].rstrip(), text[found.end :].lstrip()
    if before.endswith("(") and after.startswith(")"):
        before, after = before[:-1].rstrip(), after[1:].lstrip()
    parts = [part for part in (before.rstrip(_EDGES), after.lstrip(_EDGES)) if part]
    return (", " if before[-1:] in _COMMAS or after[:1] in _COMMAS else " ").join(parts)


def _find(text: str) -> _Found | None:
    plain = plain_query(text)
    if plain is None:
        return None
    amounts = read_amounts(plain)
    for place, amount in enumerate(amounts):
        found = _range(plain, amount, amounts[place + 1]) if place + 1 < len(amounts) else None
        if found := found or _before_words(plain, amount) or _after_words(plain, amount):
            return found
    return None


def _before_words(plain: str, amount: Amount) -> _Found | None:
    """Find "under 20", "over 20", "from 20 €"."""
    start = word_before(plain, amount.start, LIMIT)
    if start is None:
        return None
    kind = limit_kind(plain, start, amount.start)
    if _HEART.match(plain, start) or (amount.mark is None and not _is_price(plain, amount, kind, start)):
        return None
    is_most = kind in (BELOW, UP_TO)
    again = (_MOST if is_most else _LEAST).match(plain, amount.end)  # "budget 50 max"
    end = past(_AFTER, plain, again.end() if again else amount.end)
    return _limit(_lead(plain, start), end, amount, is_most)


def _limit(start: int, end: int, amount: Amount, is_most: bool) -> _Found:
    least, most = (None, amount.value) if is_most else (amount.value, None)
    return _Found(start, end, least, most, amount.mark)


def _is_price(plain: str, amount: Amount, kind: str, start: int) -> bool:
    """Tell whether a number without a currency is a price, from the words before its limit and behind it."""
    if kind == FROM or not amount.value or _measures(plain, start, amount.value):
        return False
    if kind == UP_TO and amount.value <= _PARTY and plain[:start].endswith("for "):
        return False  # "tent for up to 6"
    alone = _lead(plain, start) == start and plain[:start].rstrip()[-1:] not in ("", *_COMMAS)
    if alone and _SHORT.match(plain, start):
        return False  # "air max 90"
    return kind == BELOW or _ends_phrase(plain, amount.end)


def _lead(plain: str, start: int) -> int:
    """Return where the words begin that lead up to a limit: "for", "priced", "价格"."""
    for _ in range(_MAX_LEADS):
        before = word_before(plain, start, "lead")
        if before is None:
            break
        start = before
    return start


def _measures(plain: str, end: int, value: float) -> bool:
    """Tell whether the word before a limit makes it a size ("size under 42") or an age ("kids under 5")."""
    if value < _ADULT and word_before(plain, end, "age") is not None:
        return True
    start = word_before(plain, end, "before")
    return start is not None and not re.search("[0-9] $", plain[:start])


def _ends_phrase(plain: str, end: int) -> bool:
    return _FUNCTION.match(plain, end) is not None


def _after_words(plain: str, amount: Amount) -> _Found | None:
    """Find "20 € or less", "50元以上"."""
    found = _MOST.match(plain, amount.end)
    least = None if found else _LEAST.match(plain, amount.end)
    words = found or least
    if words is None or (amount.mark is None and not (_HAN_START.match(words[0].strip()) or " " in words[0].strip())):
        return None
    if amount.mark is None and _measures(plain, amount.start, amount.value):
        return None
    return _limit(_lead(plain, amount.start), past(_AFTER, plain, words.end()), amount, found is not None)


def _range(plain: str, low: Amount, high: Amount) -> _Found | None:
    """Find "between 20 and 50", "20-50 €", "20到50元"."""
    if not _JOINER.fullmatch(plain[low.end : high.start]) or low.value >= high.value:
        return None
    before = word_before(plain, low.start, "between")
    mark = high.mark or low.mark
    if low.mark and high.mark and not low.mark.codes & high.mark.codes:
        return None
    start = _lead(plain, low.start if before is None else before)
    named = before is not None and not plain.startswith(("from", "从", "從", "在"), start)
    if mark is None and not (named and _ends_phrase(plain, high.end)):
        return None
    return _Found(start, past(_AFTER, plain, high.end), low.value, high.value, mark)


_HAN_START = re.compile(f"[{HAN}]")
_JOINER = re.compile(rf"\s*{any_of('joiner')}\s*")
_MOST = re.compile(rf"\s*{any_of('most')}")
_LEAST = re.compile(rf"\s*{any_of('least')}")
_AFTER = re.compile(rf"(?:\s*{any_of('after')})*")
_FUNCTION = re.compile(rf"\s*(?:$|[,;.!?)，。；！？、…]|{any_of('function')}|{any_of('after')}|{any_of('most')})")
_SHORT = re.compile(r"(?:max|min|limit)\b")
