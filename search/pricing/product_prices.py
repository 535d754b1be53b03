"""The prices of a shop's products: one door for pages, the API and merchants."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from catalog.money.computed import computed_amount
from catalog.price_history.price_change import PriceChange
from catalog.price_history.price_history import PriceHistory
from catalog.price_history.readings import DAY_S, Reduction, announced_reduction
from catalog.product import Product
from search.pricing.flags.price_flag import PriceFlag, price_flags
from search.pricing.learning.price_models import PriceModels
from search.pricing.price_page import ExpectedPrices, ExpectedWeek, OfferedPrice, PricePage, offered_prices
from search.pricing.series.range_level import LEVEL
from search.pricing.series.weekly_prices import week_start

MAX_DAYS, MAX_READ = 1_096, 3_000  # of a history that pages and flags read: four months of hourly changes


class ProductPrices:
    """What the products of a shop cost: its catalogue's history, and the forecasts that it stores. Threads share it."""

    def __init__(self, history: PriceHistory, models: PriceModels, clock: Callable[[], float] = time.time) -> None:
        self.models = models
        self._history = history
        self._clock = clock

    @property
    def degraded(self) -> tuple[str, ...]:
        """A public sentence where the forecasts cannot be used."""
        return self.models.degraded

    def of(self, product_id: str, since: int = 0) -> PricePage:
        """Return what is known of a product's price; its history from `since` on, in unix seconds.

        The price in force at `since` comes first. Of a long history only the newest part is returned.
        Raises StoreError.
        """
        now = int(self._clock())
        (past,) = self._history.read_each([product_id], lambda changes: _past(changes, now)).values()
        if not past.changes:
            return PricePage(product_id)
        offered = offered_prices(past.changes)
        return PricePage(
            product_id=product_id,
            current=past.current,
            offered=_from(offered, since),
            complete=past.whole or since >= past.changes[0].at,
            lowest=None if past.reduction is None else past.reduction.lowest,
            flags=self._flags(product_id, past.changes, now),
            expected=self._expected(product_id, offered[-1], now) if offered else None,
        )

    def expected(self, product: Product) -> ExpectedPrices | None:
        """Return the forecast of a product's price alone, without its history; None without one that holds."""
        if not product.in_stock or product.price is None or product.price <= 0:
            return None
        now = int(self._clock())
        return self._expected(product.id, OfferedPrice(now, product.price, None, product.currency), now)

    def reductions(self, product_ids: Sequence[str]) -> dict[str, Reduction]:
        """Return the present reduction of each product that has one, with the lowest price of the 30 days before it.

        Raises StoreError.
        """
        now = int(self._clock())
        found = self._history.read_each(product_ids, lambda changes: announced_reduction(changes, now))
        return {product_id: reduction for product_id, reduction in found.items() if reduction is not None}

    def _flags(self, product_id: str, changes: Sequence[PriceChange], now: int) -> tuple[PriceFlag, ...]:
        """Return what is said of a product's price, with how often that was right in this shop."""
        last = changes[-1]
        if last.price is None:
            return ()
        waits = self.models.waits(product_id, currency=last.currency, price=float(last.price), now=now)
        return price_flags(changes, now, self.models.flags.precisions, waits)

    def _expected(self, product_id: str, offer: OfferedPrice, now: int) -> ExpectedPrices | None:
        """Return the stored forecast of a product that can be bought; None without one that holds."""
        if offer.price is None:
            return None
        stored = self.models.forecast(product_id, currency=offer.currency, price=float(offer.price), now=now)
        if stored is None:
            return None
        weeks = (
            ExpectedWeek(
                week_start(week.week),
                week_start(week.week + 1),
                *(
                    computed_amount(amount, offer.currency, [offer.price])
                    for amount in (week.low, week.middle, week.high)
                ),
            )
            for week in stored.weeks
        )
        return ExpectedPrices(stored.made_at, stored.model, LEVEL, stored.flat, tuple(weeks))


def _from(offered: tuple[OfferedPrice, ...], since: int) -> tuple[OfferedPrice, ...]:
    """Return what was offered from `since` on; the offer in force then comes first."""
    later = next((place for place, offer in enumerate(offered) if offer.at > since), len(offered))
    return offered[max(later - 1, 0) :]


@dataclass(frozen=True, slots=True)
class _Past:
    """What is read of a product's history: `changes`, oldest first, are those of MAX_DAYS, but no more than MAX_READ.

    `whole` says that there are no others. The present price and reduction are read as far back as they reach.
    """

    changes: tuple[PriceChange, ...]
    whole: bool
    current: PriceChange | None
    reduction: Reduction | None


def _past(newest_first: Iterator[PriceChange], now: int) -> _Past:
    """Read the history of a product, in one pass."""
    for_changes, for_current, for_reduction = itertools.tee(newest_first, 3)
    changes: list[PriceChange] = []
    for change in for_changes:
        changes.append(change)
        if change.at <= now - MAX_DAYS * DAY_S or len(changes) == MAX_READ:
            break
    whole = next(for_changes, None) is None
    reduction = announced_reduction(for_reduction, now)
    return _Past(tuple(reversed(changes)), whole, _current(for_current), reduction)


def _current(newest_first: Iterator[PriceChange]) -> PriceChange | None:
    """Return the last change as of when the product got its price; None where the product left the catalogue.

    Neither its stock nor its list price matters for that, nor a price that was replaced in the same second.
    """
    last = next(newest_first, None)
    if last is None or not last.present:
        return None
    at = last.at
    for change in newest_first:
        if change.at == at:
            continue
        if not change.present or (change.price, change.currency) != (last.price, last.currency):
            break
        at = change.at
    return replace(last, at=at)
