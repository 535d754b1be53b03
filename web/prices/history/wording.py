"""The words of prices in the page's language: messages, days and months, and amounts as their currency has them."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import get_currency_precision

from web.i18n.dates import day_of
from web.i18n.language import language
from web.i18n.languages import ENGLISH, LOCALES
from web.i18n.messages import PRICES, page_message
from web.prices.history.scales import MONTH, YEAR, DayTick

DECIMALS = 2
SHORT_ENGLISH, DAY_ENGLISH = "d MMM y", "d MMM"  # Unicode's patterns for "en" are the American ones


def price_text(key: str, **values: object) -> str:
    """Return the message of a key of `prices.json` in the page's language."""
    return page_message(PRICES, key, language(), **values)


def short_date(at: int) -> str:
    """Return the day of a time in unix seconds: "29 Nov 2026"."""
    return _short_date(day_of(at), language())


def time_of_day(at: int) -> str:
    """Return the time of day, in UTC: "14:05 UTC"."""
    moment = datetime.fromtimestamp(at, timezone.utc)
    return format_time(moment, "HH:mm", tzinfo=timezone.utc, locale=LOCALES[language()]) + " UTC"


def tick_label(tick: DayTick) -> str:
    """Return what the time axis says at a day: "29 Nov", "Nov 2026" or "2026"."""
    locale = LOCALES[language()]
    if tick.precision == YEAR:
        return format_date(tick.day, "y", locale=locale)
    if tick.precision == MONTH:
        return format_skeleton("yMMM", tick.day, locale=locale)
    if language() == ENGLISH:
        return format_date(tick.day, DAY_ENGLISH, locale=locale)
    return format_skeleton("MMMd", tick.day, locale=locale)


def decimals_of(currency: str) -> int:
    """Return with how many decimals amounts of a currency are written; 2 where none is named."""
    return get_currency_precision(currency) if currency else DECIMALS


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return a computed amount with the decimals of its currency."""
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)))


@lru_cache(maxsize=4096)
def _short_date(day: date, code: str) -> str:
    return format_date(day, SHORT_ENGLISH if code == ENGLISH else "medium", locale=LOCALES[code])
