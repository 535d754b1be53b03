"""The scales of a chart: round amounts for its lines, and dates for its time axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from web.i18n.dates import day_of

MAX_INTERVALS = 4  # between the lines of a chart
MAX_TICKS = 6
LEAST_SPAN = Decimal("0.2")  # of the highest price: a change of 1 % must not look like a crash
FROM_ZERO = Decimal("0.4")  # of the highest price: where the lowest is below this, the chart begins at 0
ROUND_STEPS = tuple(map(Decimal, ("1", "2", "2.5", "5")))
DAY_DISTANCES = (1, 2, 7, 14)
MONTH_DISTANCES = (1, 2, 3, 6, 12, 24, 60, 120, 600, 2_400, 12_000, 60_000)
MONTHS_OF_YEAR = 12
DAY, MONTH, YEAR = "day", "month", "year"  # what a date on the axis is written with


def price_levels(lowest: Decimal, highest: Decimal, decimals: int) -> tuple[Decimal, ...]:
    """Return equidistant round amounts that enclose prices from `lowest` to `highest`, the lowest first.

    `decimals` are those of the currency: no two amounts look the same.
    """
    missing = max(Decimal(0), LEAST_SPAN * highest - (highest - lowest)) / 2
    bottom, top = lowest - missing, highest + missing
    if bottom < FROM_ZERO * top:
        bottom = Decimal(0)
    for step in _steps(top - bottom, Decimal(1).scaleb(-decimals)):
        first = (bottom / step).to_integral_value(ROUND_FLOOR)
        last = (top / step).to_integral_value(ROUND_CEILING)
        if last - first <= MAX_INTERVALS:
            return tuple(step * number for number in range(int(first), int(max(last, first + 1)) + 1))
    raise AssertionError("steps grow without end")


def _steps(span: Decimal, unit: Decimal) -> Iterator[Decimal]:
    """Yield round steps that are multiples of `unit`, from about the tenth part of a span on."""
    exponent = max(span / 10, unit).adjusted()
    while True:
        for step in ROUND_STEPS:
            scaled = step.scaleb(exponent)
            if scaled % unit == 0:
                yield scaled
        exponent += 1


@dataclass(frozen=True, slots=True)
class DayTick:
    """A day on the time axis, and whether it is written as a day, a month or a year."""

    day: date
    precision: str

    @property
    def at(self) -> int:
        """The first second of the day, in UTC."""
        return int(datetime(self.day.year, self.day.month, self.day.day, tzinfo=timezone.utc).timestamp())


def day_ticks(start: int, end: int) -> tuple[DayTick, ...]:
    """Return at most MAX_TICKS days to name between two times in unix seconds, at equal distances in the calendar."""
    first, last = day_of(start), day_of(end)
    for distance in DAY_DISTANCES:
        count = (last - first).days // distance + 1
        if count <= MAX_TICKS:
            days = [first + timedelta(distance * number) for number in range(count)]
            return _within([DayTick(day, DAY) for day in days], start, end)
    months = range(_month_number(first), _month_number(last) + 1)
    distance = next(count for count in MONTH_DISTANCES if len(months) // count < MAX_TICKS)
    precision = YEAR if distance >= MONTHS_OF_YEAR else MONTH
    named = [date(month // MONTHS_OF_YEAR, month % MONTHS_OF_YEAR + 1, 1) for month in months if month % distance == 0]
    return _within([DayTick(day, precision) for day in named], start, end)


def _month_number(day: date) -> int:
    """Return the number of a day's month; January of the year 1 is 12."""
    return day.year * MONTHS_OF_YEAR + day.month - 1


def _within(ticks: Sequence[DayTick], start: int, end: int) -> tuple[DayTick, ...]:
    return tuple(tick for tick in ticks if start <= tick.at <= end)
