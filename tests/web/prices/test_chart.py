"""The paths of a chart, in a square of a thousand units."""

import re
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from search.pricing.price_page import ExpectedWeek, OfferedPrice
from web.prices.history.chart import SIZE, price_chart

HOUR, DAY = 3_600, 86_400
PATH = re.compile(r"(M\d+ \d+|H\d+|V\d+|Z)+")


def offer(at, price, list_price=None):
    before = None if list_price is None else Decimal(list_price)
    return OfferedPrice(at, None if price is None else Decimal(price), before, "EUR")


def points(path):
    """The corners of a path, and which of them begin a line."""
    x = y = 0
    found = []
    for kind, words in re.findall(r"([MHVZ])([\d ]*)", path):
        if kind == "M":
            x, y = map(int, words.split())
        elif kind == "H":
            x = int(words)
        elif kind == "V":
            y = int(words)
        found.append((kind, x, y))
    return found


def test_prices_are_steps_from_the_first_to_the_present():
    chart = price_chart([offer(0, "8"), offer(500, "12"), offer(750, "10")], (), 1_000, 2)
    assert chart.levels == tuple(map(Decimal, range(12, 7, -1)))
    top, bottom = chart.levels[0], chart.levels[-1]
    heights = [round(SIZE * (top - price) / (top - bottom)) for price in map(Decimal, ("8", "12", "10"))]
    assert chart.prices == f"M0 {heights[0]}H500V{heights[1]}H750V{heights[2]}H1000"
    assert (chart.list_prices, chart.band, chart.middle, chart.today) == ("", "", "", 100)
    assert chart.latest == heights[2] / 10
    assert chart.level_heights[0] == 0 and chart.level_heights[-1] == SIZE


def test_gaps_are_not_drawn_over():
    chart = price_chart([offer(0, "8"), offer(250, None), offer(500, "8"), offer(750, None)], (), 1_000, 2)
    (_, left, height), (_, until, _), (begins, again, _), (_, end, _) = points(chart.prices)
    assert (left, until, begins, again, end) == (0, 250, "M", 500, 750) and 0 < height < SIZE
    assert chart.latest is None


def test_a_list_price_is_a_line_of_its_own_while_there_is_one():
    chart = price_chart([offer(0, "10"), offer(400, "8", "10"), offer(600, "10")], (), 1_000, 2)
    assert [(kind, x) for kind, x, _ in points(chart.list_prices)] == [("M", 400), ("H", 600)]
    assert points(chart.list_prices)[0][2] == points(chart.prices)[0][2]  # as high as the price before it


def test_what_is_expected_is_a_band_around_a_line_after_the_present():
    weeks = [ExpectedWeek(800 + 100 * n, 900 + 100 * n, Decimal(9), Decimal(10), Decimal(11 + n)) for n in range(2)]
    chart = price_chart([offer(0, "10")], weeks, 800, 2)
    assert chart.today == 80 and [x for _, x, _ in points(chart.prices)] == [0, 800]
    assert {x for _, x, _ in points(chart.band)[:-1]} == {800, 900, 1_000} and chart.band.endswith("Z")
    assert [x for _, x, _ in points(chart.middle)] == [800, 900, 1_000]
    heights = [y for _, _, y in points(chart.band)[:-1]]
    assert min(heights) < points(chart.middle)[0][2] < max(heights)


def test_a_price_that_changes_every_minute_makes_no_large_path():
    changes = [offer(60 * n, str(100 + n * 7919 % 41)) for n in range(20_000)]
    chart = price_chart(changes, (), 1_200_000, 2)
    assert len(chart.prices) < 25_000
    heights = [y for _, _, y in points(chart.prices)]
    few = price_chart([offer(0, "100"), offer(60, "140")], (), 120, 2)
    assert {min(heights), max(heights)} == {y for _, _, y in points(few.prices)}  # the extremes are still there


AMOUNTS = st.none() | st.decimals("0.01", "1e7", places=2)


@given(st.lists(st.tuples(st.integers(1, 400 * DAY), AMOUNTS, AMOUNTS), max_size=12), AMOUNTS.filter(bool))
def test_whatever_the_prices_a_path_stays_in_its_square_and_goes_forward(changes, first):
    offered, at = [offer(0, first)], 0
    for pause, price, before in changes:
        at += pause
        reduced = before if price is not None and before is not None and before > price else None
        offered.append(OfferedPrice(at, price, reduced, "EUR"))
    chart = price_chart(offered, (), at + HOUR, 2)
    for path in (chart.prices, chart.list_prices):
        assert not path or PATH.fullmatch(path)
        found = points(path)
        assert all(0 <= x <= SIZE and 0 <= y <= SIZE for _, x, y in found)
        assert all(before[1] <= after[1] for before, after in pairwise(found))
    assert all(0 <= tick.place <= 100 for tick in chart.ticks)
