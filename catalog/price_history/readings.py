"""Read from the changes of one product what it cost at a moment, and the lowest price of a time.

Prices are compared in one currency only: what stands before a change of currency is not compared. A price of zero or
None is no price. A product that is out of stock or absent is not offered.

The lowest price before a reduction is that of Directive 98/6/EC, article 6a ("Omnibus"): the lowest one that was
applied in at least 30 days before a reduction that is announced. A further reduction of one that is in force is
compared with the prices before the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.price_history.price_change import PriceChange
from catalog.product import reduced_from

DAY_S = 86_400
REDUCTION_DAYS = 30


@dataclass(frozen=True, slots=True)
class LowestPrice:
    """The lowest price of a time; `since` is when it began to be in force, in unix seconds, perhaps before that time.

    `complete` is False when the history in this currency does not reach back to the beginning of that time.
    """

    price: Decimal
    currency: str
    since: int
    complete: bool


def is_offer(change: PriceChange) -> bool:
    """Return whether the product can be bought at a price after a change."""
    return change.present and change.in_stock and has_price(change)


def has_price(change: PriceChange) -> bool:
    """Return whether a change has a price; zero is none."""
    return change.price is not None and change.price > 0


def price_at(changes: Sequence[PriceChange], at: int) -> PriceChange | None:
    """Return the change in force at a moment, None before the first; `changes` begin with the oldest."""
    return next((change for change in reversed(changes) if change.at <= at), None)


def lowest_between(
    changes: Sequence[PriceChange], start: int, end: int, currency: str | None = None
) -> LowestPrice | None:
    """Return the lowest price at which a product was offered from `start` to before `end`, None for no offer.

    Without a currency, that of the last price before `end` counts.
    """
    lowest: PriceChange | None = None
    complete = bool(changes) and changes[0].at <= start
    for change, begin, stop in _spans_back(changes, end):
        if stop <= start:
            break
        if not change.present or not has_price(change) or begin == stop:
            continue
        if currency not in (None, change.currency):
            complete = False
            break
        currency = change.currency
        if is_offer(change) and (lowest is None or change.price < lowest.price):  # type: ignore[operator]
            lowest = change
    if lowest is None or lowest.price is None:
        return None
    return LowestPrice(lowest.price, lowest.currency, lowest.at, complete)


def lowest_before_reduction(changes: Sequence[PriceChange], now: int, days: int = REDUCTION_DAYS) -> LowestPrice | None:
    """Return the lowest price of the days before the present reduction began.

    None when the product is not on sale at `now`, or was not offered in these days as far as the history says.
    """
    began = reduction_began(changes, now, days)
    if began is None:
        return None
    return lowest_between(changes, began - days * DAY_S, began, changes[-1].currency)


def reduction_began(changes: Sequence[PriceChange], now: int, days: int = REDUCTION_DAYS) -> int | None:
    """Return since when a product has been on sale without interruption, in unix seconds; None when it is not.

    It is no interruption to be out of stock, or to be absent or without a price for at most `days`.
    """
    began: PriceChange | None = None
    for change, begin, stop in _spans_back(changes, max(now, changes[-1].at + 1) if changes else now):
        if begin == stop:
            continue
        if change.present and reduced_from(change.price, change.list_price) is not None:
            if began is not None and change.currency != began.currency:
                break
            began = change
        elif began is None or (change.present and has_price(change)) or stop - begin > days * DAY_S:
            break
    return None if began is None else began.at


def _spans_back(changes: Sequence[PriceChange], end: int) -> Iterator[tuple[PriceChange, int, int]]:
    """Yield each change that began before `end`, the newest first, and from when to when it was in force."""
    stop = end
    for change in reversed(changes):
        if change.at < end:
            yield change, change.at, stop
            stop = change.at
