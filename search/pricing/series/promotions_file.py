"""Read the calendar of promotions of a shop, or of a log: which products are promoted in which weeks."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path

import numpy as np

from catalog.errors import BadFeed
from search.pricing.series.weekly_prices import PromotionCalendar, week_of

KINDS = ("mailer_share", "display_share")
COLUMNS = ("product_id", "week_start", *KINDS)
MAX_WEEKS_AHEAD = 53  # what is planned later does no forecast any good
_HINT = (
    f"The file has the columns {', '.join(COLUMNS)}; shares are from 0 to 1, week_start is a date such as 2026-11-30."
)


def read_promotions(path: Path, product_ids: Sequence[str], weeks: range) -> PromotionCalendar:
    """Read a CSV file, or one packed by gzip, for these products and weeks; raises BadFeed with the line.

    Rows about other products are left out, as are those more than MAX_WEEKS_AHEAD after the `weeks` or before them.
    A date stands for the week, from Monday to Sunday, that has it. Of two rows for a product and week the larger
    shares count.
    """
    places = {product_id: place for place, product_id in enumerate(product_ids)}
    rows: list[tuple[int, int, float, float]] = []
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
                raise _bad(path, 1, f"there is no column {', '.join(missing)}")
            for cells in reader:
                week, mailer, display = _read_row(path, reader.line_num, cells)
                place = places.get(cells["product_id"])
                if place is not None and weeks.start <= week < weeks.stop + MAX_WEEKS_AHEAD:
                    rows.append((place, week, mailer, display))
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error, csv.Error) as error:
        raise BadFeed(f"{path} cannot be read: {error}.", "Give a CSV file in UTF-8, or one packed by gzip.") from error
    return _calendar(rows, len(product_ids))


def _calendar(rows: list[tuple[int, int, float, float]], products: int) -> PromotionCalendar:
    if not rows:
        return PromotionCalendar(0, np.zeros((products, 0, len(KINDS)), np.float32))
    weeks = [week for _, week, _, _ in rows]
    first, span = min(weeks), max(weeks) - min(weeks) + 1
    shares = np.zeros((products, span, len(KINDS)), np.float32)
    for place, week, *values in rows:
        shares[place, week - first] = np.maximum(shares[place, week - first], np.array(values, np.float32))
    return PromotionCalendar(first, shares)


def _read_row(path: Path, line: int, cells: dict[str, str | None]) -> tuple[int, float, float]:
    week = _week(cells["week_start"] or "")
    if week is None:
        raise _bad(path, line, f"week_start {str(cells['week_start'])[:40]!r} is no date")
    mailer, display = (_share(path, line, kind, cells[kind] or "0") for kind in KINDS)
    return week, mailer, display


@lru_cache(4_096)
def _week(text: str) -> int | None:
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return week_of(int(day.timestamp()))


def _share(path: Path, line: int, kind: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:  # also for what is not a number
        raise _bad(path, line, f"{kind} {text[:40]!r} is no share from 0 to 1")
    return share


def _bad(path: Path, line: int, reason: str) -> BadFeed:
    return BadFeed(f"{path}, line {line}: {reason}.", _HINT)
