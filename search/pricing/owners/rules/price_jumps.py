"""Prices that jump far away from everything that the same product cost before, such as a slipped decimal point."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from catalog.price_history.price_change import PriceChange
from catalog.product import reduced_from
from search.pricing.owners.rules.price_finding import DECIMAL_POINT, JUMP, PriceFinding
from search.pricing.owners.rules.price_spans import DAY_S, PriceSpan, spans_of, usual_price, within

MIN_FACTOR = 3.0  # prices within this factor of a known price are no jumps
POWERS = (10, 100, 1000)  # factors of a slipped decimal point, or of cents taken for a currency
POWER_TOLERANCE = 0.02  # how far a factor may be from one of them
PAST_DAYS = 365  # which prices are compared
KNOWN_DAYS = 7  # how long a price must have been in force to be known
REPORT_DAYS = 90  # how long a jump is reported: afterwards it is taken to be meant
DECIMAL_CONFIDENCE, JUMP_CONFIDENCE = 0.95, 0.7


def jump_finding(changes: Sequence[PriceChange], now: int) -> PriceFinding | None:
    """Return the jump of the price that is in force at `now`; None without one.

    The price is compared with the nearest one that was in force for seven days of the year before, so that the end of a
    sale or of an error is no jump. Without such a price it is compared with the usual one, if that was seen for seven
    days. In a younger history, a price is a jump only if it is exactly a power of ten of the last one. Where a list
    price announces a fall as a discount, only a slipped decimal point is reported.
    """
    spans = spans_of(changes, now)
    if not spans or spans[-1].end < now or now - spans[-1].start > REPORT_DAYS * DAY_S:
        return None
    last, past = spans[-1], within(spans, spans[-1].start - PAST_DAYS * DAY_S, spans[-1].start)
    known = _known_prices(past)
    if not known and past and _power_of_ten(last.price, past[-1].price, 0):
        known = [span.price for span in past]  # all, so that the correction of a slip is no jump
    if not known:
        return None
    before = min(known, key=lambda price: abs(math.log(last.price / price)))
    if abs(math.log(last.price / before)) < math.log(MIN_FACTOR):
        return None
    slipped = next((price for price in (past[-1].price, *known) if _power_of_ten(last.price, price)), None)
    before = before if slipped is None else slipped
    power = _power_of_ten(last.price, before)
    if last.price < before and not power and _announced(changes[-1], before):
        return None
    factor = float(max(last.price / before, before / last.price))
    facts: dict[str, str | int | float] = {
        "price": str(last.price),
        "before": str(before),
        "since": last.start,
        "factor": round(factor, 2),
        "higher": int(last.price > before),
    }
    if power:
        return PriceFinding(DECIMAL_POINT, DECIMAL_CONFIDENCE, facts | {"power": power})
    return PriceFinding(JUMP, JUMP_CONFIDENCE, facts)


def _known_prices(past: Sequence[PriceSpan]) -> list[Decimal]:
    """Return the prices that were in force for seven days; without any, the usual price of at least seven days."""
    seconds: Counter[Decimal] = Counter()
    for span in past:
        seconds[span.price] += span.seconds
    known = [price for price, length in seconds.items() if length >= KNOWN_DAYS * DAY_S]
    usual = usual_price(past) if seconds.total() >= KNOWN_DAYS * DAY_S else None
    return known or ([] if usual is None else [usual])


def _power_of_ten(price: Decimal, before: Decimal, tolerance: float = POWER_TOLERANCE) -> int:
    """Return the power of ten that the factor between two prices is, or is very near to; 0 for none."""
    high, low = max(price, before), min(price, before)
    return next((power for power in POWERS if abs(float(high / (low * power)) - 1) <= tolerance), 0)


def _announced(change: PriceChange, before: Decimal) -> bool:
    """Return whether a list price near the one before announces the fall as a discount."""
    announced = reduced_from(change.price, change.list_price)
    return announced is not None and announced < before * Decimal(MIN_FACTOR)
