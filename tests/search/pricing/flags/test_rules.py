"""Flags from weekly prices and from a history, by hand; the two agree, and neither looks ahead."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from catalog.price_history.price_change import PriceChange
from search.pricing.flags.history_window import window_of_changes
from search.pricing.flags.price_flag import price_flags
from search.pricing.flags.rules import FLAG_CODES, PriceWindow
from search.pricing.series.weekly_prices import WEEK_S, week_start
from tests.search.pricing.flags.drawn_prices import changes_of, drawn, weekly_of

FIRST = 2_450  # week
NOON = 12 * 3_600
NAN = float("nan")


def codes_of(prices, end=None):
    """The flags of a product with these weekly prices; the last one is that of the moment."""
    weekly = weekly_of([prices], FIRST)
    masks = PriceWindow.of_weekly(weekly, weekly.weeks if end is None else end).flags()
    return {code for code, mask in masks.items() if mask[0]}


def codes_at(changes, now):
    return {flag.code for flag in price_flags(changes, now)}


@pytest.mark.parametrize(
    ("past", "now", "codes"),
    [
        ([10] * 14, 10, set()),
        ([10] * 14, 9.5, {"lower_than_usual", "lowest_13_weeks", "good_price"}),  # a tie with 0.95 counts
        ([10] * 14, 9.6, {"lowest_13_weeks"}),
        ([10] * 14, 9.95, set()),  # pennies are no news
        ([9] + [10] * 13, 9, {"lower_than_usual", "lowest_13_weeks", "good_price"}),  # 14 weeks ago is too long
        ([10, 8] + [10] * 12, 9, {"lower_than_usual"}),
        ([10] * 7 + [9] * 7, 9, set()),  # it is the usual price by now
        ([10] * 11 + [12] * 3, 10, set()),  # back from a short rise: not lower than usual
        ([8] * 8 + [10] * 6, 10, {"often_cheaper"}),  # in seven of the 13 weeks
        ([8] * 7 + [10] * 7, 10, set()),
    ],
)
def test_flags_by_hand(past, now, codes):
    assert codes_of([*past, now]) == codes


def test_a_gap_is_no_price():
    gaps = [10, NAN, 10, NAN, 10, NAN, 10, NAN, 10, NAN, 10, 10, NAN, 10]
    assert "good_price" in codes_of([*gaps, 9])
    assert codes_of([10] * 7 + [NAN] * 7 + [9]) == set()  # nothing is known of the last four weeks
    assert codes_of([*gaps, NAN]) == set()


@pytest.mark.parametrize("nothing", [0, -1, float("inf")])
def test_a_price_of_zero_is_none(nothing):
    assert (
        codes_of([10] * 13 + [nothing, 9])
        == codes_of([10] * 13 + [NAN, 9])
        == {
            "lower_than_usual",
            "lowest_13_weeks",
            "good_price",
        }
    )
    assert codes_of([10] * 14 + [nothing]) == set()


def test_a_product_of_three_weeks_has_no_lowest_of_thirteen():
    assert codes_of([10, 10, 10, 9]) == {"lower_than_usual"}
    assert codes_of([10, 10, 9]) == set()
    assert codes_of([9]) == set()
    assert codes_of([NAN] * 3 + [10] * 11 + [9]) == {"lower_than_usual"}


def test_history_and_weekly_prices_agree():
    weekly = drawn(30, 32, seed=5)
    found = 0
    for product in range(len(weekly)):
        changes = changes_of(weekly, product)
        for end in range(1, weekly.weeks + 1):
            now = week_start(weekly.first + end - 1) + 2 * 86_400
            window = window_of_changes(changes, now)
            expected = PriceWindow.of_weekly(weekly.rows(np.array([product])), end)
            if window is None:
                assert np.isnan(expected.current[0])
                continue
            np.testing.assert_array_equal(window.past, expected.past)
            masks, others = window.flags(), expected.flags()
            assert {code: bool(mask[0]) for code, mask in masks.items()} == {c: bool(m[0]) for c, m in others.items()}
            found += sum(bool(mask[0]) for mask in masks.values())
    assert found > 100


def test_what_comes_later_changes_no_flag():
    weekly = drawn(40, 40, seed=6)
    end = 30
    altered = replace(weekly, prices=weekly.prices.copy())
    altered.prices[:, end:] = 0.01
    before, after = (PriceWindow.of_weekly(series, end).flags() for series in (weekly, altered))
    for code in FLAG_CODES:
        np.testing.assert_array_equal(before[code], after[code])
    for product in range(10):
        changes = changes_of(weekly, product)
        now = week_start(weekly.first + end) - 1
        later = PriceChange(now + 1, Decimal("0.01"))
        window, same = (
            window_of_changes(changes, now),
            window_of_changes([*(c for c in changes if c.at <= now), later], now),
        )
        assert (window is None) == (same is None)
        if window and same:
            np.testing.assert_array_equal(window.past, same.past)
            assert window.current == same.current


def change(week, price, seconds=0, **others):
    return PriceChange(week_start(FIRST + week) + seconds, None if price is None else Decimal(str(price)), **others)


NOW = week_start(FIRST + 20) + NOON
REDUCED = {"lower_than_usual", "lowest_13_weeks", "good_price"}


def test_a_reduction_has_its_usual_price_and_the_reference():
    flags = {flag.code: flag for flag in price_flags([change(0, "10.90"), change(20, "9.50")], NOW)}
    assert set(flags) == REDUCED
    good = flags["good_price"]
    assert (good.usual, good.measured, good.precision, good.count) == (Decimal("10.9"), "reference", 0.925, 4_716)


def test_an_hour_at_a_lower_price_counts_against_the_lowest():
    hour = [change(0, 10), change(12, 8, 0), change(12, 10, 3_600), change(20, 9)]
    assert codes_at(hour, NOW) == {"lower_than_usual"}
    today = [change(0, 10), change(20, 8), change(20, 9, 3_600)]
    assert codes_at(today, NOW) == {"lower_than_usual"}


def test_a_price_that_changes_every_hour():
    hours = 16 * 7 * 24
    changes = [change(0, 10)]
    changes += [change(4, 9 if hour % 3 == 0 else 10, hour * 3_600) for hour in range(hours)]
    window = window_of_changes(changes, NOW)
    assert window is not None
    assert window.past.tolist() == [[10.0] * 13]  # two hours of three
    assert codes_at([*changes, change(20, 9, 60)], NOW) == REDUCED  # never lower before
    assert codes_at([*changes, change(20, 9.5, 60)], NOW) == {"lower_than_usual"}
    same_second = [change(0, 10), change(19, 1), change(19, 10), change(20, 9)]
    assert codes_at(same_second, NOW) == REDUCED  # a price of no duration was never offered


def test_weeks_out_of_stock_or_out_of_the_catalogue_are_no_offers():
    for away in ({"in_stock": False}, {"present": False}):
        cheap = [change(0, 10), change(10, 5, **away), change(11, 10), change(20, 9)]
        assert codes_at(cheap, NOW) == REDUCED
        assert price_flags([change(0, 10), change(20, 9, **away)], NOW) == ()
    long = [change(0, 10), change(9, 10, in_stock=False), change(20, 9)]
    assert codes_at(long, NOW) == set()  # two of 13 weeks are known


def test_zero_and_missing_prices_are_no_prices():
    for price in (None, 0):
        assert codes_at([change(0, 10), change(10, price), change(11, 10), change(20, 9)], NOW) == REDUCED
        assert price_flags([change(0, 10), change(20, price)], NOW) == ()


def test_a_changed_currency_begins_a_new_comparison():
    crowns = [change(0, 250, currency="CZK"), change(18, 10, currency="EUR"), change(20, 9, currency="EUR")]
    assert price_flags(crowns, NOW) == ()  # two weeks in euros
    back = [change(0, 10, currency="EUR"), change(10, 250, currency="CZK"), *crowns[1:]]
    assert price_flags(back, NOW) == ()
    euros = [change(0, 10, currency="EUR"), change(20, 9, currency="EUR")]
    assert codes_at(euros, NOW) == REDUCED


def test_a_clock_behind_the_last_change_counts_as_its_time():
    changes = [change(0, 10), change(20, 9)]
    assert price_flags(changes, NOW - WEEK_S) == price_flags(changes, change(20, 9).at)
    assert codes_at(changes, 0) == REDUCED


def test_no_history_has_no_flags():
    assert price_flags((), NOW) == ()
