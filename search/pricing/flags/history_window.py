"""The prices of a product in the weeks before a moment, from the changes that its history has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.price_history.price_change import PriceChange
from catalog.price_history.readings import has_price, is_offer
from search.pricing.flags.rules import LONG, PriceWindow
from search.pricing.series.weekly_prices import WEEK_S, week_of, week_start


@dataclass(frozen=True, slots=True)
class _Offer:
    """A price at which a product could be bought from `start` to before `end`, unix seconds."""

    start: int
    end: int
    price: float


def window_of_changes(changes: Sequence[PriceChange], now: int) -> PriceWindow | None:
    """Return the window of one product at `now`, unix seconds, from its changes, oldest first.

    None where it has no price then. Later changes count for nothing, nor do prices before the last change
    of currency, of 0, or while the product was out of stock. The price of a week is the one that was in
    force longest in it; the lowest is the lowest ever in force since the first of the weeks, even for a minute.
    """
    past = [change for change in changes if change.at <= now]
    if not past or not is_offer(past[-1]):
        return None
    first = week_of(now) - LONG
    offers = [*_offers(past, now)]
    weeks = [_longest_in_force(offers, week_start(week)) for week in range(first, first + LONG)]
    current = float(past[-1].price or 0)
    lowest = min((offer.price for offer in offers if offer.end > week_start(first)), default=current)
    return PriceWindow(
        np.array([current], np.float32),
        np.array([weeks], np.float32),
        np.array([min(lowest, current)], np.float32),
        np.array([any(offer.start < week_start(first + 1) for offer in offers)]),
    )


def _offers(changes: Sequence[PriceChange], now: int) -> Iterator[_Offer]:
    """Yield the offers in the currency of the last change, after every other currency, up to `now`."""
    currency = changes[-1].currency
    others = [
        place
        for place, change in enumerate(changes)
        if change.present and has_price(change) and change.currency != currency
    ]
    start = others[-1] + 1 if others else 0
    ends = [*(change.at for change in changes[1:]), now]
    for change, end in zip(changes[start:], ends[start:], strict=True):
        if change.at < end and is_offer(change):
            yield _Offer(change.at, end, float(change.price or 0))


def _longest_in_force(offers: Sequence[_Offer], start: int) -> float:
    """Return the price that was in force longest in the week from `start` on, the latest of equals; NaN without one."""
    seconds: dict[float, int] = {}
    for offer in offers:
        lasted = min(offer.end, start + WEEK_S) - max(offer.start, start)
        if lasted > 0:
            seconds[offer.price] = seconds.pop(offer.price, 0) + lasted
    return max(reversed(seconds), key=seconds.__getitem__, default=float("nan"))
