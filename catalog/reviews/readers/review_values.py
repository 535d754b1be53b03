"""Read the cells of a review: stars, times, states, texts."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from catalog.errors import BadRow
from catalog.feeds.rows.flags import parse_flag
from catalog.reviews.review import APPROVED, MAX_RATING, PENDING, REJECTED, is_future
from catalog.text.html import description_text
from catalog.text.strings import SURROGATES

MAX_TITLE, MAX_TEXT, MAX_AUTHOR, MAX_REPLY = 300, 20_000, 100, 10_000  # characters of imported reviews
_STATES = {
    **dict.fromkeys(("published", "approved", "approve", "ok", "active", "live", "public", "visible"), APPROVED),
    **dict.fromkeys(("spam", "trash", "post-trashed", "rejected", "hidden", "unpublished", "deleted"), REJECTED),
    **dict.fromkeys(("pending", "hold", "unapproved", "new", "not-yet", "unmoderated", "waiting", "draft"), PENDING),
}  # fmt: skip
_VERIFIED = ("verified", "verified buyer", "verified purchase", "verified_buyer", "buyer", "confirmed-buyer")
_RATING = re.compile(
    r"(?P<stars>\d+(?:[.,]\d+)?)\s*(?:(?:/|of|out of|von|sur|de)\s*(?P<most>5|100?)(?:[.,]0+)?)?\s*(?:stars?|★)?",
    re.I,
)
_UNIX = re.compile(r"\d{10}(?:\d{3})?")
_OFFSET = re.compile(r"\s*(?:UTC|GMT|Z)$", re.I)
_ZONE = re.compile(r"\s+([+-]\d{2}):?(\d{2})$")
_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap]m)?)?", re.I)
_NAMED = (
    "%B %d, %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%d %b %Y",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d %I:%M %p",
    "%Y-%m-%d %I:%M:%S %p",
    "%b %d, %Y %I:%M %p",
    "%B %d, %Y %I:%M %p",
)
_CHINESE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")


def is_above(text: str, most: int) -> bool:
    """Tell whether a rating is a plain number above the most that there may be."""
    found = _RATING.fullmatch(text.strip())
    return found is not None and not found["most"] and float(found["stars"].replace(",", ".")) > most


def read_rating(text: str, most: int = MAX_RATING) -> int:
    """Return the stars, 1 to 5, of a plain number out of `most` or of "8/10"; halves go to the even number.

    Raises BadRow.
    """
    text = text.strip()
    if text and set(text) <= {"★", "☆", "⭐", "½", "\ufe0f"}:
        return _whole(text.count("★") + text.count("⭐") + text.count("½") / 2, text)
    found = _RATING.fullmatch(text)
    if not found:
        raise BadRow("there is no rating" if not text else f"the rating {text[:20]!r} is no number of stars")
    return _whole(float(found["stars"].replace(",", ".")) * MAX_RATING / int(found["most"] or most), text)


def read_time(text: str, day_first: bool) -> int:
    """Return unix seconds; UTC without a zone, 0 of "". `day_first` reads 03/04/2025. Raises BadRow."""
    text = text.strip()
    if not text:
        return 0
    seconds = _seconds(text, day_first)
    if seconds < 0:
        raise BadRow(f"the date {text[:40]!r} is before 1970")
    if is_future(seconds):
        raise BadRow(f"the date {text[:40]!r} is in the future")
    return seconds


def says_day_first(text: str) -> bool | None:
    """Tell whether a date shows that days come before months; None where it shows neither."""
    found = _DATE.match(text.strip())
    if found is None or (int(found[1]) <= 12 and int(found[3]) <= 12):
        return True if found is not None and found[2] == "." else None
    return int(found[1]) > 12


def read_state(text: str) -> str:
    """Return the state that a cell names; reviews that are not known to be shown wait."""
    word = text.strip().casefold()
    if word in _STATES:
        return _STATES[word]
    return APPROVED if parse_flag(word) else PENDING


def read_verified(text: str) -> bool:
    """Tell whether a cell says that the customer bought the product."""
    return bool(parse_flag(text)) or text.strip().casefold() in _VERIFIED


def read_words(text: str, longest: int) -> str:
    """Return a text without markup and what cannot be stored, cut to `longest` characters."""
    text = description_text(text)
    return SURROGATES.sub("", text.replace("\r\n", "\n").replace("\0", "")).strip()[:longest]


def _whole(stars: float, text: str) -> int:
    if not 0 < stars <= MAX_RATING:
        raise BadRow(f"the rating {text[:20]!r} is not from 1 to {MAX_RATING}")
    return max(1, round(stars))


def _seconds(text: str, day_first: bool) -> int:
    if _UNIX.fullmatch(text):
        return int(text) // (1000 if len(text) == 13 else 1)
    at = _iso(text) or _numbers(text, day_first) or _named(text)
    if at is None:
        raise BadRow(f"the date {text[:40]!r} is not understood; write it like 2026-11-25T18:30:00Z")
    return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())


def _iso(text: str) -> datetime | None:
    text = _ZONE.sub(r"\1:\2", _OFFSET.sub("+00:00", text))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _numbers(text: str, day_first: bool) -> datetime | None:
    if found := _CHINESE.match(text):
        return _at(int(found[1]), int(found[2]), int(found[3]))
    found = _DATE.fullmatch(_OFFSET.sub("", text))
    if found is None:
        return None
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    day_first = (day_first or first > 12 or found[2] == ".") and second <= 12
    day, month = (first, second) if day_first else (second, first)
    hour = int(found[5] or 0)
    if found[8]:
        hour = hour % 12 + (12 if found[8].lower() == "pm" else 0)
    return _at(year, month, day, hour, int(found[6] or 0), int(found[7] or 0))


def _at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None


def _named(text: str) -> datetime | None:
    for form in _NAMED:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None
