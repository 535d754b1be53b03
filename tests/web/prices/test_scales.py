"""Round amounts around prices, and dates below them."""

from datetime import datetime, timezone
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.prices.history.scales import DAY, MAX_INTERVALS, MAX_TICKS, MONTH, YEAR, day_ticks, price_levels

AMOUNTS = st.decimals("0.001", "1e12", places=3)


@pytest.mark.parametrize(
    ("lowest", "highest", "decimals", "levels"),
    [
        ("9.90", "14.90", 2, "8 10 12 14 16"),
        ("12.90", "12.90", 2, "11 12 13 14 15"),
        ("980", "980", 0, "800 900 1000 1100"),
        ("1", "9999.99", 2, "0 2500 5000 7500 10000"),
        ("0.01", "0.01", 2, "0.00 0.01 0.02"),
        ("5", "5", 0, "4 5 6"),
        ("4.5", "5", 2, "4.25 4.50 4.75 5.00 5.25"),
    ],
)
def test_amounts_are_round_and_around_the_prices(lowest, highest, decimals, levels):
    found = price_levels(Decimal(lowest), Decimal(highest), decimals)
    assert found == tuple(map(Decimal, levels.split()))


@given(AMOUNTS, AMOUNTS, st.sampled_from([0, 2, 3]))
def test_amounts_are_equidistant_few_and_enclose_every_price(one, other, decimals):
    lowest, highest = min(one, other), max(one, other)
    found = price_levels(lowest, highest, decimals)
    distances = {after - before for before, after in pairwise(found)}
    assert len(distances) == 1 and len(found) <= MAX_INTERVALS + 1
    assert 0 <= found[0] <= lowest and highest <= found[-1]
    assert all(amount % Decimal(1).scaleb(-decimals) == 0 for amount in found)


def seconds(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


@pytest.mark.parametrize(
    ("start", "end", "precision", "days"),
    [
        ("2026-11-28", "2026-11-30", DAY, "2026-11-28 2026-11-29 2026-11-30"),
        ("2026-10-01T10:00", "2026-11-12", DAY, "2026-10-15 2026-10-29 2026-11-12"),
        ("2026-01-15", "2026-07-01", MONTH, "2026-03-01 2026-05-01 2026-07-01"),
        ("2024-12-02", "2026-12-28", MONTH, "2025-01-01 2025-07-01 2026-01-01 2026-07-01"),
        ("2010-06-01", "2026-12-28", YEAR, "2015-01-01 2020-01-01 2025-01-01"),
    ],
)
def test_days_are_named_at_equal_distances(start, end, precision, days):
    found = day_ticks(seconds(start), seconds(end))
    assert {tick.precision for tick in found} == {precision} and len(found) <= MAX_TICKS
    assert " ".join(tick.day.isoformat() for tick in found) == days


@given(st.integers(0, 250_000_000_000), st.integers(0, 250_000_000_000))
def test_days_are_few_in_order_and_within_whatever_time(one, other):
    start, end = min(one, other), max(one, other)
    found = [tick.at for tick in day_ticks(start, end)]
    assert len(found) <= MAX_TICKS and found == sorted(set(found))
    assert all(start <= at <= end for at in found)
