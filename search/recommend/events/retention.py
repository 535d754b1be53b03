"""How long, and how many, events are stored; and their removal, whole segments first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

MAX_DAYS = 400.0  # a year and five weeks: models see the same weeks of the year before
MAX_ROWS = 20_000_000
DAY_S = 86_400
SEGMENT_S = 7 * DAY_S  # a segment has the events of a week
PRUNE_SECONDS = 3_600  # between looks for old events
SLACK = 100  # a prune by number removes 1 % more than it must, so that not every event prunes
MAX_REMOVED = 200_000  # events by which a prune ends; the next one goes on

_EXPIRED = "SELECT number FROM segments WHERE number <= ? AND imported < ? ORDER BY number"
_OLDEST = "SELECT number, events FROM segments ORDER BY number"
_COUNT = "SELECT coalesce(sum(events), 0) FROM segments"
_REMOVE_OLD = "DELETE FROM events WHERE segment = ? AND at < ?"
_REMOVE_SEGMENT = "DELETE FROM events WHERE segment = ?"
_REMOVE_OLDEST = """DELETE FROM events WHERE segment = ?1 AND (visitor, at, seq) IN
    (SELECT visitor, at, seq FROM events WHERE segment = ?1 ORDER BY at, seq LIMIT ?2)"""
_SUBTRACT = "UPDATE segments SET events = events - ? WHERE number = ?"
_REMOVE_EMPTY = "DELETE FROM segments WHERE events <= 0"
# Those whose newest week lost events or is gone, and who have no event in any other week.
_REMOVE_VISITORS = """DELETE FROM visitors
    WHERE (last_segment = ? OR last_segment NOT IN (SELECT number FROM segments))
    AND NOT EXISTS (SELECT 1 FROM segments AS s CROSS JOIN events AS e
        ON e.segment = s.number AND e.visitor = visitors.code)"""


@dataclass(frozen=True, slots=True)
class EventLimits:
    """The most days that an event is stored, and the most events; 0 sets no limit.

    The days of an event that an import added count from the last import into its week: imported history would
    otherwise be removed at once.
    """

    days: float = MAX_DAYS
    rows: int = MAX_ROWS


def segment_of(at: int) -> int:
    """Return the segment of a time, unix seconds."""
    return at // SEGMENT_S


def remove_expired(db: sqlite3.Connection, limits: EventLimits, now: int) -> int:
    """Remove events older than the limit of days; return how many: of MAX_REMOVED or more, some may be left.

    Later ones stay when the clock was set back.
    """
    cutoff = now - int(limits.days * DAY_S)
    if not limits.days or cutoff <= 0:
        return 0
    removed: list[tuple[int, int]] = []
    for (number,) in db.execute(_EXPIRED, (segment_of(cutoff), cutoff)).fetchall():
        if sum(events for _, events in removed) >= MAX_REMOVED:
            break
        removed.append((number, db.execute(_REMOVE_OLD, (number, cutoff)).rowcount))
    return _subtract_with_visitors(db, removed)


def remove_excess(db: sqlite3.Connection, limits: EventLimits, adding: int) -> int:
    """Remove the oldest events so that `adding` more are within the limit of rows; return how many.

    Far beyond the limit, as when it was lowered, each prune removes MAX_REMOVED.
    """
    (count,) = db.execute(_COUNT).fetchone()
    if not limits.rows or (excess := count + adding - limits.rows) <= 0:
        return 0
    wanted = min(excess + limits.rows // SLACK, adding + MAX_REMOVED)
    return _subtract_with_visitors(db, list(_without_oldest(db, wanted)))


def _without_oldest(db: sqlite3.Connection, excess: int) -> Iterator[tuple[int, int]]:
    """Remove the oldest events, and yield how many of each segment."""
    for number, events in db.execute(_OLDEST).fetchall():
        if excess <= 0:
            return
        if events <= excess:
            removed = db.execute(_REMOVE_SEGMENT, (number,)).rowcount
        else:
            removed = db.execute(_REMOVE_OLDEST, (number, excess)).rowcount
        excess -= removed
        yield number, removed


def subtract(db: sqlite3.Connection, removed: list[tuple[int, int]]) -> int:
    """Count the removed events of each segment out; return their number."""
    db.executemany(_SUBTRACT, [(events, number) for number, events in removed])
    db.execute(_REMOVE_EMPTY)
    return sum(events for _, events in removed)


def _subtract_with_visitors(db: sqlite3.Connection, removed: list[tuple[int, int]]) -> int:
    """Count the removed events of each segment out, and remove visitors without events; return their number."""
    events = subtract(db, removed)
    db.executemany(_REMOVE_VISITORS, [(number,) for number, count in removed if count])
    return events
