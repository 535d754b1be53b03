"""What is known of a product's price, for pages and the API: values that need no numpy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from catalog.price_history.price_change import PriceChange
from catalog.price_history.readings import LowestPrice
from catalog.product import reduced_from

if TYPE_CHECKING:
    from search.pricing.flags.price_flag import PriceFlag


@dataclass(frozen=True, slots=True)
class OfferedPrice:
    """What a product cost from `at` on, in unix seconds, until the next one.

    `price` is None while nobody could buy it at a price: it was not in the catalogue, out of stock, or its price was
    not known or 0. `list_price` is the price before an announced discount, None without one.
    """

    at: int
    price: Decimal | None = None
    list_price: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedWeek:
    """What a price is expected to be from `start` to `end`, in unix seconds: a range and its middle."""

    start: int
    end: int
    low: Decimal
    middle: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class ExpectedPrices:
    """A forecast of a product's price, as a model made it at `made_at`, for weeks that are not over yet.

    `level` is the share of such ranges that the price should be within. `flat` says that the model expects no change.
    """

    made_at: int
    model: str
    level: float
    flat: bool
    weeks: tuple[ExpectedWeek, ...]


@dataclass(frozen=True, slots=True)
class PricePage:
    """What is known of a product's price.

    `current` is what the catalogue says now, and since when the price is the same, whatever the stock; None of a
    product that it lacks. `offered` is the history, oldest first; `complete` says that no older part was left
    out. `lowest` is the lowest price of the 30 days before the present reduction, None without one.
    """

    product_id: str
    current: PriceChange | None = None
    offered: tuple[OfferedPrice, ...] = ()
    complete: bool = True
    lowest: LowestPrice | None = None
    expected: ExpectedPrices | None = None
    flags: tuple[PriceFlag, ...] = ()


def offered_prices(changes: Iterable[PriceChange]) -> tuple[OfferedPrice, ...]:
    """Return what changed for those who buy, oldest first, beginning with the first price.

    Changes that altered nothing for them are left out, and of several at one second only the last counts.
    """
    found: list[OfferedPrice] = []
    for change in changes:
        offered = _offered(change)
        if found and found[-1].at == offered.at:
            found.pop()
        before = found[-1] if found else OfferedPrice(offered.at)
        if replace(before, at=offered.at) != offered:
            found.append(offered)
    return tuple(found)


def in_last_currency(offered: tuple[OfferedPrice, ...]) -> tuple[OfferedPrice, ...]:
    """Return the last part of a history, from where its prices are all in one currency."""
    priced = [place for place, offer in enumerate(offered) if offer.price is not None]
    if not priced:
        return ()
    currency = offered[priced[-1]].currency
    others = [place for place in priced if offered[place].currency != currency]
    start = next(place for place in priced if not others or place > others[-1])
    return offered[start:]


def _offered(change: PriceChange) -> OfferedPrice:
    price = change.price
    if not change.present or not change.in_stock or price is None or price <= 0:
        return OfferedPrice(change.at)
    return OfferedPrice(change.at, price, reduced_from(price, change.list_price), change.currency)
