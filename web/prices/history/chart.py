"""The geometry of a chart of prices: steps in time, a band of what is expected, lines and dates.

Paths are in units of a square of SIZE by SIZE, which pages stretch to the width that there is; y grows downwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from search.pricing.price_page import ExpectedWeek, OfferedPrice
from web.prices.history.scales import DayTick, day_ticks, price_levels

SIZE = 1_000


@dataclass(frozen=True, slots=True)
class ChartTick:
    """A day below the chart, and its place in percent of the width."""

    day: DayTick
    place: float


@dataclass(frozen=True, slots=True)
class PriceChart:
    """A chart: its lines from the highest amount down, its dates, and the paths of what it shows, "" for nothing.

    `today` is the place of the present in percent of the width; `latest` is the height of the present price in percent
    from above, None without one.
    """

    levels: tuple[Decimal, ...]
    ticks: tuple[ChartTick, ...]
    prices: str
    list_prices: str
    band: str
    middle: str
    today: float
    latest: float | None

    @property
    def level_heights(self) -> tuple[int, ...]:
        """The heights of the lines, from above."""
        intervals = len(self.levels) - 1
        return tuple(round(SIZE * number / intervals) for number in range(intervals + 1))


@dataclass(frozen=True, slots=True)
class _Scale:
    """Places of times and amounts in the square."""

    start: int
    end: int
    bottom: Decimal
    top: Decimal

    def x(self, at: int) -> int:
        return round(SIZE * (min(max(at, self.start), self.end) - self.start) / (self.end - self.start))

    def y(self, amount: Decimal) -> int:
        return round(SIZE * (self.top - amount) / (self.top - self.bottom))


@dataclass(frozen=True, slots=True)
class _Step:
    """A level part of a path."""

    left: int
    right: int
    height: int


def price_chart(
    offered: Sequence[OfferedPrice], expected: Sequence[ExpectedWeek], now: int, decimals: int
) -> PriceChart:
    """Return the chart of prices in one currency until `now`, and of what is expected then.

    `offered` begins with a price, before `now`. `decimals` are those of the currency.
    """
    expected = [replace(week, start=max(week.start, now)) for week in expected if week.end > now]
    start, end = offered[0].at, max([now, *(week.end for week in expected)])
    amounts = [offer.price for offer in offered if offer.price is not None]
    amounts += [offer.list_price for offer in offered if offer.list_price is not None]
    amounts += [amount for week in expected for amount in (week.low, week.high)]
    levels = price_levels(min(amounts), max(amounts), decimals)
    scale = _Scale(start, end, levels[0], levels[-1])
    present = offered[-1].price
    return PriceChart(
        levels=levels[::-1],
        ticks=tuple(ChartTick(tick, scale.x(tick.at) * 100 / SIZE) for tick in day_ticks(start, end)),
        prices=_path(_steps(scale, offered, [offer.price for offer in offered], now)),
        list_prices=_path(_steps(scale, offered, [offer.list_price for offer in offered], now)),
        band=_band(scale, expected),
        middle=_path(_Step(scale.x(week.start), scale.x(week.end), scale.y(week.middle)) for week in expected),
        today=scale.x(now) * 100 / SIZE,
        latest=None if present is None else scale.y(present) * 100 / SIZE,
    )


def _steps(
    scale: _Scale, offered: Sequence[OfferedPrice], amounts: Sequence[Decimal | None], now: int
) -> Iterator[_Step]:
    """Yield a step for each amount, until the next one; None is a gap."""
    ends = [*(offer.at for offer in offered[1:]), now]
    for offer, end, amount in zip(offered, ends, amounts, strict=True):
        if amount is not None:
            yield _Step(scale.x(offer.at), scale.x(end), scale.y(amount))


def _path(steps: Iterable[_Step]) -> str:
    """Return an SVG path of level steps; those that are apart are not joined."""
    parts: list[str] = []
    before: _Step | None = None
    for step in _without_crowds(steps):
        if apart := before is None or before.right != step.left:
            parts.append(f"M{step.left} {step.height}")
        elif before.height != step.height:
            parts.append(f"V{step.height}")
        if apart or step.left < step.right:  # a line without length is a dot
            parts.append(f"H{step.right}")
        before = step
    return "".join(parts)


def _without_crowds(steps: Iterable[_Step]) -> Iterator[_Step]:
    """Yield the steps, but of many within one unit of time only the lowest, the highest and the last.

    So a price that changes every minute makes no larger path than one that changes every day.
    """
    crowd: list[_Step] = []
    for step in steps:
        if crowd and step.left != crowd[0].left:
            yield from _ends_of(crowd)
            crowd = []
        if step.left < step.right:
            yield from _ends_of(crowd)
            yield step
            crowd = []
        else:
            crowd.append(step)
    yield from _ends_of(crowd)


def _ends_of(crowd: Sequence[_Step]) -> Sequence[_Step]:
    if len(crowd) < 3:
        return crowd
    heights = [step.height for step in crowd]
    return [_Step(crowd[0].left, crowd[0].left, height) for height in (min(heights), max(heights), heights[-1])]


def _band(scale: _Scale, expected: Sequence[ExpectedWeek]) -> str:
    """Return the path around the ranges: along the highs, and back along the lows."""
    if not expected:
        return ""
    parts = [f"M{scale.x(expected[0].start)} {scale.y(expected[0].high)}"]
    parts += [f"V{scale.y(week.high)}H{scale.x(week.end)}" for week in expected]
    parts += [f"V{scale.y(week.low)}H{scale.x(week.start)}" for week in reversed(expected)]
    return "".join(parts) + "Z"
