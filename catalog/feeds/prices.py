"""Parse amounts and currencies as merchants write them, and compute the current price of a product on sale."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal

from catalog.errors import BadRow
from catalog.feeds.rows.row import first

LIST_PRICE = "list_price"

_SYMBOLS = {"€": "EUR", "£": "GBP", "$": "USD"}
_PRICE = re.compile(r"([A-Z]{3}|[€£$])?\s*(-?)\s*([0-9][0-9.,' \u00a0\u202f]*?)\s*([A-Z]{3}|[€£$])?", re.IGNORECASE)
_MAX_PRICE = 100  # characters; the pattern would look at a longer text more than once
# How an amount may be written, and its decimal mark; the first pattern that fits counts.
_AMOUNTS = (
    (re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?"), "."),
    (re.compile(r"[0-9]{1,12},[0-9]{1,2}"), ","),
    (re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3}){1,4}(\.[0-9]{1,4})?"), "."),
    (re.compile(r"[1-9][0-9]{0,2}([ '\u00a0\u202f][0-9]{3}){1,4}(\.[0-9]{1,4})?"), "."),
    (re.compile(r"[1-9][0-9]{0,2}([. '\u00a0\u202f][0-9]{3}){1,4}(,[0-9]{1,4})?"), ","),
)
_SPAN = re.compile(r"(\S{8,40})\s*/\s*(\S{8,40})")
_OFFSET = re.compile(r"([+-][0-9]{2})([0-9]{2})")


def parse_price(text: str, currency: str = "") -> tuple[Decimal | None, str]:
    """Parse "12.90 EUR", "EUR 12,90", "€1,299.00" or "12.90". Raises BadRow when it is malformed or negative.

    Alone, a comma before exactly three digits groups thousands ("1,299"), a point is decimal.
    """
    if currency and not re.fullmatch(r"[A-Za-z]{3}", currency):
        raise BadRow(f"bad currency {currency[:40]!r}: give three letters like EUR")
    if not text:
        return None, currency.upper()
    shown = f"bad price {text[:40]!r}"
    found = _PRICE.fullmatch(text) if len(text) <= _MAX_PRICE else None
    if found is None or (found[1] and found[4]):
        raise BadRow(f"{shown}: write it like 12.90 EUR")
    if found[2]:
        raise BadRow(f"{shown}: it is negative")
    own = (found[1] or found[4] or "").upper()
    own = _SYMBOLS.get(own, own)
    if own and currency and own != currency.upper():
        raise BadRow(f"{shown}: the currency column says {currency.upper()}")
    for pattern, mark in _AMOUNTS:
        if pattern.fullmatch(found[3]):
            return Decimal(re.sub(f"[^0-9{mark}]", "", found[3]).replace(mark, ".")), own or currency.upper()
    raise BadRow(f"{shown}: write it like 12.90 EUR")


def current_price(cells: Mapping[str, Sequence[str]]) -> tuple[Decimal | None, str, dict[str, str]]:
    """Return amount and currency of a row's current price, and the list price as an attribute when it is on sale."""
    price, currency = parse_price(first(cells, "price"), first(cells, "currency"))
    sale, sale_currency = parse_price(first(cells, "sale_price"), first(cells, "currency"))
    if sale is None or not _on_sale(first(cells, "sale_price_effective_date")):
        return price, currency, {}
    if price is None:
        return sale, sale_currency, {}
    if currency and sale_currency and sale_currency != currency:
        raise BadRow(f"the price is in {currency} and the sale_price in {sale_currency}; write both in one currency")
    if sale >= price:
        return price, currency, {}
    return sale, currency or sale_currency, {LIST_PRICE: f"{price} {currency}".strip()}


def _on_sale(span: str) -> bool:
    """Tell whether now is within "2026-03-01T13:00-0800/2026-03-11T15:30-0800"; True without a span."""
    if not span:
        return True
    found = _SPAN.fullmatch(span)
    try:
        if found is None:
            raise ValueError
        start, end = (_moment(text) for text in found.groups())
    except ValueError:
        example = "2026-03-01T13:00+0100/2026-03-11T15:30+0100"
        raise BadRow(f"bad sale_price_effective_date {span[:80]!r}: write it like {example}") from None
    return start <= datetime.now(timezone.utc) < end


def _moment(text: str) -> datetime:
    day, time = text[:10], text[10:]
    # Before Python 3.11, datetime reads neither Z nor an offset without its colon.
    moment = datetime.fromisoformat(day + _OFFSET.sub(r"\1:\2", time.replace("Z", "+00:00")))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
