"""Read the price of a feed's row or of a product edit, and compute the current price of a product on sale."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from catalog.errors import BadRow
from catalog.money.amounts import THOUSANDTHS, USUAL_DECIMALS, rounded
from catalog.money.currencies import DECIMALS, CurrencyMark, currency_of, decimals_of
from catalog.money.habits import COMMA, PriceHabits
from catalog.money.price_text import is_placeholder, take_apart
from catalog.product import reduced_from

LIST_PRICE = "list_price"
RANGE_NOTE = "a range of prices: the lower one counts"

_USUAL = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,2})?)(?: ([A-Z]{3}))?")
_SPAN = re.compile(r"(\S{8,40})\s*/\s*(\S{8,40})")
_OFFSET = re.compile(r"([+-][0-9]{2})([0-9]{2})")


class Price(NamedTuple):
    """An amount, None without one; its currency, "" when it is not known; what people should know of the reading."""

    amount: Decimal | None
    currency: str
    notes: tuple[str, ...] = ()


class CurrentPrice(NamedTuple):
    """What a product costs now, its list price while it is on sale, and what people should know."""

    amount: Decimal | None
    currency: str
    list_price: Decimal | None = None
    notes: tuple[str, ...] = ()


def parse_price(text: str, currency: str = "") -> tuple[Decimal | None, str]:
    """Parse "12.90 EUR", "EUR 12,90" or "€1,299.00" as `read_price` does, without other prices to compare with."""
    return read_price(text, currency)[:2]


def read_price(text: str, currency: str = "", habits: Callable[[], PriceHabits] = PriceHabits) -> Price:
    """Read a price, given the text of its currency column and, when it needs them, the habits of its feed.

    Raises BadRow when it is malformed or negative, or when two currencies are named.
    """
    column = _column(currency) if currency else ""
    if not text:
        return Price(None, column)
    usual = _USUAL.fullmatch(text)
    if usual is not None and (not usual[2] or (usual[2] in DECIMALS and column in ("", usual[2]))):
        code = usual[2] or column
        if not code or decimals_of(code) >= USUAL_DECIMALS:
            return Price(Decimal(usual[1]), code)
    parts = take_apart(text)
    if parts.number is None:
        return Price(None, column)
    mark, number = parts.currency, parts.number
    if number.grouped is None and mark is not None and mark.usual and not column and not parts.is_range:
        return Price(rounded(number.value, decimals_of(mark.usual)), mark.usual)
    if column and mark is not None and column not in mark.codes:
        raise BadRow(f"bad price {text[:40]!r}: the currency column says {column}")
    code = column or ("" if mark is None else mark.usual)
    codes = _single(code) if code else frozenset() if mark is None else mark.codes
    notes: tuple[str, ...] = (RANGE_NOTE,) if parts.is_range else ()
    value = number.value
    if number.grouped is not None:
        thousands = habits().groups_thousands(number, codes)
        value = number.grouped if thousands else value
        notes += _thousands_notes(number.mark, codes, code, thousands)
    if mark is not None and not code:
        code = _clear_currency(mark, value, habits())
        notes += (_currency_note(parts.mark, mark, code),)
    return Price(rounded(value, decimals_of(code) if code else None), code, notes)


def current_price(cells: Mapping[str, Sequence[str]], habits: Callable[[], PriceHabits] = PriceHabits) -> CurrentPrice:
    """Return a row's current price, and the list price when it is on sale. A sale price of 0 is none. Raises BadRow.

    A row may also have `price`, what it costs now, with `list_price`; a list price that cannot be read is left out.
    """
    column = _first(cells, "currency")
    price, currency, notes = read_price(_first(cells, "price"), column, habits)
    sale_text = _first(cells, "sale_price")
    if not sale_text:
        return CurrentPrice(price, currency, *_list_price(cells, Price(price, currency, notes), habits))
    sale, sale_currency, sale_notes = read_price(sale_text, column, habits)
    if not sale or not _on_sale(_first(cells, "sale_price_effective_date")):
        return CurrentPrice(price, currency, None, notes)
    if price is None:
        return CurrentPrice(sale, sale_currency, None, sale_notes)
    if currency and sale_currency and sale_currency != currency:
        raise BadRow(f"the price is in {currency} and the sale_price in {sale_currency}; write both in one currency")
    if sale >= price:
        return CurrentPrice(price, currency, None, notes)
    notes = tuple(dict.fromkeys(notes + sale_notes))
    return CurrentPrice(sale, currency or sale_currency, price, notes)


def _list_price(
    cells: Mapping[str, Sequence[str]], price: Price, habits: Callable[[], PriceHabits]
) -> tuple[Decimal | None, tuple[str, ...]]:
    """Return the list price of a row that names it, and the notes on the row's prices."""
    text = _first(cells, LIST_PRICE)
    if not text:
        return None, price.notes
    try:
        before, currency, notes = read_price(text, _first(cells, "currency"), habits)
    except BadRow as error:
        return None, (*price.notes, f"the list price is left out: {error.message}")
    if currency and price.currency and currency != price.currency:
        return None, (*price.notes, f"the list price is left out: it is in {currency}, the price in {price.currency}")
    return reduced_from(price.amount, before), tuple(dict.fromkeys(price.notes + notes))


@lru_cache(maxsize=256)
def _single(code: str) -> frozenset[str]:
    return frozenset((code,))


@lru_cache(maxsize=1024)
def _thousands_notes(mark: str, codes: frozenset[str], code: str, thousands: bool) -> tuple[str, ...]:
    """Return what people should know of three digits behind a mark: nothing when it can mean one thing only."""
    places = [decimals_of(code) for code in codes] or [USUAL_DECIMALS]
    if not max(places) or (min(places) >= THOUSANDTHS and mark != COMMA):  # ₩12,000 and 1.299 KWD
        return ()
    form, reading = f"1{mark}299 {code}".strip(), "1299" if thousands else "1.299"
    return (f"a price of the form {form} was read as {reading}",)


@lru_cache(maxsize=256)
def _column(currency: str) -> str:
    """Return the code of a currency column. Raises BadRow."""
    if not currency or is_placeholder(currency):
        return ""
    known = currency_of(currency)
    if known is not None and known.usual:
        return known.usual
    if re.fullmatch(r"[A-Za-z]{3}", currency):
        return currency.upper()
    raise BadRow(f"bad currency {currency[:40]!r}: give three letters like EUR")


def _currency_note(text: str, mark: CurrencyMark, code: str) -> str:
    if code:
        return f"the currency {text!r} was read as {code}"
    return f"the currency {text!r} may be {', '.join(sorted(mark.codes))}: name it in a column, or by its code"


def _clear_currency(mark: CurrencyMark, value: Decimal, habits: PriceHabits) -> str:
    """Return the one currency of a mark that the feed names elsewhere, or that alone has such decimals; else ""."""
    named = mark.codes.intersection(habits.currencies)
    if len(named) != 1 and value != value.to_integral_value():
        named = frozenset(filter(decimals_of, mark.codes))
    return min(named) if len(named) == 1 else ""


def _first(cells: Mapping[str, Sequence[str]], name: str) -> str:
    return cells[name][0] if cells.get(name) else ""


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
