"""Invented past prices of the sample shop: what its products might have cost in the two years before it is opened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from random import Random

HEADER = ("product_id", "time", "price", "list_price", "currency")
WEEKS = 104
FIRST_OF = 3  # of so many products, the first has a past, as have all that are on sale
EARLIER = Decimal("0.9")  # of the present regular price, before it was raised
REDUCED = Decimal("0.8")  # of the regular price, in a promotion
RAISED_WEEK, PAUSE_WEEKS = (35, 70), (8, 20)
ON_SALE_DAYS = 9  # since when what is on sale now is on sale


def past_prices(products: Iterable[Mapping[str, str]], now: datetime) -> Iterator[tuple[str, ...]]:
    """Yield rows as `windowshop prices import` reads them, of rows of the sample's feed; the same for the same `now`.

    The last row of a product says what its feed says.
    """
    for number, product in enumerate(products):
        if product["list_price"] or number % FIRST_OF == 0:
            yield from _past_of(product, now.astimezone(timezone.utc).replace(microsecond=0))


def _past_of(product: Mapping[str, str], now: datetime) -> Iterator[tuple[str, ...]]:
    price, currency = product["price"].split()
    before = product["list_price"].partition(" ")[0]
    regular, random = Decimal(before or price), Random(product["id"])  # noqa: S311 - invented prices are no secret
    raised, promoted = random.randint(*RAISED_WEEK), random.randint(*PAUSE_WEEKS)

    def row(days_ago: float, amount: Decimal, list_price: Decimal | None = None) -> tuple[str, ...]:
        time = (now - timedelta(days=days_ago)).isoformat().replace("+00:00", "Z")
        return (product["id"], time, str(amount), "" if list_price is None else str(list_price), currency)

    usual = _round(regular * EARLIER)
    yield row(7 * WEEKS, usual)
    for week in range(1, WEEKS - 6):  # then it has its regular price for some weeks, as the law compares with them
        days_ago = 7 * (WEEKS - week) - random.random()
        if week == raised:
            usual = regular
            yield row(days_ago, usual)
        elif week == promoted:
            yield row(days_ago, _round(usual * REDUCED), usual)
            promoted += random.randint(*PAUSE_WEEKS)
            if week + 1 != raised:
                yield row(days_ago - 7 * random.choice((0.5, 0.9)), usual)
    if before:
        yield row(ON_SALE_DAYS, Decimal(price), regular)


def _round(amount: Decimal) -> Decimal:
    """Return an amount that ends in 90 cents, at most 1 below."""
    return Decimal(int(amount)) - Decimal("0.10") if amount >= 1 else amount
