"""The spans of time in which a product had one price, read from its changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.price_history.price_change import PriceChange

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class PriceSpan:
    """A span of time, [start, end) in unix seconds, in which a product had one price, be it in stock or not."""

    start: int
    end: int
    price: Decimal

    @property
    def seconds(self) -> int:
        """How long the span is."""
        return self.end - self.start


def spans_of(changes: Sequence[PriceChange], now: int) -> tuple[PriceSpan, ...]:
    """Return the spans of the changes (oldest first) until `now`, in the currency of the last one, oldest first.

    A change of currency begins a new comparison, so the spans before it are left out. So is the time without a price,
    with a price of 0, or out of the catalogue. Neighbouring spans of one price are one.
    """
    if not changes:
        return ()
    currency, spans = changes[-1].currency, list[PriceSpan]()
    ends = [*(change.at for change in changes[1:]), max(now, changes[-1].at)]
    for change, end in zip(changes, ends, strict=True):
        if change.currency != currency:
            spans.clear()
        elif change.price and change.price > 0 and change.present and end > change.at:
            last = spans[-1] if spans else None
            if last is not None and last.price == change.price and last.end == change.at:
                spans[-1] = PriceSpan(last.start, end, change.price)
            else:
                spans.append(PriceSpan(change.at, end, change.price))
    return tuple(spans)


def within(spans: Sequence[PriceSpan], start: int, end: int) -> tuple[PriceSpan, ...]:
    """Return the parts of the spans that lie in [start, end)."""
    cut = (PriceSpan(max(span.start, start), min(span.end, end), span.price) for span in spans)
    return tuple(span for span in cut if span.seconds > 0)


def usual_price(spans: Sequence[PriceSpan]) -> Decimal | None:
    """Return the median price, weighted by time; None without spans."""
    half, reached = sum(span.seconds for span in spans) / 2, 0
    for span in sorted(spans, key=lambda span: span.price):
        reached += span.seconds
        if reached >= half:
            return span.price
    return None
