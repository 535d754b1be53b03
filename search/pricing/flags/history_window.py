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

    None where it has no price then. Later changes count for nothing, nor do prices before the last change of currency,
    of 0, or while the product was out of stock. The price of a week is the one that was in force longest in it; the
    lowest is the lowest ever in force since the first of the weeks, even for a minute.
    """
    past = [change for change in changes if change.at <= now]
    if not past or not is_offer(past[-1]):
        return None
    first = week_of(now) - LONG
    offers = [*_offers(past, now, week_start(first))][::-1]
    current = float(past[-1].price or 0)
    lowest = min((offer.price for offer in offers if offer.end > week_start(first)), default=current)
    return PriceWindow(
        np.array([current], np.float32),
        np.array([_longest_in_force(offers, first)], np.float32),
        np.array([min(lowest, current)], np.float32),
        np.array([any(offer.start < week_start(first + 1) for offer in offers)]),
    )


def _offers(changes: Sequence[PriceChange], now: int, oldest: int) -> Iterator[_Offer]:
    """Yield the offers in the currency of the last change up to `now`, the newest first.

    They go back to a change of currency, or to one offer that began before `oldest`.
    """
    currency, end = changes[-1].currency, now
    for change in reversed(changes):
        if change.present and has_price(change) and change.currency != currency:
            return
        if change.at < end and is_offer(change):
            yield _Offer(change.at, end, float(change.price or 0))
            if change.at < oldest:
                return
        end = change.at


def _longest_in_force(offers: Sequence[_Offer], first: int) -> list[float]:
    """Return the price in force longest in each of LONG weeks from `first` on, the latest of equals; NaN for none."""
    seconds: list[dict[float, int]] = [{} for _ in range(LONG)]
    for offer in offers:
        for week in range(max(week_of(offer.start), first), min(week_of(offer.end - 1), first + LONG - 1) + 1):
            start, lasted = week_start(week), seconds[week - first]
            overlap = min(offer.end, start + WEEK_S) - max(offer.start, start)
            lasted[offer.price] = lasted.pop(offer.price, 0) + overlap
    return [max(reversed(lasted), key=lasted.__getitem__, default=float("nan")) for lasted in seconds]
