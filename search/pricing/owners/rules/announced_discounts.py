"""Announced discounts that are none: a list price that was never charged, a price that was lower shortly before."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from catalog.price_history.price_change import PriceChange
from catalog.price_history.readings import announced_reduction
from catalog.product import reduced_from
from search.pricing.owners.rules.price_finding import NEVER_CHARGED, NOT_LOWEST, PriceFinding
from search.pricing.owners.rules.price_spans import DAY_S, spans_of, within

PAST_DAYS = 365  # in which the list price should have been charged
KNOWN_DAYS = 30  # of history before anything is said
LIST_PRICE_CONFIDENCE, LOWEST_CONFIDENCE = 0.5, 0.8  # a list price may be one that the maker recommends
TOLERANCE = Decimal("0.005")  # a list price rounded up by so much was charged


def discount_findings(changes: Sequence[PriceChange], now: int) -> tuple[PriceFinding, ...]:
    """Return what is wrong with the discount that is announced at `now`.

    Nothing is said of the list price where the history covers less than 30 days with a price, and of the lowest price
    where it does not reach back to 30 days before the reduction.
    """
    spans = spans_of(changes, now)
    if not spans or spans[-1].end < now:
        return ()
    last = changes[-1]
    list_price = reduced_from(last.price, last.list_price)
    if list_price is None:
        return ()
    year = within(spans, now - PAST_DAYS * DAY_S, now)
    findings = []
    highest = max(span.price for span in year)
    if sum(span.seconds for span in year) >= KNOWN_DAYS * DAY_S and highest < list_price * (1 - TOLERANCE):
        facts: dict[str, Any] = {"list_price": str(list_price), "highest": str(highest), "since": year[0].start}
        findings.append(PriceFinding(NEVER_CHARGED, LIST_PRICE_CONFIDENCE, facts))
    return (*findings, *_not_lowest(changes, now))


def _not_lowest(changes: Sequence[PriceChange], now: int) -> tuple[PriceFinding, ...]:
    """Return the finding where the price is no lower than the lowest of the 30 days before the present reduction.

    The lowest price is the one that the product's page shows with the discount, so that both say the same.
    """
    reduction = announced_reduction(reversed(changes), now)
    lowest, price = None if reduction is None else reduction.lowest, changes[-1].price
    if reduction is None or lowest is None or not lowest.complete or price is None or price < lowest.price:
        return ()
    facts: dict[str, Any] = {
        "price": str(price),
        "lowest": str(lowest.price),
        "lowest_at": lowest.since,
        "since": reduction.began,
    }
    return (PriceFinding(NOT_LOWEST, LOWEST_CONFIDENCE, facts),)
