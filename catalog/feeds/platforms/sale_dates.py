"""Parse the dates of a sale as platforms export them."""

from __future__ import annotations

import re
from datetime import datetime

from catalog.errors import BadRow

_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?)?(Z|[+-][0-9:]{4,6})?"
)
_NUMBERS = re.compile(
    r"([0-9]{1,4})([/.-])([0-9]{1,2})\2([0-9]{2,4})(?:,?\s+([0-9]{1,2}:[0-9]{2})(?::[0-9]{2})?\s*([AP]M)?)?",
    re.IGNORECASE,
)


def sale_span(starts: str, ends: str) -> str:
    """Return the dates of a sale as Google writes them, "start/end"; "" without dates. Raises BadRow for a bad one.

    A sale without a start has begun, one without an end goes on. A day alone ends at its midnight.
    """
    if not starts and not ends:
        return ""
    start = _moment(starts, "00:00") if starts else "2000-01-01T00:00"
    end = _moment(ends, "23:59") if ends else "9999-12-30T23:59"
    return f"{start}/{end}"


def _moment(text: str, clock: str) -> str:
    if found := _ISO.fullmatch(text.strip()):
        return f"{found[1]}T{found[2] or clock}{found[3] or ''}"
    found = _NUMBERS.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError(text)
        day = _day(found)
        if found[5]:
            form = "%I:%M%p" if found[6] else "%H:%M"
            clock = datetime.strptime(found[5] + (found[6] or ""), form).strftime("%H:%M")
    except ValueError:
        raise BadRow(f"bad date of a sale {text[:40]!r}: write it like 2026-03-01") from None
    return f"{day}T{clock}"


def _day(found: re.Match[str]) -> str:
    """Return the day of "3/1/26" (as Magento writes it: the month first) or "01.03.2026". Raises ValueError."""
    first, mark, second, third = int(found[1]), found[2], int(found[3]), int(found[4])
    if len(found[1]) == 4:
        year, month, day = first, second, third
    elif mark == "/" and first <= 12:
        month, day, year = first, second, third
    else:
        day, month, year = first, second, third
    return datetime(year + 2000 if year < 100 else year, month, day).strftime("%Y-%m-%d")
