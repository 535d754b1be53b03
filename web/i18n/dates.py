"""Dates in the page's language: "29 November 2026", in Chinese "2026年11月29日"."""

from __future__ import annotations

from datetime import date, datetime, timezone

from babel.dates import format_date

from web.i18n.language import language
from web.i18n.languages import ENGLISH, FRENCH, LOCALES

LONG_ENGLISH = "d MMMM y"  # Unicode's pattern for "en" is the American one
_FIRST = int(datetime(1, 1, 1, tzinfo=timezone.utc).timestamp())
_LAST = int(datetime(9999, 12, 31, tzinfo=timezone.utc).timestamp())


def day_of(seconds: int) -> date:
    """Return the day of a time in seconds since 1970, in UTC; the first or last day there is for what is beyond."""
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), timezone.utc).date()


def date_text(seconds: int) -> str:
    """Return the day of a time in seconds since 1970 for people."""
    pattern = LONG_ENGLISH if language() == ENGLISH else "long"
    day = day_of(seconds)
    text = format_date(day, pattern, locale=LOCALES[language()])
    # Unicode's data has "1 décembre"; French writes "1er" of this day alone.
    return text.replace("1 ", "1er ", 1) if language() == FRENCH and day.day == 1 else text
