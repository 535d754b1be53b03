"""Read from the changes of one product what it cost at a moment, and the lowest price of a time.

Prices are compared in one currency only: what stands before a change of currency is not compared. A price of zero or
None is no price. A product that is out of stock or absent is not offered.

The lowest price before a reduction is that of Directive 98/6/EC, article 6a ("Omnibus"): the lowest one that was
applied in at least 30 days before a reduction that is announced. A further reduction of one that is in force is
compared with the prices before the first. A rise ends that: the directive exempts only a reduction that progressively
increases, so what the product costs after the rise is compared with the lower price before it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class Reduction:
    """The price reduction that is announced now: since when, in unix seconds, and what was the lowest price before it.

    `lowest` is that of the days before, None where the product was not offered in them as far as the history says. Then
    `missing` says why: it was `not_offered` in these days; its history in any currency begins later, `no_record`; or it
    had a price in another currency, `other_currency`.
    """

    began: int
    currency: str
    lowest: LowestPrice | None
    missing: Literal["not_offered", "no_record", "other_currency", ""] = ""


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
    for change, begin, stop in _spans_back(reversed(changes), end):
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
    reduction = announced_reduction(reversed(changes), now, days)
    return None if reduction is None else reduction.lowest


def announced_reduction(newest_first: Iterable[PriceChange], now: int, days: int = REDUCTION_DAYS) -> Reduction | None:
    """Return the reduction that a product is on sale with at `now`; None when it is not on sale.

    It goes on as long as the product was on sale and its price did not rise. It is no interruption to be out of stock,
    or to be absent or without a price for at most `days`; a price while it is out of stock is none that could rise.
    No change is read but those since the beginning of these days, and the one before them.
    """
    changes, read = iter(newest_first), list[PriceChange]()
    began = _reduced_since(_noted(changes, read), now, days)
    if began is None:
        return None
    start = began.at - days * DAY_S
    while read[-1].at > start and (older := next(changes, None)) is not None:
        read.append(older)
    lowest = lowest_between(read[::-1], start, began.at, began.currency)
    if lowest is not None:
        return Reduction(began.at, began.currency, lowest)
    if any(change.present and has_price(change) and change.currency != began.currency for change in read):
        return Reduction(began.at, began.currency, None, "other_currency")
    return Reduction(began.at, began.currency, None, "not_offered" if read[-1].at <= start else "no_record")


def _reduced_since(newest_first: Iterator[PriceChange], now: int, days: int) -> PriceChange | None:
    """Return the change that a reduction began with; None when the product is not on sale."""
    newest = next(newest_first, None)
    if newest is None:
        return None
    began: PriceChange | None = None
    price = newest.price  # the newest: no older one of the same reduction is lower
    for change, begin, stop in _spans_back(itertools.chain([newest], newest_first), max(now, newest.at + 1)):
        if begin == stop:
            continue
        if change.present and reduced_from(change.price, change.list_price) is not None:
            if began is not None and change.currency != began.currency:
                break
            if is_offer(change):
                if began is not None and change.price < price:  # type: ignore[operator]
                    break
                price = change.price
            began = change
        elif began is None or (change.present and has_price(change)) or stop - begin > days * DAY_S:
            break
    return began


def _noted(changes: Iterator[PriceChange], read: list[PriceChange]) -> Iterator[PriceChange]:
    """Yield changes, and add each to those that were read."""
    for change in changes:
        read.append(change)
        yield change


def _spans_back(newest_first: Iterable[PriceChange], end: int) -> Iterator[tuple[PriceChange, int, int]]:
    """Yield each change that began before `end`, the newest first, and from when to when it was in force."""
    stop = end
    for change in newest_first:
        if change.at < end:
            yield change, change.at, stop
            stop = change.at
